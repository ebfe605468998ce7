"""Tests of earsr_tf.training.step against gradients worked out by hand.

The network is y = w x with w = 3; the batch is x = (1, 2, 3, 6): mean(x) = 3
and mean(x^2) = 12.5.
"""

from __future__ import annotations

from typing import Mapping, Sequence

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.stages import stage as stage_lib
from earsr_tf.training import distribution
from earsr_tf.training import optimizers
from earsr_tf.training import step as step_lib

X = (1.0, 2.0, 3.0, 6.0)
_RATE = 0.01


class _Line(tf.keras.Model):
  """y = w x, a variable that nothing reads, and a moving state."""

  def __init__(self) -> None:
    super().__init__()
    self.w = self.add_weight(
        name='w', shape=[], initializer=tf.constant_initializer(3.0))
    self.unused = self.add_weight(
        name='unused', shape=[], initializer=tf.constant_initializer(5.0))
    self.state = self.add_weight(
        name='state', shape=[], initializer='zeros', trainable=False)
    self.built = True


def _terms(networks: Mapping[str, tf.keras.Model], batch, clock
           ) -> dict[str, tf.Tensor]:
  del clock
  y = networks['line'].w * batch['x']
  return {'linear': y, 'square': tf.square(y)}


def _moves(networks: Mapping[str, tf.keras.Model], batch, clock) -> list:
  del clock
  return [(networks['line'].state, tf.reduce_mean(batch['x']))]


def _update(**changes: object) -> stage_lib.Update:
  values = {'name': 'fit', 'trains': ('line',), 'terms': _terms,
            'weights': {'linear': 2.0, 'square': 0.5}, **changes}
  return stage_lib.Update(**values)  # type: ignore[arg-type]


class _Setting:
  """One network, its optimizer and a compiled update."""

  def __init__(self, update: stage_lib.Update, replicas: int = 1,
               optimizer: str = 'sgd', slice_size: int = 0) -> None:
    self.strategy = distribution.make_strategy(replicas)
    with self.strategy.scope():
      self.line = _Line()
      if optimizer == 'sgd':
        self.optimizer = tf.keras.optimizers.legacy.SGD(_RATE)
      else:
        self.optimizer = optimizers.make(stage_lib.Stage(
            name='', equation='', inputs=(), splits=(), build=dict,
            restores={}, updates=(update,),
            phases=(stage_lib.Phase(16, 4, 4, 0, _RATE),),
            adam={'main': stage_lib.AdamConfig()}), {'line': self.line})['main']
    self._function = step_lib.compile_update(
        self.strategy, {'line': self.line}, update,
        {'line': self.optimizer},
        step_lib.StepShape(16, 4, 1000, slice_size))

  def run(self, x: Sequence[float] = X, step: int = 0,
          weights: Mapping[str, float] | None = None) -> dict[str, float]:
    """One step on the global batch `x`; returns its metrics."""
    data = self.strategy.experimental_distribute_dataset(
        tf.data.Dataset.from_tensors({'x': tf.constant(x)}).unbatch().batch(
            len(x)))
    weights = weights or {}
    weights = {'linear': 2.0, 'square': 0.5} | dict(weights)
    metrics = self._function(
        next(iter(data)), tf.constant(step, tf.int64),
        tf.constant(4 * step, tf.int64), tf.constant(1.0),
        {k: tf.constant(v) for k, v in weights.items()})
    return {k: float(v) for k, v in metrics.items()}


@pytest.mark.parametrize('replicas', [1, 2])
def test_weighted_sum_and_its_gradient(replicas: int) -> None:
  setting = _Setting(_update(), replicas)
  metrics = setting.run()
  # linear: 3 * 3; square: 9 * 12.5.
  assert metrics['linear'] == pytest.approx(9.0)
  assert metrics['square'] == pytest.approx(112.5)
  assert metrics['total'] == pytest.approx(2 * 9 + 0.5 * 112.5)
  # d/dw (2 w mean(x) + 0.5 w^2 mean(x^2)) = 2 * 3 + 3 * 12.5 = 43.5.
  assert metrics['grad_norm'] == pytest.approx(43.5)
  assert metrics['is_finite'] == 1.0
  assert setting.line.w.numpy() == pytest.approx(3.0 - _RATE * 43.5)
  assert setting.line.unused.numpy() == 5.0


@pytest.mark.parametrize('replicas, slice_size', [(1, 1), (1, 2), (2, 1)])
def test_micro_batches_give_the_same_step(
    replicas: int, slice_size: int) -> None:
  setting = _Setting(_update(moves=_moves), replicas, slice_size=slice_size)
  metrics = setting.run()
  assert metrics['linear'] == pytest.approx(9.0)
  assert metrics['square'] == pytest.approx(112.5)
  assert metrics['total'] == pytest.approx(2 * 9 + 0.5 * 112.5)
  assert metrics['grad_norm'] == pytest.approx(43.5)
  assert setting.line.w.numpy() == pytest.approx(3.0 - _RATE * 43.5)
  assert setting.line.unused.numpy() == 5.0
  copies = setting.strategy.experimental_local_results(setting.line.state)
  assert {float(c.numpy()) for c in copies} == {3.0}


