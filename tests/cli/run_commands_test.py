"""python -m earsr_tf.export and .evaluate: mistakes get one line."""

from __future__ import annotations

import os
import pathlib
import shutil

import pytest

from earsr_tf import cli
from earsr_tf import evaluate
from earsr_tf import export
from tests import run_folder
from tests import testing


def _line(capsys: pytest.CaptureFixture[str]) -> str:
  """The only line on stderr."""
  lines = capsys.readouterr().err.splitlines()
  assert len(lines) == 1 and lines[0].startswith('error: ')
  return lines[0]


@pytest.mark.parametrize('stage', ['finetune', 'low_res', 'fusion'])
def test_export_names_the_untrained_stage(
    run_root: str, tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str], stage: str) -> None:
  folder, output = tmp_path / 'runs', tmp_path / 'export'
  shutil.copytree(run_root, folder)
  (folder / stage / 'finished.json').unlink()
  code = cli.guard(lambda: export.run(str(folder), str(output)))
  line = _line(capsys)
  assert code == 66
  assert f'python -m earsr_tf.train --stage={stage} --preset=tiny' in line
  assert not output.exists()


def test_export_refuses_a_damaged_checkpoint(
    run_root: str, tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str]) -> None:
  folder, output = tmp_path / 'runs', tmp_path / 'export'
  shutil.copytree(run_root, folder)
  for path in (folder / 'fusion' / 'checkpoints').glob('*.index'):
    path.write_bytes(path.read_bytes()[:20])
  code = cli.guard(lambda: export.run(str(folder), str(output)))
  assert code == 66 and 'fusion' in _line(capsys)
  assert not output.exists()


def test_empty_run_folders_are_refused(
    data_dir: str, tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str]) -> None:
  output = tmp_path / 'out'
  for folder in (tmp_path / 'empty', tmp_path / 'absent'):
    if folder.name == 'empty':
      folder.mkdir()
    for command in (lambda: export.run(str(folder), str(output)),
                    lambda: evaluate.run(str(folder), data_dir, str(output))):
      assert cli.guard(command) == 66
      assert 'nothing has been trained here' in _line(capsys)
  assert not output.exists()


def test_export_refuses_a_file_as_output(
    run_root: str, tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str]) -> None:
  path = tmp_path / 'file'
  path.write_text('mine')
  assert cli.guard(lambda: export.run(run_root, str(path))) == 1
  assert 'is a file' in _line(capsys)
  assert path.read_text() == 'mine'


def test_evaluate_needs_a_model(
    data_dir: str, tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str]) -> None:
  run_root = run_folder.write_run(tmp_path / 'runs', without=(
      'generator', 'invert', 'finetune', 'low_res', 'audio', 'fusion'))
  output = tmp_path / 'out'
  code = cli.guard(lambda: evaluate.run(run_root, data_dir, str(output)))
  assert code == 66 and 'no trained model' in _line(capsys)
  assert not output.exists()


def test_evaluate_needs_whole_data(
    run_root: str, data_dir: str, tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str]) -> None:
  output = tmp_path / 'out'
  (tmp_path / 'empty').mkdir()
  code = cli.guard(
      lambda: evaluate.run(run_root, str(tmp_path / 'empty'), str(output)))
  assert code == 66 and 'manifest.json is missing' in _line(capsys)
  shutil.copytree(data_dir, tmp_path / 'data')
  shard = tmp_path / 'data' / 'open_test-00000-of-00001.tfrecord'
  shard.write_bytes(shard.read_bytes()[:-1])
  code = cli.guard(
      lambda: evaluate.run(run_root, str(tmp_path / 'data'), str(output)))
  assert code == 65 and shard.name in _line(capsys)
  assert not output.exists()


@pytest.mark.parametrize('module, arguments, words', [
    ('earsr_tf.export', ['--output=x'], 'nothing has been trained'),
    ('earsr_tf.evaluate', [], 'nothing has been trained'),
    ('earsr_tf.export', ['--output=x', 'stray'], 'stray: unexpected argument'),
    ('earsr_tf.export', ['--output=x', '--consistency=0'],
     "--consistency=0: '0' is not off, exact, or a number"),
    ('earsr_tf.evaluate', ['--images=absent'], 'absent: no such folder'),
    ('earsr_tf.evaluate', ['--truth=x'], 'name the outputs with --images'),
    ('earsr_tf.evaluate', ['--images=x', '--run_root=y'],
     'leave out --run_root'),
    ('earsr_tf.evaluate', ['--ouput=x'],
     '--ouput: there is no such flag; did you mean --output?'),
])
def test_commands_end_without_a_traceback(
    tmp_path: pathlib.Path, module: str, arguments: list[str],
    words: str) -> None:
  process = testing.run_module(module, *arguments, cwd=tmp_path)
  assert process.returncode in (1, 66)
  assert words in process.stderr + process.stdout
  assert 'Traceback' not in process.stderr
  assert os.listdir(tmp_path) == []


def test_an_unforeseen_error_is_not_hidden() -> None:
  def fail() -> None:
    raise ZeroDivisionError('a bug')
  with pytest.raises(ZeroDivisionError):
    cli.guard(fail)
