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


@pytest.mark.parametrize('resample', ['none', 'up', 'up_fused', 'down'])
def test_a_folded_convolution_is_the_same(resample: str) -> None:
  conv = layers.EqualizedConv2D(
      in_channels=6, out_channels=5, kernel_size=3, resample=resample)
  conv.bias.assign([1.0, 2.0, 3.0, 4.0, 5.0])
  x = _normal(6, [2, 8, 8, 6])
  expected = conv(x)
  conv.fold()
  conv.fold()  # nothing more
  np.testing.assert_allclose(conv(x), expected, rtol=1e-5, atol=1e-5)
  assert [v.shape.as_list() for v in conv.variables] == [
      [5], conv.kernel.shape.as_list()]
  assert conv.kernel.shape[0] == (3 if resample == 'none' else 4)


def test_a_folded_convolution_of_bfloat16_holds_such_a_kernel() -> None:
  conv = layers.EqualizedConv2D(
      in_channels=6, out_channels=5, kernel_size=3, resample='up',
      product_dtype='bfloat16')
  x = _normal(7, [2, 4, 4, 6])
  expected = conv(x)
  conv.fold()
  assert conv.kernel.dtype == tf.bfloat16
  np.testing.assert_array_equal(conv(x), expected)


def test_a_folded_dense_layer_is_the_same() -> None:
  dense = layers.EqualizedDense(
      in_features=8, out_features=3, lr_multiplier=0.01)
  dense.bias.assign([1.0, 2.0, 3.0])
  x = _normal(8, [5, 8])
  expected = dense(x)
  kernel = dense.kernel.numpy()
  dense.fold()
  dense.fold()
  np.testing.assert_allclose(dense(x), expected, rtol=1e-6)
  np.testing.assert_allclose(
      dense.kernel, kernel * 0.01 * math.sqrt(2 / 8), rtol=1e-6)
