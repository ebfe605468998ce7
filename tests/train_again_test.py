"""Tests of earsr_tf.train: one run, and what happens when it is run again."""

from __future__ import annotations

import json
import os
import pathlib

import pytest

from earsr_tf.training import lock
from tests import fakes
from tests import train_command

_main, _error, _SMALL = (
    train_command.main, train_command.error, train_command.SMALL)


@pytest.fixture(name='data_dir', scope='module')
def _data_dir(tmp_path_factory: pytest.TempPathFactory) -> str:
  folder = tmp_path_factory.mktemp('train') / 'data'
  fakes.write_data(folder)
  return str(folder)


class TestARun:
  """One run of the cheapest stage, and what happens when it is run again."""

  @pytest.fixture(name='arguments', scope='class')
  def _arguments(self, data_dir: str, tmp_path_factory) -> tuple[str, ...]:
    root = tmp_path_factory.mktemp('runs')
    arguments = ('--stage=attributes', *_SMALL, f'--data_dir={data_dir}',
                 f'--run_root={root}')
    assert _main(*arguments) == 0
    return arguments

  @pytest.fixture(name='folder')
  def _folder(self, arguments: tuple[str, ...]) -> pathlib.Path:
    return pathlib.Path(arguments[-1].partition('=')[2]) / 'attributes'

  def test_leaves_a_finished_folder(self, folder: pathlib.Path) -> None:
    assert {p.name for p in folder.iterdir()} == {
        'checkpoints', 'config.json', 'finished.json', 'metrics.jsonl',
        'train'}
    done = json.loads((folder / 'finished.json').read_text())
    assert (done['images'], done['step']) == (16, 4)
    assert (folder / 'checkpoints' / (done['checkpoint'] + '.index')).exists()
    stored = json.loads((folder / 'config.json').read_text())
    assert stored['dataset'] == 'synthetic' and stored['manifest_sha256']
    # As many classes as the data have speakers: three, and two open ones.
    assert stored['config']['attributes']['num_speakers'] == 5

  def test_again_does_nothing(
      self, arguments: tuple[str, ...], folder: pathlib.Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in folder.rglob('*')}
    assert _main(*arguments) == 0
    assert {p: p.stat().st_mtime_ns for p in folder.rglob('*')} == before

  @pytest.mark.parametrize('setting, words', [
      ('model.classifier_filters=8', 'model.classifier_filters: 4 -> 8'),
      ('attributes.phases.0.images=20', 'attributes.phases.0.images: 16 -> 20')
  ])
  def test_with_another_configuration_is_refused(
      self, arguments: tuple[str, ...], folder: pathlib.Path, capsys,
      setting: str, words: str) -> None:
    before = {p: p.stat().st_mtime_ns for p in folder.rglob('*')}
    assert _main(*arguments, f'--set={setting}') not in (0, None)
    message = _error(capsys)
    assert words in message and '--restart' in message
    assert {p: p.stat().st_mtime_ns for p in folder.rglob('*')} == before

  def test_with_other_data_is_refused(
      self, arguments: tuple[str, ...], tmp_path: pathlib.Path, capsys
      ) -> None:
    fakes.write_data(tmp_path / 'data', clips=5)
    assert _main(*arguments, f'--data_dir={tmp_path / "data"}') == 66
    message = _error(capsys)
    assert 'manifest of the data: ' in message and '--restart' in message

  def test_by_a_second_process_is_refused(
      self, arguments: tuple[str, ...], folder: pathlib.Path, capsys) -> None:
    with lock.hold(str(folder.parent), 'attributes'):
      assert _main(*arguments, '--restart') == 2
    assert f'{folder} is being trained by process {os.getpid()} on ' in (
        _error(capsys))
    assert (folder / 'finished.json').exists()

  def test_restart_begins_anew(
      self, arguments: tuple[str, ...], folder: pathlib.Path) -> None:
    (folder / 'finished.json').unlink()
    (folder / 'left_over').touch()
    assert _main(*arguments, '--restart',
                 '--set=attributes.phases.0.images=8') == 0
    assert not (folder / 'left_over').exists()
    done = json.loads((folder / 'finished.json').read_text())
    assert done['images'] == 8
