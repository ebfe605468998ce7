"""python -m earsr_tf.super_resolve: good files work, bad ones get a line."""

from __future__ import annotations

import os
import pathlib
import shutil

import numpy as np
from PIL import Image
import pytest

from earsr_tf import cli
from earsr_tf import super_resolve
from earsr_tf.serving import export_manifest
from tests import testing
from tests.cli import media_files


@pytest.fixture
def files(tmp_path: pathlib.Path) -> dict[str, str]:
  """A good picture, a good voice, and where to write."""
  return {'image': media_files.face(tmp_path / 'face.png'),
          'audio': media_files.voice(tmp_path / 'voice.wav'),
          'output': str(tmp_path / 'out' / 'result.png')}


def _refused(capsys: pytest.CaptureFixture[str], model: str,
             files: dict[str, str], **changes: object) -> tuple[int, str]:
  """Runs the command; returns the exit code and its one line."""
  arguments = {**files, **changes}
  code = cli.guard(lambda: super_resolve.run(model, **arguments))
  lines = capsys.readouterr().err.splitlines()
  errors = [line for line in lines if line.startswith('error: ')]
  assert len(errors) == 1 and lines[-1] == errors[0]
  folder = pathlib.Path(arguments['output']).parent
  assert not folder.exists() or 'result.png' not in os.listdir(folder)
  return code, errors[0]


def test_a_face_and_a_voice_make_a_face(
    model: str, files: dict[str, str]) -> None:
  notices = []
  super_resolve.run(model, **files, notice=notices.append)
  with Image.open(files['output']) as image:
    assert (image.size, image.mode, image.format) == (
        (128, 128), 'RGB', 'PNG')
  assert notices == []
  assert os.listdir(os.path.dirname(files['output'])) == ['result.png']


def test_the_same_input_gives_the_same_bytes(
    model: str, files: dict[str, str]) -> None:
  super_resolve.run(model, **files)
  first = pathlib.Path(files['output']).read_bytes()
  super_resolve.run(str(export_manifest.newest(model)), **files)
  assert pathlib.Path(files['output']).read_bytes() == first


def test_short_and_silent_voices_are_refused(
    model: str, files: dict[str, str], tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str]) -> None:
  short = media_files.voice(tmp_path / 'short.wav', seconds=0.5)
  code, line = _refused(capsys, model, files, audio=short)
  assert code == 65
  assert short in line and 'has 0.50 s of sound' in line
  silent = media_files.voice(tmp_path / 'silent.wav', level=0.0)
  code, line = _refused(capsys, model, files, audio=silent)
  assert code == 65
  assert silent in line and 'is silent' in line


def test_an_offset_beyond_the_end_is_refused(
    model: str, files: dict[str, str],
    capsys: pytest.CaptureFixture[str]) -> None:
  code, line = _refused(capsys, model, files, offset=3.5)
  assert code == 65 and 'from 3.5 s on' in line
  code, line = _refused(capsys, model, files, offset=float('nan'))
  assert code == 1 and '--offset=nan' in line


@pytest.mark.parametrize('name, content', [
    ('text.png', b'this is no picture\n'), ('empty.png', b''),
    ('half.png', None)])
def test_what_is_no_picture_is_refused(
    model: str, files: dict[str, str], tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str], name: str,
    content: bytes | None) -> None:
  path = tmp_path / name
  if content is None:
    content = pathlib.Path(files['image']).read_bytes()
    content = content[:len(content) // 2]
  path.write_bytes(content)
  code, line = _refused(capsys, model, files, image=str(path))
  assert code == 65 and name in line


def test_a_strength_beyond_its_range_is_refused(
    model: str, files: dict[str, str],
    capsys: pytest.CaptureFixture[str]) -> None:
  code, line = _refused(capsys, model, files, strength=2.0)
  assert code == 1 and '--strength=2: must lie between 0 (the image' in line


def test_what_is_no_sound_is_refused(
    model: str, files: dict[str, str], tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str]) -> None:
  path = tmp_path / 'notes.wav'
  path.write_text('this is no sound')
  code, line = _refused(capsys, model, files, audio=str(path))
  assert code == 65 and 'notes.wav' in line
  code, line = _refused(capsys, model, files, audio=files['image'])
  assert code == 65 and 'face.png' in line


