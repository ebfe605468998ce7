"""Tests of training.monitoring.observations: waiting, memory, fixed inputs."""

from __future__ import annotations

import dataclasses
import types
from typing import Iterator

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.data import keys
from earsr_tf.stages import stage as stage_lib
from earsr_tf.training.monitoring import observations
from tests import fakes


class _Clock:
  """A clock that stands still unless told."""

  def __init__(self) -> None:
    self.now = 100.0

  def monotonic(self) -> float:
    """The time."""
    return self.now


def _fixed(name: str, **changes: object) -> observations.Fixed:
  stage = fakes.stage(name)
  return observations.Fixed(
      stage=stage, networks=stage.build(), seed=5,
      batch={**fakes.batch(2), **changes})


@pytest.fixture(name='clock')
def _clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
  clock = _Clock()
  monkeypatch.setattr(observations, 'time', types.SimpleNamespace(
      monotonic=clock.monotonic))
  return clock


def test_the_share_of_waiting_since_the_last_record(clock: _Clock) -> None:
  def batches() -> Iterator[int]:
    for seconds in (3.0, 0.0, 1.0, 5.0):
      clock.now += seconds
      yield seconds

  observer = observations.Observer(fixed=_fixed('attributes'))
  timed = observer.timed(batches())
  shares = []
  for work in (1.0, 6.0, 3.0, 0.0):
    next(timed)
    clock.now += work
    shares.append(observer.scalars(16, 1.0)['timing/wait_share'])
  assert shares == [0.75, 0.0, 0.25, 1.0]
  # A record that no batch preceded: nobody waited.
  clock.now += 2.0
  assert observer.scalars(16, 1.0)['timing/wait_share'] == 0.0


def test_the_end_of_the_data_is_passed_on(clock: _Clock) -> None:
  del clock
  observer = observations.Observer(fixed=_fixed('attributes'))
  assert list(observer.timed(iter([1, 2, 3]))) == [1, 2, 3]


def test_resident_memory_grows_with_what_is_held() -> None:
  before = observations.resident_bytes()
  held = np.ones([1 << 25])  # 268 MB
  after = observations.resident_bytes()
  assert 200e6 < after - before < 400e6
  assert held[0] == 1.0
  values = observations.Observer(fixed=_fixed('attributes')).scalars(16, 1.0)
  assert values['timing/resident_mb'] == pytest.approx(after / 1e6, rel=0.5)
  assert set(values) == {'timing/resident_mb', 'timing/wait_share'}


def test_a_stage_is_shown_the_same_every_time() -> None:
  seen = []

  def observe(networks, batch, clock):
    del networks
    seen.append((clock.resolution, clock.batch_size))
    return {'x/mean': tf.reduce_mean(batch[keys.IMAGE_HIGH]),
            'x/alpha': clock.alpha, 'x/step': clock.step,
            'x/seed': tf.reduce_sum(clock.seed)}

  stage = stage_lib.Stage(
      name='x', equation='', inputs=(), splits=(), build=dict, restores={},
      updates=(), phases=(), adam={}, observe=observe)
  batch = fakes.batch(2)
  observer = observations.Observer(
      fixed=observations.Fixed(
          stage=stage, networks={}, batch=batch, seed=5))
  found = [{k: v for k, v in observer.scalars(*where).items()
            if k.startswith('x/')}
           for where in ((8, 0.25), (8, 0.5), (16, 0.25))]
  assert found[0] == found[2] == {**found[1], 'x/alpha': 0.25}
  assert found[0]['x/mean'] == pytest.approx(
      float(np.mean(batch[keys.IMAGE_HIGH])), rel=1e-4)
  assert (found[0]['x/step'], found[0]['x/seed']) == (0, 5)
  assert found[1]['x/alpha'] == 0.5
  assert seen == [(8, 2), (16, 2)]  # compiled once for each size


def test_kept_targets_are_computed_once(monkeypatch: pytest.MonkeyPatch
                                        ) -> None:
  config = fakes.small_config()
  config = dataclasses.replace(config, training=dataclasses.replace(
      config.training, cached_targets=True))
  stage = fakes.stage('audio', config)
  assert keys.CODE_MIRRORED in stage.inputs
  networks = stage.build()
  fixed = observations.Fixed(
      stage=stage, networks=networks, batch=fakes.batch(2), seed=5)
  values = observations.Observer(fixed=fixed).scalars(16, 1.0)
  expected = stage.targets[0].compute(
      networks, fakes.batch(2)[keys.IMAGE_HIGH])
  np.testing.assert_array_equal(fixed.batch[keys.CODE_MIRRORED], expected)
  assert np.isfinite(values['shuffled_gap/audio/code_l1'])
  monkeypatch.delitem(networks, 'image_encoder')  # not needed any more
  observations.Observer(fixed=fixed).scalars(16, 1.0)


def test_a_stage_is_looked_at_as_often_as_it_says() -> None:
  stage = dataclasses.replace(fakes.stage('attributes'), observations=2)
  total = sum(phase.images for phase in stage.phases)
  assert total == 16
  due = [after for after in range(4, 20, 4)
         if observations.is_due(stage, after - 4, after)]
  assert due == [8, 16]
  always = dataclasses.replace(stage, observations=0)
  assert observations.is_due(always, 0, 4)
  assert not observations.is_due(
      dataclasses.replace(stage, observe=None), 4, 8)
  observer = observations.Observer(fixed=_fixed(
      'attributes', **{keys.HELD_OUT: np.array([True, False])}))
  assert 'held_out/speaker' in observer.scalars(16, 1.0)
  assert 'held_out/speaker' not in observer.scalars(16, 1.0, observes=False)
