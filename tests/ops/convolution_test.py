"""Tests of ops/convolution.py."""

from __future__ import annotations

import math
from typing import Callable

import numpy as np
import pytest
import scipy.signal
import tensorflow as tf

from earsr_tf.ops import convolution
from earsr_tf.ops import resample


def _normal(seed: int, shape: list[int]) -> tf.Tensor:
  return tf.constant(
      np.random.RandomState(seed).normal(size=shape), tf.float32)


def _upsampled(
    x: tf.Tensor, kernel: tf.Tensor, mirrored: bool = True) -> tf.Tensor:
  return convolution.transposed_conv2d(
      x, convolution.upsampling_kernel(kernel, mirrored))


def test_equalized_scale_by_hand():
  assert convolution.equalized_scale(
      [3, 3, 4, 7], math.sqrt(2.0)) == pytest.approx(math.sqrt(2 / 36))
  assert convolution.equalized_scale([16, 2], 1.0) == pytest.approx(0.25)


@pytest.mark.parametrize('dtype', [tf.float32, tf.bfloat16])
def test_the_gradient_of_a_bias_is_a_sum_in_float32(dtype: tf.DType) -> None:
  x, bias = tf.ones([4, 32, 32, 2], dtype), tf.constant([0.5, 2.0])
  with tf.GradientTape() as tape:
    tape.watch(bias)
    y = convolution.add_bias(x, bias)
  assert y.dtype == dtype
  np.testing.assert_array_equal(tf.cast(y[0, 0, 0], tf.float32), [1.5, 3.0])
  # A sum in bfloat16 would stop at 256.
  np.testing.assert_array_equal(tape.gradient(y, bias), [4096.0, 4096.0])


def test_products_in_bfloat16_round_the_factors_and_the_result() -> None:
  third = float(tf.cast(tf.cast(1 / 3, tf.bfloat16), tf.float32))
  assert abs(third - 1 / 3) > 1e-4
  x, kernel = tf.constant([[1 / 3]]), tf.constant([[1.0]])
  assert float(convolution.product(x, kernel, 'bfloat16')[0, 0]) == third
  assert float(convolution.product(x, kernel, 'float32')[0, 0]) == float(
      np.float32(1 / 3))
  y = convolution.conv2d(
      tf.cast(x, tf.bfloat16)[:, tf.newaxis, tf.newaxis],
      kernel[tf.newaxis, tf.newaxis])
  assert y.dtype == tf.bfloat16 and float(y[0, 0, 0, 0]) == third


def test_conv2d_is_scipys_correlation():
  x = _normal(0, [1, 6, 5, 1])
  kernel = _normal(1, [3, 3, 1, 1])
  expected = scipy.signal.correlate2d(
      x[0, :, :, 0], kernel[:, :, 0, 0], mode='same')
  y = convolution.conv2d(x, kernel)
  np.testing.assert_allclose(y[0, :, :, 0], expected, atol=1e-5)


def test_even_kernels_pad_one_before_and_two_after():
  x = np.zeros([1, 5, 5, 1], np.float32)
  x[0, 2, 2, 0] = 1.0
  kernel = tf.reshape(tf.range(16, dtype=tf.float32), [4, 4, 1, 1])
  y = convolution.conv2d(tf.constant(x), kernel)
  padded = np.pad(x[0, :, :, 0], [(1, 2), (1, 2)])
  expected = scipy.signal.correlate2d(
      padded, kernel.numpy()[:, :, 0, 0], mode='valid')
  np.testing.assert_allclose(y[0, :, :, 0], expected)


def test_audio_sides_shrink_as_the_authors():
  x = tf.zeros([1, 257, 257, 1])
  sides = []
  for _ in range(7):
    x = convolution.conv2d(x, tf.zeros([4, 4, 1, 1]), 2)
    sides.append(x.shape[1])
  assert sides == [129, 65, 33, 17, 9, 5, 3]


def test_spread_kernel_is_a_box_convolution():
  kernel = _normal(2, [3, 3, 1, 1])
  expected = scipy.signal.convolve2d(kernel[:, :, 0, 0], np.ones([2, 2]))
  spread = convolution.spread_kernel(kernel)
  np.testing.assert_allclose(spread[:, :, 0, 0], expected, atol=1e-6)
  np.testing.assert_allclose(
      convolution.spread_kernel(kernel, mirrored=True)[:, :, 0, 0],
      scipy.signal.convolve2d(
          kernel.numpy()[::-1, ::-1, 0, 0], np.ones([2, 2])), atol=1e-6)


@pytest.mark.parametrize('side', [4, 7, 16])
def test_fused_upscale_is_the_unfused_one_with_mirrored_kernels(side):
  x = _normal(3, [2, side, side, 5])
  kernel = _normal(4, [3, 3, 5, 6]) / np.sqrt(45.0)
  unfused = convolution.conv2d(resample.upsample_nearest(x), kernel)
  np.testing.assert_allclose(_upsampled(x, kernel), unfused, atol=4e-5)
  fused = _upsampled(x, kernel[::-1, ::-1], mirrored=False)
  np.testing.assert_allclose(fused, unfused, atol=4e-5)
  straight = _upsampled(x, kernel, mirrored=False)
  assert np.abs(straight - unfused).max() > 0.1