@pytest.mark.parametrize('flag', ['image', 'audio'])
def test_missing_files_and_folders_are_refused(
    model: str, files: dict[str, str], tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str], flag: str) -> None:
  code, line = _refused(
      capsys, model, files, **{flag: str(tmp_path / 'absent')})
  assert code == 66 and f'--{flag}=' in line and 'no such file' in line
  code, line = _refused(capsys, model, files, **{flag: str(tmp_path)})
  assert code == 1 and 'is a folder' in line


def test_bad_outputs_are_refused(
    model: str, files: dict[str, str], tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str]) -> None:
  code, line = _refused(
      capsys, model, files, output=str(tmp_path / 'x' / 'result.gif'))
  assert code == 1 and 'must end in .png, .jpg or .jpeg' in line
  code, line = _refused(
      capsys, model, files, output=str(tmp_path / 'x' / 'result.jpg'),
      output_format='png')
  assert code == 1 and '--output_format=png' in line
  assert not (tmp_path / 'x').exists()
  (tmp_path / 'folder.png').mkdir()
  code, line = _refused(
      capsys, model, files, output=str(tmp_path / 'folder.png'))
  assert code == 1 and 'is a folder' in line
  code, line = _refused(
      capsys, model, files, output=files['image'] + '/sub/result.png')
  assert code == 73 and 'no folder that can be written' in line


def test_the_ending_says_what_is_written(
    model: str, files: dict[str, str], tmp_path: pathlib.Path) -> None:
  super_resolve.run(model, **files)
  right = np.asarray(Image.open(files['output']), int)
  for name in ('a.jpg', 'b.JPEG'):
    super_resolve.run(model, **{**files, 'output': str(tmp_path / name)})
    with Image.open(tmp_path / name) as image:
      assert image.format == 'JPEG'
      assert np.abs(np.asarray(image, int) - right).mean() < 3


def test_without_a_voice_the_image_alone_makes_the_face(
    model: str, files: dict[str, str], tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str]) -> None:
  notices = []
  super_resolve.run(
      model, **{**files, 'audio': None}, notice=notices.append)
  assert len(notices) == 1 and '(E_l and G, as with --strength=0)' in notices[0]
  alone = pathlib.Path(files['output']).read_bytes()
  super_resolve.run(
      model, **{**files, 'output': str(tmp_path / 'zero.png')}, strength=0.0)
  assert (tmp_path / 'zero.png').read_bytes() == alone
  super_resolve.run(
      model, **{**files, 'output': str(tmp_path / 'one.png')})
  assert (tmp_path / 'one.png').read_bytes() != alone
  code, line = _refused(
      capsys, model, {**files, 'output': str(tmp_path / 'n' / 'result.png')},
      audio=None, strength=1.5)
  assert code == 1 and '--strength=1.5: says how much the voice' in line


def test_a_damaged_model_is_refused_by_name(
    model: str, files: dict[str, str], tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str]) -> None:
  copy = tmp_path / 'model'
  shutil.copytree(model, copy)
  path = copy / '1' / 'saved_model.pb'
  content = bytearray(path.read_bytes())
  content[len(content) // 2] ^= 1
  path.write_bytes(content)
  code, line = _refused(capsys, str(copy), files)
  assert code == 65 and 'saved_model.pb: differs' in line


def test_a_missing_model_is_refused_before_tensorflow_loads(
    files: dict[str, str], tmp_path: pathlib.Path) -> None:
  process = testing.run_module(
      'earsr_tf.super_resolve', f'--model={tmp_path / "absent"}',
      *(f'--{name}={value}' for name, value in files.items()))
  assert process.returncode == 66
  assert process.stdout == ''
  assert process.stderr.startswith('error: ')
  assert process.stderr.count('\n') == 1 and 'earsr_tf.export' in process.stderr


def test_the_command_prints_what_it_wrote(
    model: str, files: dict[str, str]) -> None:
  process = testing.run_module(
      'earsr_tf.super_resolve', f'--model={model}',
      *(f'--{name}={value}' for name, value in files.items()))
  assert process.returncode == 0, process.stderr
  assert process.stdout == files['output'] + '\n'
  assert process.stderr == ''
  with Image.open(files['output']) as image:
    assert image.size == (128, 128)
