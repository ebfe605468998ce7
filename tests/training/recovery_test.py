"""Tests of the guards in a real run: a stage trains on batches with NaN."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import signal

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf.config import PhaseConfig
from earsr_tf.data import keys
from earsr_tf.stages import stage as stage_lib
from earsr_tf.training import interruption
from earsr_tf.training import loop
from earsr_tf.training import recovery
from earsr_tf.training.monitoring import summaries
from tests import fakes

_IMAGES = 48  # twelve steps


def _config(limit: int = 2) -> config_lib.Config:
  base = fakes.small_config()
  return dataclasses.replace(
      base,
      attributes=dataclasses.replace(
          base.attributes, phases=(PhaseConfig(_IMAGES, 4),)),
      training=dataclasses.replace(
          base.training, save_every=8, keep=20, max_skipped_in_a_row=limit))


class _Source:
  """Batches; images from `first` to `last` are bad as often as `times`.

  Attributes:
    starts: Images from which a stream was asked for.
  """

  def __init__(self, *, first: int, last: int, times: int = 99) -> None:
    self._range, self._times = (first, last), times
    self.starts: list[int] = []

  def __call__(self, batch_size: int, start: int) -> tf.data.Dataset:
    self.starts.append(start)
    first, last = self._range if len(self.starts) <= self._times else (0, 0)

    def spoil(batch):
      index = batch[keys.INDEX]
      bad = tf.logical_and(index >= first, index < last)
      return {**batch, keys.IMAGE_HIGH: tf.where(
          bad[:, None, None, None], float('nan'), batch[keys.IMAGE_HIGH])}

    return fakes.batches(batch_size, start).map(spoil)


def _train(run_root: pathlib.Path, source: _Source, *, replicas: int = 1,
           limit: int = 2) -> None:
  config = _config(limit)
  loop.train(
      fakes.stage('attributes', config), config, run_root=str(run_root),
      replicas=replicas, make_dataset=source, preview_batch=fakes.batch(2),
      provenance={}, clips=lambda size, start: [
          f'clip{i}' for i in range(start, start + size)])


def _rows(run_root: pathlib.Path) -> list[dict[str, float]]:
  lines = (run_root / 'attributes/metrics.jsonl').read_text().splitlines()
  return [{k: v for k, v in json.loads(line).items()
           if not k.startswith('timing/')} for line in lines]


def _done(run_root: pathlib.Path) -> dict[str, object]:
  return json.loads((run_root / 'attributes/finished.json').read_text())


def _checkpoints(run_root: pathlib.Path) -> dict[int, dict[str, np.ndarray]]:
  """Number -> every tensor, of all checkpoints; all of them finite."""
  found = {}
  for path in (run_root / 'attributes/checkpoints').glob('*.index'):
    reader = tf.train.load_checkpoint(str(path.with_suffix('')))
    tensors = {name: reader.get_tensor(name)
               for name in reader.get_variable_to_shape_map()
               if not name.startswith('_CHECKPOINTABLE')}
    for name, value in tensors.items():
      assert np.all(np.isfinite(value)), (path, name)
    found[int(path.stem.split('-')[1])] = tensors
  return found


@pytest.fixture(name='clean', scope='module')
def _clean(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
  """A run without anything bad."""
  folder = tmp_path_factory.mktemp('clean')
  _train(folder, _Source(first=0, last=0))
  return folder


def test_a_bad_batch_is_skipped_on_all_replicas_and_counted(
    tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture) -> None:
  # One image of the third batch, so one replica only.
  _train(tmp_path, _Source(first=11, last=12), replicas=2)
  rows = _rows(tmp_path)
  assert [row['skipped'] for row in rows] == [0, 0] + [1] * 10
  assert [row['images'] for row in rows
          if row['loss/attributes/total'] is None] == [12]
  assert _done(tmp_path)['skipped'] == 1 and _done(tmp_path)['rollbacks'] == 0
  saved = _checkpoints(tmp_path)
  assert sorted(saved) == [8, 16, 24, 32, 40, 48]
  assert 'images 8 to 11 of the stream: skipped' in caplog.text


def test_a_fault_that_passes_leaves_no_trace(
    clean: pathlib.Path, tmp_path: pathlib.Path) -> None:
  source = _Source(first=20, last=32, times=1)
  _train(tmp_path, source)
  # Three bad steps, one more than allowed: back to the checkpoint before.
  assert source.starts == [0, 16]
  assert _done(tmp_path)['rollbacks'] == 1 and _done(tmp_path)['skipped'] == 0
  assert _rows(tmp_path) == _rows(clean)
  expected, found = _checkpoints(clean)[48], _checkpoints(tmp_path)[48]
  assert set(expected) == set(found)
  for name, value in expected.items():
    np.testing.assert_array_equal(value, found[name], name)


def test_a_fault_that_stays_ends_the_run_with_its_place(
    tmp_path: pathlib.Path) -> None:
  source = _Source(first=20, last=999)
  with pytest.raises(recovery.TrainingError) as error:
    _train(tmp_path, source)
  message = str(error.value)
  assert source.starts == [0, 16]  # went back once, in vain
  assert message.startswith(
      'stage attributes: 3 steps in a row were not finite, the last one: '
      'update attributes at step 7: term ')
  assert ' is not finite (' in message
  assert 'images 28 to 31 of the stream; clips clip28, clip29, ' in message
  assert 'it came again' in message and '--restart' in message
  # A state amid skipped steps (24 images) is none to go back to.
  assert sorted(_checkpoints(tmp_path)) == [8, 16]
  assert not (tmp_path / 'attributes/finished.json').exists()


def test_without_a_checkpoint_there_is_nothing_to_go_back_to(
    tmp_path: pathlib.Path) -> None:
  with pytest.raises(recovery.TrainingError, match='no checkpoint yet'):
    _train(tmp_path, _Source(first=0, last=999), limit=0)


def test_a_signal_saves_the_step_and_nothing_is_lost(
    clean: pathlib.Path, tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch) -> None:
  advance = summaries.Reporter.advance
  steps = []

  def signalled(self, images: int) -> None:
    advance(self, images)
    steps.append(images)
    if len(steps) == 5:
      os.kill(os.getpid(), signal.SIGTERM)

  monkeypatch.setattr(summaries.Reporter, 'advance', signalled)
  source = _Source(first=0, last=0)
  with pytest.raises(interruption.Interrupted) as error:
    _train(tmp_path, source)
  assert str(error.value) == (
      'stage attributes: stopped by SIGTERM after step 5 (20 images), which '
      'is saved; the same command goes on')
  _train(tmp_path, source)
  assert source.starts == [0, 20]
  assert _rows(tmp_path) == _rows(clean)
  for name, value in _checkpoints(clean)[48].items():
    np.testing.assert_array_equal(value, _checkpoints(tmp_path)[48][name])


@pytest.mark.parametrize('skipped, moves', [
    ({'generator': False, 'discriminator': False}, True),
    ({'generator': False, 'discriminator': True}, True),
    ({'generator': True, 'discriminator': False}, False)])
def test_an_average_rests_when_what_it_averages_does(
    skipped: dict[str, bool], moves: bool) -> None:
  stage = fakes.stage('generator')
  assert {'generator', 'discriminator'} <= {u.name for u in stage.updates}
  assert isinstance(stage, stage_lib.Stage)
  assert loop.averaged_moved(stage, skipped) == moves