def test_fused_downscale_is_convolution_then_average():
  x = _normal(5, [2, 8, 8, 5])
  kernel = _normal(6, [3, 3, 5, 6]) / np.sqrt(45.0)
  np.testing.assert_allclose(
      convolution.conv2d(x, convolution.downsampling_kernel(kernel), 2),
      resample.downsample_box(convolution.conv2d(x, kernel)), atol=4e-6)


def test_upsampling_accepts_unknown_batches_and_sides():
  kernel = _normal(7, [3, 3, 2, 3])

  @tf.function(input_signature=[tf.TensorSpec([None, None, None, 2])])
  def traced(x):
    y = _upsampled(x, kernel)
    assert y.shape.as_list() == [None, None, None, 3]
    return y

  x = _normal(8, [3, 4, 6, 2])
  np.testing.assert_allclose(traced(x), _upsampled(x, kernel), atol=1e-6)


def test_names_a_channel_mismatch():
  with pytest.raises(ValueError, match=r'\[any, any, any, 4\]; got'):
    convolution.conv2d(tf.zeros([1, 8, 8, 3]), tf.zeros([3, 3, 4, 2]))


@pytest.mark.parametrize('batch,side,size,stride,channels', [
    (1, 9, 4, 1, (32, 128)), (3, 9, 4, 2, (16, 256)), (2, 5, 4, 2, (64, 64)),
    (1, 8, 3, 2, (16, 96)), (4, 2, 3, 1, (64, 96))])
def test_patches_times_kernel_are_the_convolution(
    batch: int, side: int, size: int, stride: int,
    channels: tuple[int, int]) -> None:
  out = -(-side // stride)
  assert batch <= convolution.largest_patch_batch(out * out, channels[1])
  x = _normal(0, [batch, side, side, channels[0]])
  kernel = _normal(1, [size, size, *channels]) / (
      size * math.sqrt(channels[0]))

  def gradients(function: Callable[..., tf.Tensor]) -> list[tf.Tensor]:
    with tf.GradientTape(persistent=True) as outer:
      outer.watch([x, kernel])
      with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x, kernel, stride)
        loss = tf.reduce_sum(tf.tanh(y))
      slope = tape.gradient(loss, x)
      penalty = tf.reduce_sum(tf.square(slope))
    return [y, slope, outer.gradient(loss, kernel),
            outer.gradient(penalty, kernel), outer.gradient(penalty, x)]

  for ours, theirs in zip(
      gradients(convolution.conv2d),
      gradients(lambda x, k, s: tf.nn.conv2d(x, k, s, 'SAME'))):
    scale = float(tf.reduce_max(tf.abs(theirs)))
    np.testing.assert_allclose(ours, theirs, atol=1e-5 * scale)


def _operations(batch: int | None, side: int, channels: int) -> set[str]:
  """Types of operations of a 4x4 convolution of stride 1, in all branches."""
  function = tf.function(convolution.conv2d).get_concrete_function(
      tf.TensorSpec([batch, side, side, 8]),
      tf.TensorSpec([4, 4, 8, channels]))
  definition = function.graph.as_graph_def()
  nodes = list(definition.node)
  for branch in definition.library.function:
    nodes.extend(branch.node_def)
  return {node.op for node in nodes}


def test_the_shapes_choose_between_convolution_and_patches() -> None:
  # Of E_a at the paper's size: 5x5 and 2048 channels, 17x17 and 512.
  assert convolution.largest_patch_batch(25, 2048) == 54
  assert convolution.largest_patch_batch(81, 1024) == 8
  assert convolution.largest_patch_batch(17 * 17, 512) == 1
  assert convolution.largest_patch_batch(33 * 33, 256) == 0
  assert 'Conv2D' not in _operations(2, 4, 64)
  assert 'MatMul' not in _operations(3, 4, 64)
  assert 'MatMul' not in _operations(None, 4, 16)
  assert {'MatMul', 'Conv2D'} <= _operations(None, 4, 64)


def test_a_batch_of_unknown_size_is_measured_when_it_comes() -> None:
  kernel = _normal(1, [4, 4, 8, 64])
  traced = tf.function(
      convolution.conv2d,
      input_signature=[tf.TensorSpec([None, 4, 4, 8]),
                       tf.TensorSpec([4, 4, 8, 64])])
  assert traced(tf.zeros([0, 4, 4, 8]), kernel).shape == [0, 4, 4, 64]
  for batch in (1, 2, 3, 5):  # up to 2 as patches
    x = _normal(batch, [batch, 4, 4, 8])
    np.testing.assert_allclose(
        traced(x, kernel), tf.nn.conv2d(x, kernel, 1, 'SAME'), atol=1e-4)
