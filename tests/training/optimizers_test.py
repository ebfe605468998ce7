"""Tests of earsr_tf.training.optimizers."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.stages import stage as stage_lib
from earsr_tf.training import optimizers


def _model(value: float) -> tf.keras.Model:
  model = tf.keras.Sequential([tf.keras.layers.Dense(
      1, use_bias=False, kernel_initializer=tf.constant_initializer(value))])
  model.build([None, 1])
  return model


def _stage(**changes: object) -> stage_lib.Stage:
  update = stage_lib.Update('a', ('a',), lambda *_: {}, {})
  made = stage_lib.Stage(
      name='test', equation='', inputs=(), splits=(), build=dict, restores={},
      updates=(update,), phases=(
          stage_lib.Phase(16, 4, 60, 0, 0.5), stage_lib.Phase(16, 4, 40, 0, 2)),
      adam={'main': stage_lib.AdamConfig(0.5, 0.9, 1e-7)})
  return dataclasses.replace(made, **changes)


@pytest.mark.parametrize('images, share', [
    (0, 1.0), (25, 0.5 + math.sqrt(0.125)), (50, 0.5),
    (75, 0.5 - math.sqrt(0.125)), (100, 0.0), (140, 0.0)])
def test_cosine_falls_to_zero_over_the_whole_stage(
    images: int, share: float) -> None:
  stage = _stage(decay='cosine')
  for phase in stage.phases:
    assert optimizers.learning_rate(stage, phase, images) == pytest.approx(
        phase.learning_rate * share, abs=1e-12)


def test_without_decay_the_rate_is_the_phase_s() -> None:
  stage = _stage()
  for images in (0, 59, 60, 1000):
    assert optimizers.learning_rate(stage, stage.phases[1], images) == 2


def test_first_step_of_adam_is_rate_times_sign() -> None:
  network = _model(3.0)
  made = optimizers.make(_stage(), {'a': network})
  optimizers.set_learning_rate(made, _stage(), 0.25)
  weight = network.trainable_variables[0]
  made['main'].apply_gradients([(tf.constant([[-7.0]]), weight)])
  # m / (1 - b1) = g and v / (1 - b2) = g^2, so the step is g / |g|.
  np.testing.assert_allclose(weight.numpy(), [[3.25]], rtol=1e-6)


def test_slots_exist_before_the_first_step() -> None:
  made = optimizers.make(_stage(), {'a': _model(1.0)})
  assert len(made['main'].variables()) == 3  # iterations, m, v


def test_constants_reach_adam() -> None:
  adam = optimizers.make(_stage(), {'a': _model(1.0)})['main'].get_config()
  assert [adam['beta_1'], adam['beta_2'], adam['epsilon']] == pytest.approx(
      [0.5, 0.9, 1e-7])
  assert adam['learning_rate'] == 0.5


def test_updates_of_one_key_share_slots() -> None:
  shared, own = _model(1.0), _model(1.0)
  updates = tuple(
      stage_lib.Update(name, trains, lambda *_: {}, {}, optimizer=key)
      for name, trains, key in (
          ('x', ('a',), 'one'), ('y', ('a',), 'one'), ('z', ('b',), 'two')))
  made = optimizers.make(
      _stage(updates=updates, adam={
          'one': stage_lib.AdamConfig(), 'two': stage_lib.AdamConfig()}),
      {'a': shared, 'b': own})
  assert sorted(made) == ['one', 'two']
  assert len(made['one'].variables()) == 3


def test_reset_zeroes_slots_and_the_counter() -> None:
  network = _model(3.0)
  made = optimizers.make(_stage(), {'a': network})
  weight = network.trainable_variables[0]
  for _ in range(3):
    made['main'].apply_gradients([(tf.constant([[2.0]]), weight)])
  before = weight.numpy()
  assert all(np.any(v.numpy()) for v in made['main'].variables())
  optimizers.reset(made)
  assert not any(np.any(v.numpy()) for v in made['main'].variables())
  np.testing.assert_array_equal(weight.numpy(), before)
  # Bias correction starts again, too: the next step has full length.
  optimizers.set_learning_rate(made, _stage(), 1.0)
  made['main'].apply_gradients([(tf.constant([[2.0]]), weight)])
  np.testing.assert_allclose(weight.numpy(), before - 1.0, rtol=1e-6)


def test_sgd_with_momentum_takes_the_steps_of_the_formula() -> None:
  network = _model(3.0)
  stage = dataclasses.replace(
      _stage(), adam={'main': stage_lib.SgdConfig(momentum=0.5)})
  optimizer = optimizers.make(stage, {'a': network})['main']
  variable = network.trainable_variables[0]
  start, rate = variable.numpy(), stage.phases[0].learning_rate
  gradient = tf.ones_like(variable)
  for _ in range(2):
    optimizer.apply_gradients([(gradient, variable)])
  np.testing.assert_allclose(variable, start - rate * (1 + 1.5), rtol=1e-5)
