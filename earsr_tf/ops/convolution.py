"""Convolutions of StyleGAN and the encoders, as pure functions.

StyleGAN v1 changes resolution either by resampling around a 3x3 convolution
or, at sides of 128 and more, by one strided 4x4 convolution whose kernel is
the 3x3 kernel spread over a 2x2 box ("fused scale"). Both forms are equal up
to a mirrored kernel when upsampling; the strided one has fewer operations, so
it is used at every resolution.

The type of the feature map is that of the product and of the result: a kernel
is cast to it last, after it was scaled and spread.
"""

from __future__ import annotations

import math
from typing import Sequence

import numpy as np
import tensorflow as tf

from earsr_tf.ops import shapes


def equalized_scale(shape: Sequence[int], gain: float) -> float:
  """Runtime scale of an equalised-learning-rate weight (Karras et al. 2017).

  Args:
    shape: Kernel shape; all axes but the last are inputs.
    gain: sqrt(2) before a leaky ReLU, else 1.

  Returns:
    gain / sqrt(fan-in).
  """
  return gain / math.sqrt(math.prod(shape[:-1]))


def conv2d(x: tf.Tensor, kernel: tf.Tensor, stride: int = 1) -> tf.Tensor:
  """Convolution with TensorFlow's SAME padding (even kernels pad 1 before).

  Args:
    x: [B, H, W, Cin].
    kernel: [k, k, Cin, Cout].
    stride: 1 or 2.

  Returns:
    [B, ceil(H / stride), ceil(W / stride), Cout].

  Raises:
    ValueError: If the shapes do not fit.
  """
  _assert_fits(x, kernel)
  return tf.nn.conv2d(x, tf.cast(kernel, x.dtype), stride, 'SAME')


def product(x: tf.Tensor, kernel: tf.Tensor, dtype: str) -> tf.Tensor:
  """x W, computed in `dtype`.

  Args:
    x: [B, N] floating point.
    kernel: [N, M] floating point.
    dtype: To which both are cast.

  Returns:
    [B, M] of the kernel's type.
  """
  y = tf.matmul(tf.cast(x, dtype), tf.cast(kernel, dtype))
  return tf.cast(y, kernel.dtype)


def add_bias(x: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
  """x + b, added in the type of `bias`; the result has that of `x`.

  TensorFlow's CPU kernel for the bias's gradient sums in the type of `x`: in
  bfloat16 4096 ones make 256. No map of the bias's type is kept for it.

  Args:
    x: [B, H, W, C] floating point.
    bias: [C] floating point.

  Returns:
    [B, H, W, C].
  """
  y = tf.nn.bias_add(tf.cast(x, bias.dtype), bias)
  return tf.cast(y, x.dtype)


def spread_kernel(kernel: tf.Tensor, mirrored: bool = False) -> tf.Tensor:
  """Convolves a 3x3 kernel with a 2x2 box of ones.

  One small matrix product: its gradient is far cheaper than that of slices.

  Args:
    kernel: [3, 3, Cin, Cout].
    mirrored: Whether to flip the kernel in both directions first.

  Returns:
    [4, 4, Cin, Cout].

  Raises:
    ValueError: If the shape does not fit.
  """
  shapes.assert_shape(kernel, [3, 3, None, None], 'kernel')
  axis = np.eye(4, 3) + np.eye(4, 3, k=-1)  # [4, 3]
  if mirrored:
    axis = axis[:, ::-1]
  both = np.kron(axis, axis)  # [16, 9]
  channels = kernel.shape[2:]
  flat = tf.reshape(kernel, [9, channels[0] * channels[1]])
  spread = tf.matmul(tf.constant(both, kernel.dtype), flat)
  return tf.reshape(spread, [4, 4, *channels])


def upsample_conv2d(
    x: tf.Tensor, kernel: tf.Tensor, mirrored: bool = True) -> tf.Tensor:
  """Doubles the side and convolves, in one transposed convolution.

  Args:
    x: [B, H, W, Cin].
    kernel: [3, 3, Cin, Cout].
    mirrored: True equals nearest upsampling followed by `conv2d`; False is
      StyleGAN's fused form, which applies the kernel unflipped and is thus
      the spatial mirror image of the other.

  Returns:
    [B, 2 H, 2 W, Cout].

  Raises:
    ValueError: If the shapes do not fit.
  """
  _assert_fits(x, kernel)
  kernel = tf.transpose(spread_kernel(kernel, mirrored), [0, 1, 3, 2])
  batch, height, width, _ = tf.unstack(tf.shape(x))
  static = x.shape
  sides = [s if s is not None else d for s, d in zip(
      static[1:3], (height, width))]
  size = tf.stack([batch, 2 * sides[0], 2 * sides[1], kernel.shape[2]])
  y = tf.nn.conv2d_transpose(x, tf.cast(kernel, x.dtype), size, 2, 'SAME')
  return tf.ensure_shape(y, [
      static[0], *(None if s is None else 2 * s for s in static[1:3]),
      kernel.shape[2]])


def downsample_conv2d(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
  """Convolves and averages 2x2 blocks, in one strided convolution.

  Args:
    x: [B, H, W, Cin] with even H and W.
    kernel: [3, 3, Cin, Cout].

  Returns:
    [B, H / 2, W / 2, Cout]; equals `conv2d` followed by a 2x2 box average.

  Raises:
    ValueError: If the shapes do not fit.
  """
  _assert_fits(x, kernel)
  kernel = tf.cast(spread_kernel(kernel) * 0.25, x.dtype)
  return tf.nn.conv2d(x, kernel, 2, 'SAME')


def _assert_fits(x: tf.Tensor, kernel: tf.Tensor) -> None:
  shapes.assert_shape(kernel, [None, None, None, None], 'kernel')
  shapes.assert_shape(
      x, [None, None, None, kernel.shape[2]], 'feature map')
