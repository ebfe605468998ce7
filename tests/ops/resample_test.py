"""Tests of ops/resample.py against Pillow and SciPy."""

from __future__ import annotations

import numpy as np
from PIL import Image
import pytest
import scipy.ndimage
import tensorflow as tf

from earsr_tf.ops import pixels
from earsr_tf.ops import resample
from tests import testing


def _images(side: int) -> dict[str, np.ndarray]:
  random = np.random.RandomState(0)
  noise = random.randint(0, 256, [side, side, 3])
  smooth = scipy.ndimage.gaussian_filter(
      random.uniform(0, 255, [side, side, 3]), (6, 6, 0))
  smooth = 255 * (smooth - smooth.min()) / np.ptp(smooth)
  edges = np.zeros([side, side, 3])
  edges[: side // 3, side // 2:] = 255
  return {k: np.rint(v).astype(np.uint8) for k, v in (
      ('noise', noise), ('smooth', smooth), ('edges', edges))}


@pytest.mark.parametrize('kind', ['noise', 'smooth', 'edges'])
@pytest.mark.parametrize('factor', [4, 16])
def test_degrade_is_pillows_bicubic_within_two_levels(kind, factor):
  image = _images(128)[kind]
  size = 128 // factor
  expected = np.asarray(
      Image.fromarray(image).resize((size, size), Image.BICUBIC), np.int32)
  low = resample.degrade(pixels.to_float(image[np.newaxis]), factor)
  difference = np.abs(
      np.asarray(pixels.to_uint8(low)[0], np.int32) - expected)
  assert difference.max() <= 2
  assert difference.mean() < 0.5


def test_upsampling_is_pillows_bicubic_too():
  # Away from 0 and 255: Pillow clips between its two passes.
  image = 64 + _images(8)['noise'] // 2
  expected = np.asarray(
      Image.fromarray(image).resize((128, 128), Image.BICUBIC), np.int32)
  high = resample.resize_bicubic(
      pixels.to_float(image[np.newaxis]), 128, 128)
  difference = np.abs(
      np.asarray(pixels.to_uint8(high)[0], np.int32) - expected)
  assert difference.max() <= 2


def test_matrices_have_the_promised_shapes_and_keep_constants():
  for factor, shape in ((16, (8, 128)), (4, (32, 128))):
    matrix = resample.resize_matrix(128, 128 // factor)
    assert matrix.shape == shape
    assert matrix.dtype == np.float64
    np.testing.assert_allclose(matrix.sum(axis=1), 1.0, atol=1e-12)
  np.testing.assert_array_equal(resample.resize_matrix(7, 7), np.eye(7))


def test_gradient_of_degrade_is_the_transposed_matrices():
  image = tf.zeros([1, 32, 64, 1])
  upstream = tf.random.stateless_normal([1, 2, 4, 1], [3, 4])
  with tf.GradientTape() as tape:
    tape.watch(image)
    loss = tf.reduce_sum(resample.degrade(image) * upstream)
  expected = (resample.resize_matrix(32, 2).T @ upstream[0, :, :, 0].numpy()
              @ resample.resize_matrix(64, 4))
  np.testing.assert_allclose(
      tape.gradient(loss, image)[0, :, :, 0], expected, atol=1e-7)


def test_degrade_accepts_unknown_batches():
  traced = tf.function(
      resample.degrade,
      input_signature=[tf.TensorSpec([None, 128, 128, 3])])
  assert traced(tf.zeros([5, 128, 128, 3])).shape == (5, 8, 8, 3)


@pytest.mark.parametrize('shape, factor', [
    ([0, 128, 128, 3], 16), ([1, 48, 80, 1], 16), ([3, 20, 12, 4], 4),
    ([2, 9, 15, 3], 3), ([1, 16, 16, 3], 16)])
def test_degrade_of_odd_inputs_is_two_matrices(shape, factor):
  image = np.random.RandomState(3).normal(size=shape)
  rows, columns = (resample.resize_matrix(side, side // factor)
                   for side in shape[1:3])
  np.testing.assert_allclose(
      resample.degrade(tf.constant(image), factor),
      np.einsum('oh,bhwc,pw->bopc', rows, image, columns), atol=1e-12)


def test_degrade_of_real_faces_is_pillows_within_two_levels():
  folder = testing.shared_dir() / 'data' / 'official_test7' / 'images'
  paths = sorted(folder.glob('*.png'))
  images = np.stack([np.asarray(Image.open(path)) for path in paths])
  assert images.shape == (7, 128, 128, 3)
  for factor in (4, 16):
    side = 128 // factor
    expected = np.stack([np.asarray(
        Image.fromarray(image).resize((side, side), Image.BICUBIC), np.int32)
                         for image in images])
    low = resample.degrade(pixels.to_float(images), factor)
    difference = np.abs(np.asarray(pixels.to_uint8(low), np.int32) - expected)
    assert difference.max() <= 2


def test_refuses_sides_that_are_no_multiple():
  with pytest.raises(ValueError, match='known multiples of 16'):
    resample.degrade(tf.zeros([1, 100, 128, 3]))
  with pytest.raises(ValueError, match='must be floating point'):
    resample.degrade(tf.zeros([1, 128, 128, 3], tf.uint8))
  with pytest.raises(ValueError, match='must be positive'):
    resample.resize_matrix(8, 0)


def test_blur_is_the_binomial_filter_with_zero_padding():
  x = np.random.RandomState(1).normal(size=[2, 6, 5, 3])
  taps = np.outer([1, 2, 1], [1, 2, 1]) / 16.0
  expected = scipy.ndimage.correlate(
      x, taps[np.newaxis, :, :, np.newaxis], mode='constant')
  np.testing.assert_allclose(
      resample.blur(tf.constant(x, tf.float32)), expected, atol=1e-6)


def test_blur_is_self_adjoint_also_in_the_second_derivative():
  x = tf.random.stateless_normal([1, 5, 5, 2], [1, 1])
  v = tf.random.stateless_normal([1, 5, 5, 2], [2, 2])

  @tf.function
  def derivatives(x):
    with tf.GradientTape() as outer:
      outer.watch(x)
      with tf.GradientTape() as inner:
        inner.watch(x)
        energy = 0.5 * tf.reduce_sum(tf.square(resample.blur(x)))
      first = inner.gradient(energy, x)
      directional = tf.reduce_sum(first * v)
    return first, outer.gradient(directional, x)

  first, second = derivatives(x)
  np.testing.assert_allclose(
      first, resample.blur(resample.blur(x)), atol=1e-6)
  np.testing.assert_allclose(
      second, resample.blur(resample.blur(v)), atol=1e-6)


def test_nearest_and_box_are_inverse():
  x = tf.random.stateless_normal([2, 4, 6, 3], [1, 2])
  up = resample.upsample_nearest(x, 4)
  np.testing.assert_array_equal(
      up, np.repeat(np.repeat(x.numpy(), 4, axis=1), 4, axis=2))
  np.testing.assert_allclose(resample.downsample_box(up, 4), x, atol=1e-6)


def test_box_by_hand():
  x = tf.reshape(tf.range(16, dtype=tf.float32), [1, 4, 4, 1])
  np.testing.assert_allclose(
      resample.downsample_box(x)[0, :, :, 0], [[2.5, 4.5], [10.5, 12.5]])
  with pytest.raises(ValueError, match='multiples of 3'):
    resample.downsample_box(x, 3)


def test_levels_are_degraded_and_rounded() -> None:
  image = np.random.default_rng(5).integers(
      0, 256, size=(2, 128, 128, 3), dtype=np.uint8)
  got = resample.degrade_levels(tf.constant(image), 8)
  assert got.dtype == tf.uint8
  expected = resample.degrade(tf.constant(image, tf.float32), 16).numpy()
  np.testing.assert_array_equal(got, np.clip(np.round(expected), 0, 255))
  dull = (100 + image // 8).astype(np.uint8)
  stretched = resample.degrade_levels(tf.constant(dull), 8, stretch=True)
  plain = resample.degrade_levels(tf.constant(dull), 8).numpy()
  assert stretched.numpy().std() > 6.0 * plain.std()
