"""Tests of earsr_tf.models.wavelet_srnet: counts, groups, both modes."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.models import wavelet_srnet
from earsr_tf.ops import haar


def _small() -> wavelet_srnet.WaveletSRNet:
  tf.keras.utils.set_random_seed(3)
  return wavelet_srnet.WaveletSRNet(
      low_res_size=4, factor=4, filters=2, head_filters=2)


def _expected(filters: int, head: int, levels: int) -> int:
  """Weights, counted from the description of the network."""
  def block(i: int, o: int, g1: int, g2: int, expands: bool) -> int:
    return (9 * i // g1 * o + 9 * o // g2 * o + 4 * o
            + (i * o if expands else 0))
  total, width = 27 * filters + 2 * filters, filters
  for stage in range(5):
    wide = filters * 2 ** stage
    total += block(width, wide, 1, 1, width != wide) + block(
        wide, wide, 1, 1, False)
    width = wide
  for g in (1, *(3 * 4 ** i for i in range(levels))):
    total += block(width, head * g, 1, g, True)
    total += block(head * g, 2 * head * g, g, g, True)
    total += 9 * 2 * head * 3 * g + 3 * g
  return total


def test_parameters_are_those_of_the_description() -> None:
  network = _small()
  count = sum(int(np.prod(v.shape)) for v in network.trainable_variables)
  assert count == _expected(2, 2, 2)
  # At the published sizes and 16x: 226 M, most of them in the finest head.
  assert round(_expected(64, 32, 4) / 1e6) == 226


def test_coefficients_and_image_have_the_packets_shape() -> None:
  network = _small()
  coefficients = network(tf.random.stateless_uniform([2, 4, 4, 3], [1, 2]))
  assert coefficients.shape == [2, 4, 4, 3 * 16]
  image = network.image(coefficients)
  assert image.shape == [2, 16, 16, 3]
  np.testing.assert_allclose(
      haar.decompose(image, 2), coefficients, atol=1e-5)
  with pytest.raises(ValueError, match='power of two'):
    wavelet_srnet.WaveletSRNet(low_res_size=4, factor=12)


def test_a_coefficient_depends_on_its_own_group_alone() -> None:
  network = _small()
  x = tf.random.stateless_uniform([1, 4, 4, 3], [1, 2])
  before = network(x).numpy().reshape(4, 4, 16, 3)
  kernel = network.heads[2].predict.kernel  # 12 groups
  change = np.zeros(kernel.shape, np.float32)
  change[..., 3 * 5:3 * 6] = 1.0
  kernel.assign_add(change)
  after = network(x).numpy().reshape(4, 4, 16, 3)
  moved = np.abs(after - before).max((0, 1, 3)) > 0
  np.testing.assert_array_equal(np.flatnonzero(moved), [4 + 5])


def test_with_the_batchs_averages_both_modes_agree() -> None:
  network = _small()
  x = tf.random.stateless_uniform([8, 4, 4, 3], [1, 2])
  by_batch, moves = network.in_training(x)
  assert len(moves) == len(network.non_trainable_variables)
  assert {v.ref() for v, _ in moves} == {
      v.ref() for v in network.non_trainable_variables}
  first = np.abs(network(x) - by_batch).mean()
  for variable, value in moves:  # a tenth of the way; here all of it
    variable.assign(variable + 10.0 * (value - variable))
  # What remains is the unbiased variance, of 128 values, in 26 norms.
  assert np.abs(network(x) - by_batch).mean() < 0.4 * first
