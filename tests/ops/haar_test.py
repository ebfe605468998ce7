"""Tests of earsr_tf.ops.haar: exactly orthonormal, and its own inverse."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.ops import haar


@pytest.mark.parametrize('levels', [1, 2, 4])
def test_filters_are_exactly_orthonormal(levels: int) -> None:
  rows = haar.packet_filters(levels).reshape(4 ** levels, -1)
  np.testing.assert_array_equal(rows @ rows.T, np.eye(4 ** levels))
  assert set(np.abs(rows).ravel()) == {0.5 ** levels}


def _by_steps(image: np.ndarray, levels: int) -> np.ndarray:
  """The packet of [H, W], by sums and differences, a level at a time."""
  if not levels:
    return image[np.newaxis]
  a, b = image[::2, ::2], image[::2, 1::2]
  c, d = image[1::2, ::2], image[1::2, 1::2]
  return np.concatenate([_by_steps(part / 2, levels - 1) for part in (
      a + b + c + d, a - b + c - d, a + b - c - d, a - b - c + d)])


@pytest.mark.parametrize('levels', [1, 2, 4])
def test_coefficients_are_those_of_level_after_level(levels: int) -> None:
  image = np.random.default_rng(0).normal(size=(1, 32, 16, 1)).astype('f4')
  found = haar.decompose(image, levels).numpy()[0]
  wanted = _by_steps(image[0, ..., 0].astype(np.float64), levels)
  np.testing.assert_allclose(
      found, np.moveaxis(wanted, 0, -1), atol=2e-6)


def test_reconstruction_is_perfect_and_energy_kept() -> None:
  image = np.random.default_rng(1).uniform(size=(2, 128, 128, 3))
  coefficients = haar.decompose(tf.constant(image), 4)
  assert coefficients.shape == [2, 8, 8, 768]
  np.testing.assert_allclose(
      haar.recompose(coefficients, 4), image, rtol=0, atol=1e-12)
  single = tf.constant(image, tf.float32)
  np.testing.assert_allclose(
      haar.recompose(haar.decompose(single, 4), 4), single, rtol=0, atol=4e-6)
  np.testing.assert_allclose(
      np.sum(np.square(coefficients, dtype=np.float64)),
      np.sum(np.square(image, dtype=np.float64)), rtol=1e-6)
  # Coefficient-major, colour-minor: the first three are the block means.
  np.testing.assert_allclose(
      coefficients.numpy()[..., :3],
      16.0 * image.reshape(2, 8, 16, 8, 16, 3).mean((2, 4)), atol=1e-5)


def test_what_does_not_fit_is_refused() -> None:
  with pytest.raises(ValueError, match='multiples of 16'):
    haar.decompose(np.zeros((1, 24, 32, 3), np.float32), 4)
  with pytest.raises(ValueError, match='multiple of 4'):
    haar.recompose(np.zeros((1, 8, 8, 6), np.float32), 1)
  with pytest.raises(ValueError, match='at least 1'):
    haar.packet_filters(0)
