"""Tests of earsr_tf.models.batch_norm against NumPy."""

from __future__ import annotations

import numpy as np

from earsr_tf.models import batch_norm


def test_training_normalises_by_the_batch_and_says_what_moves() -> None:
  norm = batch_norm.BatchNorm(channels=2, name='norm')
  norm.gamma.assign([2.0, 3.0])
  norm.beta.assign([0.5, -1.0])
  x = np.random.default_rng(0).normal(3.0, 2.0, (4, 3, 3, 2)).astype('f4')
  mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
  y, moves = norm.by_batch(x)
  np.testing.assert_allclose(
      y, (x - mean) / np.sqrt(variance + 1e-5) * [2, 3] + [0.5, -1],
      rtol=1e-4, atol=1e-5)
  np.testing.assert_array_equal(norm.moving_mean, [0, 0])  # nothing moved yet
  for variable, value in moves:
    variable.assign(value)
  np.testing.assert_allclose(norm.moving_mean, 0.1 * mean, rtol=1e-5)
  np.testing.assert_allclose(
      norm.moving_variance, 0.9 + 0.1 * x.var((0, 1, 2), ddof=1), rtol=1e-5)


def test_inference_normalises_by_the_moving_averages() -> None:
  norm = batch_norm.BatchNorm(channels=1, name='norm')
  norm.moving_mean.assign([2.0])
  norm.moving_variance.assign([4.0])
  np.testing.assert_allclose(
      norm(np.full((1, 1, 1, 1), 6.0, np.float32)), [[[[2.0]]]], rtol=1e-5)
  assert [v.name for v in norm.trainable_variables] == ['gamma:0', 'beta:0']
