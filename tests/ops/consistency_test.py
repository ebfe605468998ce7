"""Tests of ops/consistency.py against Pillow and float64 NumPy."""

from __future__ import annotations

import numpy as np
from PIL import Image
import pytest
import tensorflow as tf

from earsr_tf.ops import consistency
from earsr_tf.ops import pixels
from earsr_tf.ops import resample


def _resize(image: np.ndarray, height: int, width: int) -> np.ndarray:
  """Pillow's bicubic of [B, H, W, C] in floating point: no rounding."""
  return np.stack([np.stack([
      np.asarray(Image.fromarray(channel.astype(np.float32), 'F').resize(
          (width, height), Image.BICUBIC))
      for channel in np.moveaxis(one, -1, 0)], axis=-1) for one in image])


def _pair(scale: float, *, side: int = 128) -> tuple[np.ndarray, np.ndarray]:
  """Noise within +-scale, and an input that it does not fit."""
  random = np.random.RandomState(0)
  return (random.uniform(-scale, scale, [2, side, side, 3]).astype(np.float32),
          random.uniform(-scale, scale, [2, 8, 8, 3]).astype(np.float32))


def _levels_off(image: tf.Tensor, low: np.ndarray) -> np.ndarray:
  """|D(8-bit image) - low| after rounding to 8 bit, in levels of 255."""
  degraded = _resize(pixels.to_uint8(image).numpy(), *low.shape[1:3])
  return np.abs(np.clip(np.rint(degraded), 0, 255) - low)


@pytest.mark.parametrize('steps', [1, 3])
def test_back_projection_is_pillows(steps):
  image, low = _pair(1.0)
  expected = image
  for _ in range(steps):
    residual = low - _resize(expected, 8, 8)
    expected = np.clip(expected + _resize(residual, 128, 128), -1, 1)
  assert (np.abs(expected) == 1.0).any()  # clipping takes part
  got = consistency.back_project(
      tf.constant(image), tf.constant(low), steps)
  np.testing.assert_allclose(got, expected, atol=2e-6)


def test_each_step_shrinks_the_residual():
  image, low = (tf.constant(x) for x in _pair(0.3))
  left = [float(tf.reduce_mean(tf.abs(low - resample.degrade(
      consistency.back_project(image, low, steps))))) for steps in range(4)]
  assert all(after < 0.6 * before for before, after in zip(left, left[1:]))
  assert left[3] < 0.15 * left[0]


def test_projection_is_the_least_squares_correction():
  random = np.random.RandomState(1)
  image = random.uniform(-0.2, 0.2, [1, 32, 48, 1])
  low = random.uniform(-0.2, 0.2, [1, 2, 3, 1])
  # All of D at once: [2 * 3, 32 * 48], from degraded unit images.
  units = np.eye(32 * 48).reshape(-1, 32, 48, 1)
  matrix = _resize(units, 2, 3).reshape(32 * 48, 6).T.astype(np.float64)
  residual = low.ravel() - matrix @ image.ravel()
  expected = image.ravel() + np.linalg.lstsq(matrix, residual, rcond=None)[0]
  got = consistency.project(tf.constant(image), tf.constant(low), rounds=0)
  assert np.abs(expected).max() < 1.0  # nothing to clip
  np.testing.assert_allclose(got.numpy().ravel(), expected, atol=1e-6)
  np.testing.assert_allclose(resample.degrade(got), low, atol=1e-12)
  # A projection: done twice it changes nothing, and no consistent image is
  # nearer.
  again = consistency.project(got, tf.constant(low), rounds=0)
  np.testing.assert_allclose(again, got, atol=1e-12)
  other = consistency.back_project(tf.constant(image), tf.constant(low), 200)
  np.testing.assert_allclose(resample.degrade(other), low, atol=1e-9)
  assert np.linalg.norm(got - image) < np.linalg.norm(other - image)


