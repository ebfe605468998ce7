"""Tests of models/synthesis.py, with an independent NumPy forward pass."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal
import tensorflow as tf

from earsr_tf.models import synthesis
from earsr_tf.ops import resample


def _styles() -> tf.Tensor:
  return tf.random.stateless_normal([2, 6, 8], [7, 8])


def _network(rgb_output: str = 'fade', image_size: int = 16):
  tf.keras.utils.set_random_seed(3)
  network = synthesis.Synthesis(
      image_size=image_size, latent_dim=8, fmap_base=32, fmap_max=6,
      rgb_output=rgb_output)
  random = np.random.RandomState(0)
  for layer in network.styled_layers:
    layer.bias.assign(random.normal(size=layer.bias.shape))
    layer.noise.strength.assign(random.normal(size=layer.bias.shape))
  network.constant.assign(random.normal(size=network.constant.shape))
  return network


def _conv(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
  scale = np.sqrt(2.0 / np.prod(kernel.shape[:3]))
  return np.stack([[sum(
      scipy.signal.correlate2d(
          image[:, :, i], kernel[:, :, i, o] * scale, mode='same')
      for i in range(kernel.shape[2]))
                    for o in range(kernel.shape[3])]
                   for image in x]).transpose(0, 2, 3, 1)


def _reference(network: synthesis.Synthesis, w: np.ndarray) -> np.ndarray:
  """The unfused StyleGAN v1 without noise: up, conv, blur, bias, lrelu, IN."""
  taps = np.outer([1, 2, 1], [1, 2, 1]) / 16.0
  x = np.tile(network.constant.numpy().astype(np.float64), [2, 1, 1, 1])
  for index, layer in enumerate(network.styled_layers):
    if layer.conv is not None:
      if index % 2 == 0:
        x = x.repeat(2, axis=1).repeat(2, axis=2)
      x = _conv(x, layer.conv.kernel.numpy())
      if index % 2 == 0:
        x = np.stack([np.stack([
            scipy.signal.correlate2d(image[:, :, c], taps, mode='same')
            for c in range(image.shape[-1])], axis=-1) for image in x])
    x = x + layer.bias.numpy()
    x = np.where(x > 0, x, 0.2 * x)
    x = x - x.mean(axis=(1, 2), keepdims=True)
    x = x / np.sqrt((x ** 2).mean(axis=(1, 2), keepdims=True) + 1e-8)
    style = w[:, index] @ layer.style.dense.kernel.numpy() / np.sqrt(8)
    scale, offset = np.split(style[:, np.newaxis, np.newaxis], 2, axis=-1)
    x = x * (scale + 1) + offset
  to_rgb = network.to_rgbs[-1].kernel.numpy()[0, 0]
  return x @ to_rgb / np.sqrt(to_rgb.shape[0])


def test_equals_unfused_numpy():
  network = _network()
  expected = _reference(network, _styles().numpy().astype(np.float64))
  np.testing.assert_allclose(network(_styles()), expected, atol=2e-4)


def test_fused_side_applies_the_kernel_mirrored():
  network = synthesis.Synthesis(
      image_size=128, latent_dim=4, fmap_base=128, fmap_max=4)
  modes = [layer.conv._resample
           for layer in network.styled_layers[2::2]]
  assert modes == ['up', 'up', 'up', 'up', 'up_fused']


def test_constant_starts_at_one_and_noise_at_zero():
  network = synthesis.Synthesis(image_size=8, latent_dim=4, fmap_max=4)
  np.testing.assert_array_equal(network.constant, np.ones([1, 4, 4, 4]))
  w = tf.random.stateless_normal([1, 4, 4], [1, 2])
  np.testing.assert_array_equal(
      network(w), network(w, noise_seed=tf.constant([1, 2])))


def test_noise_depends_on_the_seed_alone():
  network = _network()
  one = network(_styles(), noise_seed=tf.constant([1, 2]))
  np.testing.assert_array_equal(
      one, network(_styles(), noise_seed=tf.constant([1, 2])))
  other = network(_styles(), noise_seed=tf.constant([1, 3]))
  assert np.abs(one - other).max() > 0.01
  assert np.abs(one - network(_styles())).max() > 0.01


def test_fade_interpolates_between_resolutions():
  network = _network()
  low = network(_styles(), resolution=8).numpy()
  old = low.repeat(2, axis=1).repeat(2, axis=2)
  new = network(_styles()).numpy()
  for alpha in (0.0, 0.25, 1.0):
    np.testing.assert_allclose(
        network(_styles(), alpha=tf.constant(alpha)), old + alpha * (new - old),
        atol=1e-5)


def test_skip_adds_residuals_that_start_at_zero():
  network = _network('skip')
  low = network(_styles(), resolution=8).numpy()
  # Bilinear by two: 3/4 of the pixel itself, 1/4 of the nearest neighbour.
  side = low.shape[1]
  weights = np.zeros([2 * side, side])
  for row in range(2 * side):
    neighbour = np.clip(row // 2 + (1 if row % 2 else -1), 0, side - 1)
    weights[row, row // 2] += 0.75
    weights[row, neighbour] += 0.25
  old = np.einsum('ph,nhwc,qw->npqc', weights, low, weights)
  np.testing.assert_allclose(network(_styles()), old, atol=1e-6)
  kernel = network.to_rgbs[-1].kernel
  kernel.assign(np.random.RandomState(1).normal(size=kernel.shape))
  residual = network(_styles()).numpy() - old
  assert np.abs(residual).max() > 0.1
  np.testing.assert_allclose(
      network(_styles(), alpha=0.5), old + 0.5 * residual, atol=1e-5)
  assert np.any(network.to_rgbs[0].kernel.numpy())
  assert np.any(network.to_rgbs[1].kernel.numpy())


def test_low_resolutions_use_the_first_styles():
  network = _network()
  changed = tf.concat([_styles()[:, :4], 9.0 * _styles()[:, 4:]], axis=1)
  np.testing.assert_array_equal(
      network(_styles(), resolution=8), network(changed, resolution=8))
  assert np.abs(network(_styles()) - network(changed)).max() > 0.01


def test_feature_maps_are_stylegans():
  widths = [synthesis.feature_maps(s, 8192, 512)
            for s in (2, 4, 8, 16, 32, 64, 128)]
  assert widths == [512, 512, 512, 512, 512, 256, 128]
  assert synthesis.feature_maps(1024, 8192, 512) == 16


@pytest.mark.parametrize('size', [0, 2, 100, -4])
def test_refuses_sizes_that_are_no_power_of_two(size):
  with pytest.raises(ValueError, match=f'power of two >= 4; got {size}'):
    synthesis.sides(size)


def test_refuses_unknown_modes_resolutions_and_shapes():
  with pytest.raises(ValueError, match="'fade' or 'skip'"):
    synthesis.Synthesis(image_size=8, latent_dim=4, rgb_output='sum')
  network = _network()
  with pytest.raises(ValueError, match=r'one of \[4, 8, 16\]; got 32'):
    network(_styles(), resolution=32)
  with pytest.raises(ValueError, match=r'w_plus must have shape \[any, 6, 8'):
    network(_styles()[:, :4])


def _with_base() -> synthesis.Synthesis:
  tf.keras.utils.set_random_seed(3)
  return synthesis.Synthesis(
      image_size=32, latent_dim=8, fmap_base=64, fmap_max=6,
      rgb_output='skip', base_side=16)


def test_a_base_is_all_there_is_before_training():
  network = _with_base()
  base = tf.random.stateless_uniform([2, 16, 16, 3], [1, 2], -1.0, 1.0)
  styles = tf.random.stateless_normal([2, 8, 8], [7, 8])
  np.testing.assert_allclose(
      network(styles, base=base), resample.resize_bicubic(base, 32, 32),
      atol=1e-6)
  np.testing.assert_allclose(
      network(styles, base=base, resolution=16), base, atol=1e-6)
  for side in (8, 4):
    boxes = base.numpy().reshape(
        2, side, 16 // side, side, 16 // side, 3).mean((2, 4))
    np.testing.assert_allclose(
        network(styles, base=base, resolution=side), boxes, atol=1e-6)


def test_a_base_enters_the_features_up_to_its_side():
  network = _with_base()
  base = tf.random.stateless_uniform([2, 16, 16, 3], [1, 2], -1.0, 1.0)
  styles = tf.random.stateless_normal([2, 8, 8], [7, 8])
  network.to_rgbs[2].kernel.assign(
      tf.random.stateless_normal(network.to_rgbs[2].kernel.shape, [3, 4]))
  assert list(network.base_ins) == ['8', '16']
  network.base_ins['8'].kernel.assign(0 * network.base_ins['8'].kernel)
  images = [network(styles, base=b, resolution=16) for b in (base, 0 * base)]
  kernel = network.base_ins['16'].kernel.numpy()[0, 0] / np.sqrt(3)
  to_rgb = network.to_rgbs[2].kernel.numpy()[0, 0] / np.sqrt(6)
  np.testing.assert_allclose(
      images[0] - images[1], base.numpy() @ (np.eye(3) + kernel @ to_rgb),
      atol=1e-5)


def test_a_base_needs_the_sum_of_to_rgbs():
  with pytest.raises(ValueError, match="needs rgb_output='skip'"):
    synthesis.Synthesis(image_size=8, latent_dim=4, base_side=8)
