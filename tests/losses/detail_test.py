"""Strength of detail against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.losses import detail


def _images(count: int) -> np.ndarray:
  random = np.random.default_rng(3)
  return random.uniform(-1, 1, [count, 32, 32, 3]).astype(np.float32)


def _boxes(x: np.ndarray, size: int) -> np.ndarray:
  side = x.shape[1] // size
  return x.reshape(len(x), side, size, side, size, 3).mean((2, 4))


def _strengths(x: np.ndarray) -> list[np.ndarray]:
  found = []
  for _ in range(2):
    for axis in (1, 2):
      last = np.take(x, [-1], axis)
      found.append(_boxes(np.abs(np.diff(x, axis=axis, append=last)), 8))
    x = _boxes(x, 2)
  return found


def test_equals_numpy():
  a, b = _images(6)[:3], _images(6)[3:]
  expected = np.mean([
      np.abs(p - q).mean((1, 2, 3))
      for p, q in zip(_strengths(a), _strengths(b))], axis=0)
  np.testing.assert_allclose(
      detail.detail_distance(tf.constant(a), tf.constant(b)), expected,
      rtol=1e-4)


def test_blur_costs_more_than_a_shift():
  x = _images(2)
  moved, blurred = np.roll(x, 1, axis=2), np.zeros_like(x)
  by_pixel = [np.abs(y - x).mean() for y in (moved, blurred)]
  by_detail = [float(detail.detail_distance(tf.constant(x), tf.constant(y))[0])
               for y in (moved, blurred)]
  assert by_pixel[0] > 1.2 * by_pixel[1]
  assert by_detail[1] > 4 * by_detail[0]


def test_refuses_other_shapes():
  x = tf.zeros([1, 32, 32, 3])
  with pytest.raises(ValueError, match='image_b'):
    detail.detail_distance(x, x[:, :16, :16])
  with pytest.raises(ValueError, match='multiples'):
    detail.detail_distance(x[:, :24, :24], x[:, :24, :24])
