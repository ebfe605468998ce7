"""Tests of models/discriminator.py, with an independent NumPy pass."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal
import tensorflow as tf

from earsr_tf.losses import regularizers
from earsr_tf.models import discriminator


def _network(image_size: int, width: int = 4) -> discriminator.Discriminator:
  tf.keras.utils.set_random_seed(2)
  network = discriminator.Discriminator(
      image_size=image_size, fmap_base=8 * width, fmap_max=width)
  random = np.random.RandomState(0)
  for variable in network.trainable_variables:
    if 'bias' in variable.name:
      variable.assign(0.3 * random.normal(size=variable.shape))
  return network


def _leaky(x: np.ndarray) -> np.ndarray:
  return np.where(x > 0, x, 0.2 * x)


def _each(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
  return np.stack([np.stack([
      scipy.signal.correlate2d(image[:, :, c], kernel, mode='same')
      for c in range(image.shape[-1])], axis=-1) for image in x])


def _conv(x: np.ndarray, layer) -> np.ndarray:
  kernel = layer.kernel.numpy().astype(np.float64)
  kernel *= np.sqrt(2.0 / np.prod(kernel.shape[:3]))
  y = np.stack([sum(
      _each(x[..., i:i + 1], kernel[:, :, i, o])[..., 0]
      for i in range(kernel.shape[2])) for o in range(kernel.shape[3])], -1)
  return y


def _box(x: np.ndarray) -> np.ndarray:
  b, h, w, c = x.shape
  return x.reshape(b, h // 2, 2, w // 2, 2, c).mean(axis=(2, 4))


def _reference(network, image: np.ndarray, sides: list[int]) -> np.ndarray:
  """Unfused StyleGAN v1: conv, blur, conv, box average; group of the batch."""
  taps = np.outer([1, 2, 1], [1, 2, 1]) / 16.0
  first = network.from_rgbs[str(sides[0])]
  x = _leaky(_conv(image, first) + first.bias.numpy())
  for side in sides:
    block = network.blocks[str(side)]
    x = _leaky(_conv(x, block.conv) + block.conv.bias.numpy())
    x = _box(_conv(_each(x, taps), block.conv_down))
    x = _leaky(x + block.conv_down.bias.numpy())
  deviation = np.sqrt(x.var(axis=0) + 1e-8).mean()
  x = np.concatenate([x, np.full_like(x[..., :1], deviation)], axis=-1)
  x = _leaky(_conv(x, network.head_conv) + network.head_conv.bias.numpy())
  x = x.reshape(len(x), -1)
  for layer, gain in ((network.head_dense, 2.0), (network.head_logit, 1.0)):
    x = x @ layer.kernel.numpy() * np.sqrt(gain / x.shape[1])
    x = x + layer.bias.numpy()
    x = _leaky(x) if layer is network.head_dense else x
  return x


def test_equals_unfused_numpy():
  network = _network(16)
  image = np.random.RandomState(5).uniform(-1, 1, [4, 16, 16, 3])
  np.testing.assert_allclose(
      network(tf.constant(image, tf.float32)),
      _reference(network, image, [16, 8]), atol=2e-5)


def test_fade_mixes_in_the_smaller_image():
  network = _network(8)
  image = tf.random.stateless_uniform([4, 8, 8, 3], [1, 2])
  small = tf.nn.avg_pool2d(image, 2, 2, 'VALID')
  np.testing.assert_allclose(
      network(image, alpha=tf.constant(0.0)), network(small, resolution=4),
      atol=1e-5)
  np.testing.assert_allclose(
      network(image, alpha=tf.constant(1.0)), network(image), atol=1e-5)
  half = network(image, alpha=tf.constant(0.5))
  assert np.abs(half - network(image)).max() > 1e-4


def test_taps_are_the_blocks_of_64_and_32():
  network = _network(128)
  image = tf.random.stateless_uniform([2, 128, 128, 3], [1, 2])
  maps = network.activations(image)
  assert [m.shape[1] for m in maps] == [32, 16]
  small = network.activations(image[:, ::4, ::4], 32)
  assert [m.shape[1] for m in small] == [16, 8]
  with pytest.raises(ValueError, match='at least 16; got 8'):
    network.activations(image[:, ::16, ::16], 8)


@pytest.fixture(name='float64')
def fixture_float64():
  tf.keras.backend.set_floatx('float64')
  yield
  tf.keras.backend.set_floatx('float32')


def _penalty(network, image: tf.Tensor) -> tf.Tensor:
  return tf.reduce_sum(regularizers.r1_penalty(
      lambda x: network(
          x, resolution=image.shape[1], alpha=tf.constant(0.7, image.dtype)),
      image))


def _slopes(network, image: tf.Tensor) -> list[tf.Tensor]:
  """Gradient of R1, compiled as in training."""
  @tf.function
  def compiled() -> list[tf.Tensor]:
    with tf.GradientTape() as tape:
      loss = _penalty(network, image)
    return tape.gradient(
        loss, network.trainable_variables, unconnected_gradients='zero')

  return compiled()


def _image(resolution: int) -> np.ndarray:
  return np.random.RandomState(3).uniform(
      -1, 1, [4, resolution, resolution, 3])


@pytest.mark.parametrize('resolution', [8, 128])
def test_gradient_of_r1_equals_finite_differences(resolution, float64):
  """Second derivatives through every op; R1 jumps at kinks, hence 1e-7."""
  del float64
  network = _network(128, width=3)
  image = tf.constant(_image(resolution))
  slopes = _slopes(network, image)
  norm = tf.linalg.global_norm(slopes)
  values = []
  for sign in (1.0, -2.0):
    for variable, slope in zip(network.trainable_variables, slopes):
      variable.assign_add(sign * 1e-7 * slope / norm)
    values.append(_penalty(network, image).numpy())
  assert (values[0] - values[1]) / 2e-7 == pytest.approx(
      norm.numpy(), rel=1e-4)


def test_gradient_of_r1_in_float32_equals_that_in_float64():
  network = _network(64, width=3)
  singles = _slopes(network, tf.constant(_image(64), tf.float32))
  weights = network.get_weights()
  tf.keras.backend.set_floatx('float64')
  try:
    network = _network(64, width=3)
    network.set_weights(weights)
    doubles = _slopes(network, tf.constant(_image(64)))
  finally:
    tf.keras.backend.set_floatx('float32')
  norm = tf.linalg.global_norm(doubles)
  error = tf.linalg.global_norm(
      [tf.cast(s, tf.float64) - d for s, d in zip(singles, doubles)])
  assert (error / norm).numpy() < 1e-3


def test_refuses_images_of_another_size():
  network = _network(16)
  with pytest.raises(ValueError, match=r'image must have shape \[any, 16, 16'):
    network(tf.zeros([4, 8, 8, 3]))
  with pytest.raises(ValueError, match=r'one of \[4, 8, 16\]; got 64'):
    network(tf.zeros([4, 64, 64, 3]), resolution=64)
  with pytest.raises(ValueError, match='Change the batch size'):
    network(tf.zeros([6, 16, 16, 3]))
