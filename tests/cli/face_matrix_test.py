"""super_resolve --mix: every face with every voice, and one picture of all."""

from __future__ import annotations

import os
import pathlib

import numpy as np
from PIL import Image
import pytest

import earsr_tf
from earsr_tf import cli
from earsr_tf import comparison
from earsr_tf import face_and_voice
from earsr_tf import super_resolve
from tests.cli import media_files


@pytest.fixture(name='folders')
def _folders(tmp_path: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
  """Two faces, one in a folder of its own, and two voices."""
  faces, voices = tmp_path / 'faces', tmp_path / 'voices'
  (faces / 'ann').mkdir(parents=True)
  voices.mkdir()
  media_files.face(faces / 'ann' / '1.png')
  with Image.open(faces / 'ann' / '1.png') as image:
    image.transpose(Image.Transpose.ROTATE_90).save(faces / 'bob.png')
  media_files.voice(voices / 'low.wav')
  media_files.voice(voices / 'quiet.wav', level=0.1)
  return faces, voices


def _mix(model: str, image: object, audio: object, output: object,
         **options) -> int:
  return cli.guard(lambda: print(super_resolve.mix(
      model, str(image), audio and str(audio), str(output),
      detect_faces=False, **options)))


def _files(folder: pathlib.Path) -> list[str]:
  return sorted(path.relative_to(folder).as_posix()
                for path in folder.rglob('*') if path.is_file())


def _read(path: pathlib.Path) -> np.ndarray:
  with Image.open(path) as image:
    return np.asarray(image, int)


def test_each_pair_gets_a_file_and_all_one_picture(model, folders, tmp_path):
  faces, voices = folders
  output = tmp_path / 'out'
  assert _mix(model, faces, voices, output, loudness='as_is') == 0
  assert _files(output) == [
      'ann/1/low.png', 'ann/1/quiet.png', 'bob/low.png', 'bob/quiet.png',
      'matrix.png']
  loaded = earsr_tf.load(model)
  lows = [loaded.reduce(str(faces / name), print)
          for name in ('ann/1.png', 'bob.png')]
  heard = [face_and_voice.read_voice(
      str(voices / name), None, print, loudness='as_is')
      for name in ('low.wav', 'quiet.wav')]
  made = comparison.mix(loaded, lows, heard)
  for picture, name in zip(made.reshape(4, 128, 128, 3), _files(output)):
    assert np.abs(_read(output / name) - picture).max() <= 1
  assert np.abs(made[0, 0].astype(int) - made[1, 0]).max() > 5
  assert np.abs(made[0, 0].astype(int) - made[0, 1]).max() > 0
  sheet = comparison.matrix_sheet(
      lows, heard, made, [os.path.join('ann', '1'), 'bob'], ['low', 'quiet'])
  assert np.abs(_read(output / 'matrix.png') - np.asarray(sheet)).max() <= 1


def test_one_voice_and_jpegs(model, folders, tmp_path):
  faces, voices = folders
  assert _mix(model, faces, voices / 'low.wav', tmp_path / 'out',
              ending='.jpg') == 0
  assert _files(tmp_path / 'out') == [
      'ann/1/low.jpg', 'bob/low.jpg', 'matrix.png']


def test_bad_files_cost_a_line_and_the_others_are_mixed(
    model, folders, tmp_path, capsys):
  faces, voices = folders
  (faces / 'bob.png').write_bytes(b'text')
  (voices / 'quiet.wav').write_bytes(b'RIFF')
  assert _mix(model, faces, voices, tmp_path / 'out') == 65
  said = capsys.readouterr().err.splitlines()
  assert len(said) == 3 and 'bob.png' in said[0] and 'quiet.wav' in said[1]
  assert '1 faces of 1 pictures and 1 voices; 2 files refused' in said[2]
  assert _files(tmp_path / 'out') == ['ann/1/low.png', 'matrix.png']
  (voices / 'low.wav').unlink()
  assert _mix(model, faces, voices, tmp_path / 'none') == 65
  assert 'nothing written' in capsys.readouterr().err.splitlines()[-1]
  assert not _files(tmp_path / 'none')


def test_what_makes_no_matrix_is_refused(model, folders, tmp_path, capsys):
  faces, voices = folders
  for image, audio in ((faces, None), (faces / 'bob.png', voices)):
    assert _mix(model, image, audio, tmp_path / 'out') == 1
    assert '--mix: needs two folders' in capsys.readouterr().err
  for number in range(11):
    (faces / f'{number}.png').write_bytes((faces / 'bob.png').read_bytes())
  assert _mix(model, faces, voices, tmp_path / 'out') == 1
  assert 'a matrix has 1 to 12 faces, not 13' in capsys.readouterr().err
  assert not _files(tmp_path / 'out')
