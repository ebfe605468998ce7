"""Convolutions of StyleGAN and the encoders, as pure functions.

StyleGAN v1 changes resolution either by resampling around a 3x3 convolution
or, at sides of 128 and more, by one strided 4x4 convolution whose kernel is
the 3x3 kernel spread over a 2x2 box ("fused scale"). Both forms are equal up
to a mirrored kernel when upsampling; the strided one has fewer operations, so
it is used at every resolution.

The type of the feature map is that of the product and of the result: a kernel
is cast to it last, after it was scaled and spread.

On CPUs a convolution puts its kernel into another order at every call, as the
kernel is a variable; patches times the kernel as it is stored are one matrix
product, but copy the map once per tap. `conv2d` takes what moves less.
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

  Computed as patches times kernel where `largest_patch_batch` says so.

  Args:
    x: [B, H, W, Cin].
    kernel: [k, k, Cin, Cout].
    stride: 1 or 2.

  Returns:
    [B, ceil(H / stride), ceil(W / stride), Cout].

  Raises:
    ValueError: If the shapes do not fit.
  """
  shapes.assert_shape(kernel, [None, None, None, None], 'kernel')
  shapes.assert_shape(
      x, [None, None, None, kernel.shape[2]], 'feature map')
  kernel = tf.cast(kernel, x.dtype)
  batch, height, width, _ = x.shape
  most = 0 if None in (height, width) else largest_patch_batch(
      -(-height // stride) * -(-width // stride), kernel.shape[-1])

  def direct() -> tf.Tensor:
    """TensorFlow's own convolution."""
    return tf.nn.conv2d(x, kernel, stride, 'SAME')

  def as_product() -> tf.Tensor:
    """The same as one matrix product."""
    return _patch_product(x, kernel, stride)

  if most and batch is None:
    return tf.cond(tf.shape(x)[0] <= most, as_product, direct)
  return as_product() if most and batch <= most else direct()


def largest_patch_batch(positions: int, out_channels: int) -> int:
  """Images up to which patches times kernel beat a convolution on a CPU.

  With N taps and input channels, the patches have B positions N values, the
  kernel has N out_channels. Measured (docs/performance.md), a copied patch
  value costs 1.5 times a reordered kernel value or less, from 8 MB to 268 MB
  of kernel, with gradients as without.

  Args:
    positions: Pixels of one output map.
    out_channels: Its channels.

  Returns:
    B; 0: none.
  """
  return 2 * out_channels // (3 * positions)


def product(x: tf.Tensor, kernel: tf.Tensor, dtype: str) -> tf.Tensor:
  """x W, computed in `dtype`.

  Args:
    x: [B, N] floating point.
    kernel: [N, M] floating point.
    dtype: To which both are cast.

  Returns:
    [B, M] of that type.
  """
  return tf.matmul(tf.cast(x, dtype), tf.cast(kernel, dtype))


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


def upsampling_kernel(
    kernel: tf.Tensor, mirrored: bool = True) -> tf.Tensor:
  """The kernel with which `transposed_conv2d` doubles the side.

  Args:
    kernel: [3, 3, Cin, Cout].
    mirrored: True equals nearest upsampling followed by `conv2d`; False is
      StyleGAN's fused form, which applies the kernel unflipped and is thus
      the spatial mirror image of the other.

  Returns:
    [4, 4, Cout, Cin].

  Raises:
    ValueError: If the shape does not fit.
  """
  return tf.transpose(spread_kernel(kernel, mirrored), [0, 1, 3, 2])


def downsampling_kernel(kernel: tf.Tensor) -> tf.Tensor:
  """The kernel with which `conv2d` of stride 2 convolves and halves the side.

  Args:
    kernel: [3, 3, Cin, Cout].

  Returns:
    [4, 4, Cin, Cout]; its convolution equals that of `kernel` followed by a
    2x2 box average.

  Raises:
    ValueError: If the shape does not fit.
  """
  return spread_kernel(kernel) * 0.25


def transposed_conv2d(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
  """Transposed convolution of stride 2 with SAME padding.

  Args:
    x: [B, H, W, Cin].
    kernel: [k, k, Cout, Cin]; of StyleGAN's `upsampling_kernel` with k = 4.

  Returns:
    [B, 2 H, 2 W, Cout].

  Raises:
    ValueError: If the shapes do not fit.
  """
  shapes.assert_shape(kernel, [None, None, None, None], 'kernel')
  shapes.assert_shape(
      x, [None, None, None, kernel.shape[3]], 'feature map')
  batch, height, width, _ = tf.unstack(tf.shape(x))
  static = x.shape
  sides = [s if s is not None else d for s, d in zip(
      static[1:3], (height, width))]
  size = tf.stack([batch, 2 * sides[0], 2 * sides[1], kernel.shape[2]])
  y = tf.nn.conv2d_transpose(x, tf.cast(kernel, x.dtype), size, 2, 'SAME')
  return tf.ensure_shape(y, [
      static[0], *(None if s is None else 2 * s for s in static[1:3]),
      kernel.shape[2]])


def _patch_product(
    x: tf.Tensor, kernel: tf.Tensor, stride: int) -> tf.Tensor:
  """`conv2d` of a map with known sides, as a gather and a product.

  Of slices that are joined the copy takes up to twice as long, and gradients
  of `tf.image.extract_patches` build a sparse matrix.
  """
  size, _, in_channels, out_channels = kernel.shape
  axes = [_taps(side, size, stride) for side in x.shape[1:3]]
  (rows, before_y, after_y), (columns, before_x, after_x) = axes
  x = tf.pad(x, [[0, 0], [before_y, after_y], [before_x, after_x], [0, 0]])
  # [H', 1, k, 1] and [1, W', 1, k] -> [H', W', k, k], pixels of the padded map.
  pixels = (rows[:, np.newaxis, :, np.newaxis] * x.shape[2]
            + columns[:, np.newaxis, :])
  patches = tf.gather(
      tf.reshape(x, [-1, x.shape[1] * x.shape[2], in_channels]),
      tf.constant(pixels.reshape(-1), tf.int32), axis=1)
  y = tf.matmul(
      tf.reshape(patches, [-1, size * size * in_channels]),
      tf.reshape(kernel, [-1, out_channels]))
  return tf.reshape(y, [-1, len(rows), len(columns), out_channels])


def _taps(
    side: int, size: int, stride: int) -> tuple[np.ndarray, int, int]:
  """SAME padding along one axis.

  Returns:
    [out, k] places in the padded map, and the pixels before and after it.
  """
  out = -(-side // stride)
  total = max((out - 1) * stride + size - side, 0)
  places = np.arange(out)[:, np.newaxis] * stride + np.arange(size)
  return places, total // 2, total - total // 2
