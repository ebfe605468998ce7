"""Tests of earsr_tf.models.lapsrn: counts, bilinear start, slow biases."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.models import lapsrn


def _count(network: tf.keras.Model) -> int:
  return sum(int(np.prod(v.shape)) for v in network.trainable_variables)


# 3x3 1 -> n with bias; each level: depth + 1 convolutions n -> n, one n -> 1,
# and 4x4 of the image.
@pytest.mark.parametrize('side, factor, depth, count', [
    (8, 16, 5, 889_284), (8, 16, 10, 1_627_844), (32, 4, 10, 814_242)])
def test_parameters_are_those_of_the_authors_model(
    side: int, factor: int, depth: int, count: int) -> None:
  level = (depth + 1) * (64 * 64 * 9 + 64) + 64 * 9 + 1 + 16
  assert count == 640 + (factor.bit_length() - 1) * level
  network = lapsrn.LapSRN(low_res_size=side, factor=factor, depth=depth)
  assert _count(network) == count


def test_every_level_doubles_the_side() -> None:
  network = lapsrn.LapSRN(low_res_size=4, factor=8, filters=4, depth=1)
  images = network(tf.random.stateless_uniform([2, 4, 4, 1], [1, 2]))
  assert [i.shape.as_list() for i in images] == [
      [2, 8, 8, 1], [2, 16, 16, 1], [2, 32, 32, 1]]
  with pytest.raises(ValueError, match=r'\[any, 4, 4, 1\]'):
    network(tf.zeros([2, 8, 8, 1]))
  with pytest.raises(ValueError, match='power of two'):
    lapsrn.LapSRN(low_res_size=4, factor=6)


def test_the_image_branch_begins_as_bilinear_interpolation() -> None:
  network = lapsrn.LapSRN(low_res_size=8, factor=2, filters=4, depth=1)
  network.first.kernel.assign(tf.zeros_like(network.first.kernel))
  x = tf.random.stateless_uniform([1, 8, 8, 1], [1, 2])
  wanted = tf.image.resize(x, [16, 16], 'bilinear')
  # At the border the kernel meets zeros, as the authors' does.
  np.testing.assert_allclose(network(x)[0][:, 1:-1, 1:-1],
                             wanted[:, 1:-1, 1:-1], atol=1e-6)


def test_biases_move_at_a_tenth_of_the_rate() -> None:
  network = lapsrn.LapSRN(low_res_size=4, factor=2, filters=4, depth=1)
  bias, kernel = (network.levels[0].convolutions[-1].slow_bias,
                  network.levels[0].upsampling)
  before = network.levels[0].convolutions[-1].bias.numpy()
  image = tf.ones([1, 4, 4, 1])
  with tf.GradientTape() as tape:
    loss = tf.reduce_sum(network(image)[0])
  gradient = tape.gradient(loss, bias)
  bias.assign_sub(1e-3 * gradient)
  moved = network.levels[0].convolutions[-1].bias.numpy() - before
  # The loss's derivative by the bias itself is the number of pixels, 64.
  np.testing.assert_allclose(moved, [-0.1 * 1e-3 * 64], rtol=1e-5)
  assert kernel.shape == [4, 4, 1, 1]


def test_what_decays_is_what_is_used() -> None:
  network = lapsrn.LapSRN(low_res_size=4, factor=4, filters=4, depth=2)
  network.first.slow_bias.assign(tf.ones([4]))
  values = network.decayed()
  assert len(values) == len(network.trainable_variables)
  assert sum(int(tf.size(v)) for v in values) == _count(network)
  biases = [v for v in values if v.shape == [4]]
  np.testing.assert_allclose(biases[0], np.full(4, 0.1 ** 0.5), rtol=1e-6)
