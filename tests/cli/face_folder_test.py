"""super_resolve on folders: pairs by name, one line for each bad file."""

from __future__ import annotations

import os
import pathlib
import threading
import time
import wave

import numpy as np
from PIL import Image
import pytest

from earsr_tf import cli
from earsr_tf import face_folder
from earsr_tf import super_resolve


def _voice(path: pathlib.Path, hertz: float = 150.0) -> None:
  time = np.arange(64000) / 16000
  with wave.open(str(path), 'wb') as file:
    file.setnchannels(1)
    file.setsampwidth(2)
    file.setframerate(16000)
    file.writeframes(
        (9000 * np.sin(2 * np.pi * hertz * time)).astype('<i2').tobytes())


def _face(path: pathlib.Path, level: int = 90) -> None:
  ramp = np.tile(np.arange(128, dtype=np.uint8), (128, 1))
  Image.fromarray(np.stack(
      [ramp, ramp.T, np.full_like(ramp, level)], -1)).save(path)


@pytest.fixture(name='folders')
def _folders(tmp_path: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
  faces, voices = tmp_path / 'faces', tmp_path / 'voices'
  faces.mkdir()
  voices.mkdir()
  for name in ('a', 'b'):
    _face(faces / f'{name}.png', ord(name))
    _voice(voices / f'{name}.wav', 2 * ord(name))
  return faces, voices


def _run(model: str, image: object, audio: object, output: object) -> int:
  return cli.guard(lambda: super_resolve.run(
      model, str(image), audio and str(audio), str(output)))


def test_pairs_give_what_single_files_give(model, folders, tmp_path, capsys):
  faces, voices = folders
  assert _run(model, faces, voices, tmp_path / 'out') == 0
  assert capsys.readouterr().err == ''
  assert sorted(os.listdir(tmp_path / 'out')) == ['a.png', 'b.png']
  assert _run(model, faces / 'b.png', voices / 'b.wav',
              tmp_path / 'single.png') == 0
  with Image.open(tmp_path / 'single.png') as one, Image.open(
      tmp_path / 'out' / 'b.png') as two:
    # A batch rounds its sums in another order.
    assert np.abs(np.asarray(one, int) - np.asarray(two, int)).max() <= 1


def test_each_bad_file_costs_a_line_and_the_others_are_done(
    model, folders, tmp_path, capsys):
  faces, voices = folders
  (faces / 'c.png').write_bytes(b'\x89PNG\r\n\x1a\n')
  _voice(voices / 'c.wav')
  _face(faces / 'd.png')
  (voices / 'd.wav').write_bytes(b'no sound')
  _face(faces / 'e.png')
  os.mkfifo(faces / 'f.png')
  _voice(voices / 'f.wav')
  (faces / 'empty.png').mkdir()
  _face(faces / 'g\n\x1b[31m.png')
  (faces / '.hidden').write_bytes(b'')
  assert _run(model, faces, voices, tmp_path / 'out') == 65
  lines = capsys.readouterr().err.splitlines()
  assert len(lines) == 6 and all(line.startswith('error: ') for line in lines)
  for line, words in zip(lines, (
      'faces/c.png: is a damaged PNG', 'voices/d.wav: is not a sound',
      'faces/e.png: there is no voice of the same name',
      'faces/f.png: is not a regular file', 'faces/g ?[31m.png: there is no',
      'out: 2 of 7 faces written, 5 refused')):
    assert words in line
  assert sorted(os.listdir(tmp_path / 'out')) == ['a.png', 'b.png']


def test_one_voice_for_all(model, folders, tmp_path, capsys):
  faces, voices = folders
  assert _run(model, faces, voices / 'a.wav', tmp_path / 'out') == 0
  assert len(os.listdir(tmp_path / 'out')) == 2
  (voices / 'bad.wav').write_bytes(b'nothing')
  assert _run(model, faces, voices / 'bad.wav', tmp_path / 'none') == 65
  lines = capsys.readouterr().err.splitlines()
  assert len(lines) == 1 and 'bad.wav: is not a sound' in lines[0]


def _pairs(*paths: object) -> list[face_folder.Pair]:
  return face_folder.list_pairs(*(str(p) for p in paths))


def test_one_folder_for_faces_and_voices(folders, tmp_path):
  faces, _ = folders
  _voice(faces / 'a.wav')
  _voice(faces / 'b.wav')
  found = _pairs(faces, faces, tmp_path / 'out')
  assert [os.path.basename(p.image) for p in found] == ['a.png', 'b.png']
  assert [os.path.basename(p.audio) for p in found] == ['a.wav', 'b.wav']
  assert not any(p.problem for p in found)


def test_equal_names_are_told_apart_or_refused(folders, tmp_path):
  faces, voices = folders
  _face(faces / 'a.jpg')
  _voice(voices / 'b.wave')
  found = _pairs(faces, voices, tmp_path / 'out')
  assert [os.path.basename(p.output) for p in found] == [
      'a.jpg.png', 'a.png.png', 'b.png']
  assert 'several voices of the same name (b.wav, b.wave)' in found[2].problem
  _face(faces / 'a.png.bmp')
  assert 'another face is written as a.png.png' in _pairs(
      faces, voices, tmp_path / 'out')[2].problem


def test_folders_in_folders_are_walked(model, folders, tmp_path, capsys):
  faces, voices = folders
  for folder in (faces, voices):
    (folder / 'x' / 'y').mkdir(parents=True)
    (folder / '.hidden').mkdir()
  for name in ('x/a', 'x/y/c', '.hidden/a'):
    _face(faces / f'{name}.png', 200)
    _voice(voices / f'{name}.wav', 1000)
  (faces / 'x' / 'again').symlink_to(faces)
  out = faces / 'x' / 'out'  # results are no faces of the next run
  for _ in range(2):
    assert _run(model, faces, voices, out) == 0
    assert capsys.readouterr().err == ''
  assert sorted(str(p.relative_to(out)) for p in out.rglob('*.png')) == [
      'a.png', 'b.png', 'x/a.png', 'x/y/c.png']
  with Image.open(out / 'a.png') as one, Image.open(out / 'x' / 'a.png') as two:
    assert np.any(np.asarray(one) != np.asarray(two))
  _face(faces / 'x' / 'b.png')  # has a voice elsewhere only
  assert [p.problem for p in _pairs(faces, voices, out)] == [
      '', '', '', f'there is no voice of the same name in {voices}', '']


def test_results_may_be_jpegs(model, folders, tmp_path):
  faces, voices = folders
  assert cli.guard(lambda: super_resolve.run(
      model, str(faces), str(voices), str(tmp_path / 'out'),
      output_format='jpeg')) == 0
  assert sorted(os.listdir(tmp_path / 'out')) == ['a.jpg', 'b.jpg']
  assert _run(model, faces, voices, tmp_path / 'png') == 0
  with Image.open(tmp_path / 'out' / 'a.jpg') as jpeg, Image.open(
      tmp_path / 'png' / 'a.png') as png:
    assert jpeg.format == 'JPEG'
    assert np.abs(np.asarray(jpeg, int) - np.asarray(png, int)).mean() < 3


def test_faces_without_voices(model, folders, tmp_path, capsys):
  faces, voices = folders
  assert _run(model, faces, None, tmp_path / 'out') == 0
  lines = capsys.readouterr().err.splitlines()
  assert len(lines) == 1 and 'there is no voice: the image alone' in lines[0]
  assert cli.guard(lambda: super_resolve.run(
      model, str(faces), str(voices), str(tmp_path / 'zero'),
      strength=0.0)) == 0
  for name in ('a.png', 'b.png'):
    assert (tmp_path / 'out' / name).read_bytes() == (
        tmp_path / 'zero' / name).read_bytes()


def test_unusable_folders_are_refused(model, folders, tmp_path, capsys):
  faces, voices = folders
  (tmp_path / 'empty').mkdir()
  for image, audio, output, code, words in (
      (faces, tmp_path / 'none', 'out', 66, 'no such file'),
      (tmp_path / 'empty', voices, 'out', 66, 'holds no pictures'),
      (faces, voices, 'faces', 1, 'would be overwritten'),
      (faces, voices, 'voices/a.wav', 1, 'name a folder'),
      (faces, voices, 'new.png', 1, 'name a folder')):
    assert _run(model, image, audio, tmp_path / output) == code
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and words in lines[0]


def _work(**changes: object) -> face_folder.Work:
  """Work on pairs whose image is a level: faces are doubled levels."""
  parts = {
      'read': lambda pair, tell: int(pair.image),
      'compute': lambda levels: np.asarray(
          [[[[2 * level] * 3]] for level in levels], np.uint8),
      'write': lambda path, face: None}
  return face_folder.Work(**{**parts, **changes})


def _numbered(count: int) -> list[face_folder.Pair]:
  return [face_folder.Pair(str(i), 'v', f'{i}.png') for i in range(count)]


def test_a_bug_is_one_line_and_not_the_end(capsys):
  def read(pair: face_folder.Pair, tell: object) -> int:
    if pair.image == '0':
      raise KeyError('hop')
    return 1
  assert face_folder.run(_numbered(2), _work(read=read)) == (1, 1)
  assert capsys.readouterr().err == (
      "error: 0: unexpected KeyError ('hop'); please report it\n")


def test_every_face_is_computed_once_and_written_under_its_name():
  batches, written = [], {}
  plain = _work().compute

  def compute(levels: list[int]) -> np.ndarray:
    batches.append(list(levels))
    return plain(levels)
  assert face_folder.run(_numbered(40), _work(
      compute=compute, write=lambda path, face: written.update(
          {path: face.tolist()}))) == (40, 0)
  assert [len(batch) for batch in batches] == [16, 16, 8]
  assert sum(batches, []) == list(range(40))
  assert written == {f'{i}.png': [[[2 * i] * 3]] for i in range(40)}


def test_a_batch_that_fails_costs_only_those_that_fail_alone(capsys):
  plain = _work().compute

  def compute(levels: list[int]) -> np.ndarray:
    if 17 in levels:
      raise cli.InputError('17: is unlucky')
    return plain(levels)

  def write(path: str, face: np.ndarray) -> None:
    if path == '3.png':
      raise OSError(28, 'No space left on device', path)
  written = []
  assert face_folder.run(_numbered(20), _work(
      compute=compute, write=lambda path, face: (
          write(path, face), written.append(path)))) == (18, 2)
  assert len(written) == 18
  lines = capsys.readouterr().err.splitlines()
  assert len(lines) == 2
  assert '3.png' in lines[0] and lines[1] == 'error: 17: is unlucky'


def test_files_are_read_in_threads_one_batch_ahead():
  """Two batches at most are read and not yet written."""
  read, most, lock = [], [], threading.Lock()
  meeting = threading.Barrier(2, timeout=20)

  def reader(pair: face_folder.Pair, tell: object) -> int:
    if pair.image in ('0', '1'):
      meeting.wait()  # fails unless two are read at a time
    with lock:
      read.append(threading.get_ident())
    return 0

  def compute(levels: list[int]) -> np.ndarray:
    with lock:
      most.append(len(read))
    return np.zeros([len(levels), 1, 1, 3], np.uint8)
  assert face_folder.run(
      _numbered(64), _work(read=reader, compute=compute)) == (64, 0)
  assert len(set(read)) >= 2 and threading.get_ident() not in read
  assert all(count <= 16 * (i + 2) for i, count in enumerate(most))


def test_notices_come_in_the_order_of_the_faces():
  told = []

  def read(pair: face_folder.Pair, tell: object) -> int:
    time.sleep(0.002 * (int(pair.image) % 3 == 0))
    tell(pair.image)
    return 0
  face_folder.run(_numbered(20), _work(read=read, notice=told.append))
  assert told == [str(i) for i in range(20)]