def test_weights_are_arguments_not_constants() -> None:
  setting = _Setting(_update())
  assert setting.run(weights={'square': 0.0})['grad_norm'] == pytest.approx(6.0)
  assert setting.run(
      weights={'linear': 0.0, 'square': 0.0})['grad_norm'] == 0.0


def test_a_lazy_update_is_scaled_by_its_interval() -> None:
  setting = _Setting(_update(interval=8))
  metrics = setting.run()
  assert metrics['total'] == pytest.approx(8 * 74.25)
  assert metrics['linear'] == pytest.approx(9.0)  # reported unscaled
  assert metrics['grad_norm'] == pytest.approx(8 * 43.5)


@pytest.mark.parametrize('replicas', [1, 2])
def test_first_step_of_adam(replicas: int) -> None:
  setting = _Setting(_update(), replicas, optimizer='adam')
  setting.run()
  assert setting.line.w.numpy() == pytest.approx(3.0 - _RATE, rel=1e-6)


@pytest.mark.parametrize('replicas', [1, 2])
def test_state_that_a_forward_pass_moves_is_averaged(replicas: int) -> None:
  setting = _Setting(_update(moves=_moves), replicas)
  setting.run()
  assert setting.line.state.numpy() == pytest.approx(3.0)
  copies = setting.strategy.experimental_local_results(setting.line.state)
  assert len({float(c.numpy()) for c in copies}) == 1


def _root_terms(networks: Mapping[str, tf.keras.Model], batch, clock
                ) -> dict[str, tf.Tensor]:
  """Finite everywhere, but without a finite gradient at x = 0."""
  del clock
  y = tf.sqrt(networks['line'].w * batch['x'])
  return {'linear': y, 'square': y}


@pytest.mark.parametrize('replicas, terms, bad, slice_size', [
    (1, _terms, float('nan'), 0), (2, _terms, float('inf'), 0),
    (2, _root_terms, 0.0, 0), (1, _terms, float('nan'), 2),
    (2, _root_terms, 0.0, 1)])
def test_a_step_that_is_not_finite_changes_nothing(
    replicas: int, terms, bad: float, slice_size: int) -> None:
  setting = _Setting(
      _update(terms=terms, moves=_moves), replicas, optimizer='adam',
      slice_size=slice_size)
  assert setting.run()['is_finite'] == 1.0
  variables = [*setting.line.variables, *setting.optimizer.variables()]
  before = [v.numpy() for v in variables]
  # The bad image is on one replica only.
  assert setting.run((1.0, 2.0, 3.0, bad), step=1)['is_finite'] == 0.0
  for variable, value in zip(variables, before):
    np.testing.assert_array_equal(variable.numpy(), value, variable.name)
  assert setting.run(step=2)['is_finite'] == 1.0
  assert setting.line.w.numpy() != before[0]


@pytest.mark.parametrize('replicas', [1, 2])
def test_what_is_only_observed_is_no_part_of_the_loss(replicas: int) -> None:
  def terms(networks, batch, clock):
    return {**_terms(networks, batch, clock),
            'cubes/mean': networks['line'].w * batch['x'] ** 3}

  setting = _Setting(
      _update(terms=terms, observed=('cubes/mean',)), replicas)
  metrics = setting.run()
  assert metrics['cubes/mean'] == pytest.approx(3 * 63.0)
  assert metrics['total'] == pytest.approx(74.25)
  assert metrics['grad_norm'] == pytest.approx(43.5)


@pytest.mark.parametrize('weights', [
    {'linear': 1.0}, {'linear': 1.0, 'square': 1.0, 'cube': 1.0}])
def test_terms_and_weights_must_have_the_same_names(
    weights: dict[str, float]) -> None:
  setting = _Setting(_update(weights=weights))
  with pytest.raises(ValueError, match='update fit: terms .* and weights'):
    setting.run()


def test_the_clock_tells_step_images_shape_and_a_key_per_step() -> None:
  seen: dict[str, object] = {}

  def terms(networks, batch, clock):
    seen.update(resolution=clock.resolution, batch_size=clock.batch_size)
    noise = tf.random.stateless_uniform([], clock.seed)
    zero = 0.0 * networks['line'].w
    one = tf.ones_like(batch['x'])
    return {'step': one * tf.cast(clock.step, tf.float32) + zero,
            'images': one * tf.cast(clock.images, tf.float32),
            'alpha': one * clock.alpha, 'noise': one * noise}

  names = ('step', 'images', 'alpha', 'noise')
  ones = dict.fromkeys(names, 1.0)
  setting = _Setting(_update(terms=terms, weights=ones))
  first, again, other = (
      setting.run(step=s, weights=ones) for s in (2, 2, 3))
  assert seen == {'resolution': 16, 'batch_size': 4}
  assert (first['step'], first['images'], first['alpha']) == (2, 8, 1)
  assert first['noise'] == again['noise'] != other['noise']