def test_projection_of_saturated_noise_is_exact_in_8_bit():
  random = np.random.RandomState(2)
  noise = 255 * random.randint(0, 2, [2, 128, 128, 3]).astype(np.uint8)
  smooth = _resize(random.uniform(60, 250, [2, 4, 4, 3]), 128, 128)
  low = np.clip(np.rint(_resize(np.clip(smooth, 0, 255), 8, 8)), 0, 255)
  image, image_low = pixels.to_float(noise), pixels.to_float(low)
  assert _levels_off(image, low).mean() > 20
  once = consistency.project(image, image_low, rounds=0)
  assert _levels_off(once, low).mean() > 1.0  # clipping broke it
  got = consistency.project(image, image_low)
  assert np.abs(got).max() <= 1.0
  assert _levels_off(got, low).mean() < 0.02
  assert _levels_off(got, low).max() <= 1.0


def test_gradient_of_a_step_is_i_minus_up_after_degrade_transposed():
  image = tf.zeros([1, 32, 32, 1], tf.float64)
  upstream = np.random.RandomState(3).normal(size=[32, 32])
  with tf.GradientTape() as tape:
    tape.watch(image)
    made = consistency.back_project(
        image, tf.zeros([1, 2, 2, 1], tf.float64), 1)
    loss = tf.reduce_sum(made[0, :, :, 0] * upstream)
  down, up = resample.resize_matrix(32, 2), resample.resize_matrix(2, 32)
  both = up @ down
  np.testing.assert_allclose(
      tape.gradient(loss, image)[0, :, :, 0],
      upstream - both.T @ upstream @ both, atol=1e-12)


def test_modes_lead_to_the_functions():
  image, low = (tf.constant(x) for x in _pair(1.0))
  assert consistency.correct(image, low, 'off') is image
  np.testing.assert_array_equal(
      consistency.correct(image, low, '2'),
      consistency.back_project(image, low, 2))
  np.testing.assert_array_equal(
      consistency.correct(image, low, 'exact'),
      consistency.project(image, low))
  with pytest.raises(ValueError, match='is not off, exact, or a number'):
    consistency.correct(image, low, '0')


@pytest.mark.parametrize('mode', ['1', 'exact'])
def test_8_bit_images_of_any_batch_in_a_graph_as_eagerly(mode):
  random = np.random.RandomState(4)
  image = random.randint(0, 256, [3, 128, 128, 3]).astype(np.uint8)
  low = random.randint(90, 160, [3, 8, 8, 3]).astype(np.uint8)
  traced = tf.function(
      lambda x, y: consistency.correct_uint8(x, y, mode), input_signature=[
          tf.TensorSpec([None, 128, 128, 3], tf.uint8),
          tf.TensorSpec([None, 8, 8, 3], tf.uint8)])
  got = traced(image, low)
  assert got.shape == (3, 128, 128, 3) and got.dtype == tf.uint8
  assert traced.get_concrete_function().output_shapes.as_list() == [
      None, 128, 128, 3]
  eagerly = consistency.correct_uint8(image, low, mode)
  assert np.abs(got.numpy().astype(int) - eagerly).max() <= 1
  assert np.abs(got.numpy().astype(int) - image).max() > 1
  assert consistency.correct_uint8(image, low, 'off') is image


def test_refuses_what_does_not_fit():
  image, low = tf.zeros([1, 128, 128, 3]), tf.zeros([1, 8, 8, 3])
  with pytest.raises(ValueError, match='known multiples of those'):
    consistency.back_project(tf.zeros([1, 100, 128, 3]), low, 1)
  with pytest.raises(ValueError, match='must be floating point'):
    consistency.project(tf.zeros([1, 128, 128, 3], tf.uint8), low)
  with pytest.raises(ValueError, match='one type'):
    consistency.project(image, tf.cast(low, tf.float64))
  with pytest.raises(ValueError, match='must have shape'):
    consistency.project(image[0], low)
  with pytest.raises(ValueError, match='steps must be 0 or more'):
    consistency.back_project(image, low, -1)
  with pytest.raises(ValueError, match='rounds must be 0 or more'):
    consistency.project(image, low, -1)
