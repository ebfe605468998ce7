"""Tests of earsr_tf.losses.wavelet against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.losses import wavelet

_SHAPE = (2, 3, 3, 12)


def _pair() -> tuple[np.ndarray, np.ndarray]:
  random = np.random.default_rng(0)
  return tuple(random.normal(size=(2, *_SHAPE)).astype(np.float32))


def _texture(x: np.ndarray, y: np.ndarray, *ratio: float) -> np.ndarray:
  return wavelet.texture(tf.constant(x), tf.constant(y), *ratio).numpy()


def test_half_squared_error() -> None:
  x, y = _pair()
  wanted = 0.5 * ((x.astype(np.float64) - y) ** 2).sum((1, 2, 3))
  np.testing.assert_allclose(wavelet.half_squared_error(
      tf.constant(x), tf.constant(y)), wanted, 1e-6)


def test_texture_is_the_mean_over_places_and_coefficients() -> None:
  x, y = _pair()
  wanted = np.zeros(2)
  for b, i, j, c in np.ndindex(2, 3, 3, 4):
    energy = [float((v[b, i, j, 3 * c:3 * c + 3].astype(np.float64) ** 2).sum())
              for v in (x, y)]
    wanted[b] += max(1.2 * energy[1] - energy[0], 0.0) / (3 * 3 * 4)
  np.testing.assert_allclose(_texture(x, y), wanted, rtol=1e-5)
  assert np.all(wanted > 0.1)


def test_texture_asks_for_energy_not_for_signs() -> None:
  x, y = _pair()
  np.testing.assert_allclose(
      _texture(-y, y), _texture(y, y), rtol=1e-6)
  np.testing.assert_array_equal(_texture(1.1 * y, y), [0.0, 0.0])
  np.testing.assert_allclose(
      _texture(0.0 * x, y, 2.0),
      2.0 * np.square(y).sum((1, 2, 3)) / 36, rtol=1e-5)


def test_whole_colours_are_asked_for() -> None:
  with pytest.raises(ValueError, match='multiple of 3'):
    _texture(np.zeros((1, 2, 2, 4)), np.zeros((1, 2, 2, 4)))
