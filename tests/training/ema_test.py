"""Tests of earsr_tf.training.ema against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.training import ema


class _Network(tf.keras.Model):
  """One trainable and one other variable."""

  def __init__(self, weight: float, state: float) -> None:
    super().__init__()
    self.weight = self.add_weight(
        name='weight', shape=[2],
        initializer=tf.constant_initializer(weight))
    self.state = self.add_weight(
        name='state', shape=[], trainable=False,
        initializer=tf.constant_initializer(state))
    self.built = True


@pytest.mark.parametrize('batch, kimg, share', [
    (10_000, 10.0, 0.5), (20_000, 10.0, 0.25), (32, 10.0, 0.9977843871238888),
    (500, 0.5, 0.5)])
def test_half_life(batch: int, kimg: float, share: float) -> None:
  assert ema.decay(batch, kimg) == pytest.approx(share, rel=1e-9)


@pytest.mark.parametrize('kimg', [0.0, -1.0])
def test_half_life_must_be_positive(kimg: float) -> None:
  with pytest.raises(ValueError, match=f'ema_half_life_kimg={kimg}'):
    ema.decay(4, kimg)


def test_start_copies_everything() -> None:
  twin, network = _Network(0.0, 0.0), _Network(3.0, 5.0)
  ema.start(twin, network)
  np.testing.assert_array_equal(twin.weight, [3.0, 3.0])
  assert float(twin.state) == 5.0


def test_update_averages_trainables_and_copies_the_rest() -> None:
  twin, network = _Network(1.0, 0.0), _Network(3.0, 7.0)
  ema.update(twin, network, tf.constant(0.75))
  np.testing.assert_allclose(twin.weight, [1.5, 1.5])  # .75 * 1 + .25 * 3
  assert float(twin.state) == 7.0
  network.weight.assign([-1.0, 5.0])
  ema.update(twin, network, tf.constant(0.75))
  np.testing.assert_allclose(twin.weight, [0.875, 2.375])
  np.testing.assert_array_equal(network.weight, [-1.0, 5.0])


def test_after_one_half_life_half_of_the_way_is_done() -> None:
  twin, network = _Network(0.0, 0.0), _Network(8.0, 0.0)
  share = tf.constant(ema.decay(5, 0.05))  # ten steps of five images
  for _ in range(10):
    ema.update(twin, network, share)
  np.testing.assert_allclose(twin.weight, [4.0, 4.0], rtol=1e-5)


def test_networks_of_other_sizes_are_refused() -> None:
  other = tf.keras.Sequential([tf.keras.layers.Dense(1)])
  other.build([None, 1])
  with pytest.raises(ValueError):
    ema.start(_Network(0.0, 0.0), tf.keras.Sequential([other, other]))
