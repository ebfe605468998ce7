"""Tests of models/layers.py."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.signal
import tensorflow as tf

from earsr_tf.models import layers


def _normal(seed: int, shape: list[int]) -> np.ndarray:
  return np.random.RandomState(seed).normal(size=shape).astype(np.float32)


def test_leaky_relu_has_slope_one_fifth():
  np.testing.assert_allclose(
      layers.leaky_relu(tf.constant([-1.0, 2.0])), [-0.2, 2.0])


def test_equalized_dense_is_its_formula():
  dense = layers.EqualizedDense(
      in_features=8, out_features=3, lr_multiplier=0.01)
  dense.bias.assign([1.0, 2.0, 3.0])
  x = _normal(0, [5, 8])
  expected = x @ dense.kernel.numpy() * (math.sqrt(2 / 8) * 0.01) + (
      0.01 * np.array([1.0, 2.0, 3.0]))
  np.testing.assert_allclose(dense(x), expected, rtol=1e-5, atol=1e-6)


def test_equalized_weights_start_normal_over_the_multiplier():
  tf.keras.utils.set_random_seed(0)
  dense = layers.EqualizedDense(
      in_features=256, out_features=256, lr_multiplier=0.01)
  assert np.std(dense.kernel) == pytest.approx(100.0, rel=0.02)
  assert np.all(dense.bias.numpy() == 0.0)


def test_equalized_conv_scales_its_kernel():
  conv = layers.EqualizedConv2D(in_channels=1, out_channels=1, kernel_size=3)
  conv.bias.assign([0.5])
  x = _normal(1, [1, 6, 6, 1])
  expected = math.sqrt(2 / 9) * scipy.signal.correlate2d(
      x[0, :, :, 0], conv.kernel.numpy()[:, :, 0, 0], mode='same') + 0.5
  np.testing.assert_allclose(conv(x)[0, :, :, 0], expected, atol=1e-5)


def test_equalized_conv_refuses_unknown_modes():
  with pytest.raises(ValueError, match="resample must be 'none'"):
    layers.EqualizedConv2D(
        in_channels=1, out_channels=1, kernel_size=3, resample='sideways')


def test_noise_starts_silent_is_shared_by_channels_and_repeats():
  layer = layers.NoiseInjection(channels=3, gain=0.1)
  x = tf.zeros([2, 64, 64, 3])
  seed = tf.constant([1, 2])
  np.testing.assert_array_equal(layer(x, seed=seed), x)
  layer.strength.assign([1.0, 2.0, 0.0])
  y = layer(x, seed=seed).numpy()
  np.testing.assert_allclose(y[..., 1], 2.0 * y[..., 0], rtol=1e-6)
  assert y[..., 0].std() == pytest.approx(0.1, rel=0.05)
  assert not np.array_equal(y[0], y[1])
  np.testing.assert_array_equal(layer(x, seed=seed), y)
  assert not np.array_equal(layer(x, seed=tf.constant([1, 3])), y)


def test_style_modulation_is_adain():
  layer = layers.StyleModulation(channels=2, latent_dim=4)
  x, w = _normal(2, [3, 5, 5, 2]), _normal(3, [3, 4])
  style = w @ layer.dense.kernel.numpy() / 2.0  # 1 / sqrt(4), bias 0
  normal = (x - x.mean(axis=(1, 2), keepdims=True)) / np.sqrt(
      x.var(axis=(1, 2), keepdims=True) + 1e-8)
  expected = normal * (style[:, None, None, :2] + 1) + style[:, None, None, 2:]
  np.testing.assert_allclose(layer(x, w=w), expected, atol=1e-5)


def test_stddev_by_hand_with_contiguous_groups():
  layer = layers.MinibatchStddev(group_size=2)
  x = tf.reshape(tf.constant([1.0, 3.0, 10.0, 10.0]), [4, 1, 1, 1])
  y = layer(x)
  assert y.shape == (4, 1, 1, 2)
  # Standard deviations of (1, 3) and (10, 10); the square root has 1e-8.
  np.testing.assert_allclose(y[:, 0, 0, 1], [1, 1, 1e-4, 1e-4], rtol=1e-5)
  np.testing.assert_array_equal(y[..., :1], x)


def test_stddev_averages_over_pixels_and_channels():
  x = _normal(4, [8, 3, 3, 5])
  groups = x.reshape([2, 4, 3, 3, 5])
  expected = np.sqrt(groups.var(axis=1) + 1e-8).mean(axis=(1, 2, 3))
  y = layers.MinibatchStddev(group_size=4)(x)
  np.testing.assert_allclose(y[0, ..., 5], np.full([3, 3], expected[0]),
                             rtol=1e-5)
  np.testing.assert_allclose(y[7, 1, 1, 5], expected[1], rtol=1e-5)


def test_stddev_groups_do_not_depend_on_the_rest_of_the_batch():
  x = _normal(5, [8, 2, 2, 3])
  layer = layers.MinibatchStddev(group_size=4)
  np.testing.assert_array_equal(layer(x)[4:], layer(x[4:]))


def test_stddev_refuses_other_batches():
  layer = layers.MinibatchStddev(group_size=4)
  with pytest.raises(ValueError, match=r'multiple of stddev_group \(4\)'):
    layer(tf.zeros([6, 4, 4, 2]))
  assert layer(tf.zeros([3, 4, 4, 2])).shape == (3, 4, 4, 3)
