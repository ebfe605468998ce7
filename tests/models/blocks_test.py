"""Tests of models/blocks.py."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.models import blocks


def _normal(seed: int, shape: list[int]) -> np.ndarray:
  return np.random.RandomState(seed).normal(size=shape).astype(np.float32)


def test_conv_block_has_a_bias_only_without_norm_and_two_scales_with():
  plain = blocks.ConvBlock(
      in_channels=3, out_channels=5, kernel_size=4, stride=1, use_norm=False)
  normed = blocks.ConvBlock(
      in_channels=3, out_channels=5, kernel_size=4, stride=2, use_norm=True)
  assert plain.count_params() == 4 * 4 * 15 + 5
  assert normed.count_params() == 4 * 4 * 15 + 10
  y = normed(_normal(6, [2, 9, 9, 3])).numpy()
  assert y.shape == (2, 5, 5, 5)
  linear = np.where(y < 0, y / 0.2, y)  # undoes the leaky ReLU
  np.testing.assert_allclose(linear.mean(axis=(1, 2)), 0.0, atol=1e-5)
  np.testing.assert_allclose(linear.std(axis=(1, 2)), 1.0, atol=1e-3)


def test_dense_is_affine():
  dense = blocks.Dense(in_features=4, out_features=2)
  dense.bias.assign([1.0, -1.0])
  x = _normal(7, [3, 4])
  np.testing.assert_allclose(
      dense(x), x @ dense.kernel.numpy() + [1.0, -1.0], rtol=1e-5, atol=1e-6)
  with pytest.raises(ValueError, match=r'input must have shape \[any, 4\]'):
    dense(tf.zeros([3, 5]))
