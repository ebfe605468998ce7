"""Resampling: blur, factors of two, and the 16x degradation D(.).

`degrade` is Pillow's antialiased bicubic resize written as two constant
matrices, so that training, evaluation and serving share one differentiable
definition of image_low (paper, section 4.2).
"""

from __future__ import annotations

import functools

import numpy as np
import tensorflow as tf

from earsr_tf.ops import pixels
from earsr_tf.ops import shapes

_BICUBIC_A = -0.5
_BICUBIC_SUPPORT = 2.0
_BINOMIAL = (0.25, 0.5, 0.25)


def blur(x: tf.Tensor) -> tf.Tensor:
  """3x3 binomial filter [1, 2, 1] x [1, 2, 1] / 16 with zero padding.

  A depthwise convolution: on CPU it beats two 2x2 averages by 1.5 and shifted
  sums by 5, and by more in the second derivatives that R1 needs.

  Args:
    x: [B, H, W, C] floating point; C is known.

  Returns:
    [B, H, W, C].

  Raises:
    ValueError: If `x` is not rank 4.
  """
  shapes.assert_shape(x, [None, None, None, None], 'feature map')
  taps = np.outer(_BINOMIAL, _BINOMIAL)[:, :, np.newaxis, np.newaxis]
  kernel = tf.constant(np.tile(taps, [1, 1, x.shape[-1], 1]), x.dtype)
  return tf.nn.depthwise_conv2d(x, kernel, [1, 1, 1, 1], 'SAME')


def upsample_nearest(x: tf.Tensor, factor: int = 2) -> tf.Tensor:
  """Repeats every pixel `factor` times in both directions.

  Args:
    x: [B, H, W, C].
    factor: Positive integer.

  Returns:
    [B, H * factor, W * factor, C].

  Raises:
    ValueError: If `x` is not rank 4.
  """
  shapes.assert_shape(x, [None, None, None, None], 'image')
  if factor == 1:
    return x
  return tf.repeat(tf.repeat(x, factor, axis=1), factor, axis=2)


def downsample_box(x: tf.Tensor, factor: int = 2) -> tf.Tensor:
  """Averages blocks of `factor` x `factor` pixels.

  Args:
    x: [B, H, W, C] floating point; H and W are multiples of `factor`.
    factor: Positive integer.

  Returns:
    [B, H / factor, W / factor, C].

  Raises:
    ValueError: If `x` is not rank 4 or a side is not a multiple.
  """
  shapes.assert_shape(x, [None, None, None, None], 'image')
  for side in x.shape[1:3]:
    if side is not None and side % factor:
      raise ValueError(
          f'image sides must be multiples of {factor}; got {x.shape}.')
  if factor == 1:
    return x
  return tf.nn.avg_pool2d(x, factor, factor, 'VALID')


@functools.lru_cache(maxsize=64)
def resize_matrix(in_size: int, out_size: int) -> np.ndarray:
  """Weights of Pillow's antialiased bicubic resize along one axis.

  Args:
    in_size: Pixels before.
    out_size: Pixels after.

  Returns:
    [out_size, in_size] float64, read-only; rows sum to 1.

  Raises:
    ValueError: If a size is not positive.
  """
  if in_size < 1 or out_size < 1:
    raise ValueError(
        f'sizes must be positive; got {in_size} and {out_size}.')
  scale = in_size / out_size
  filter_scale = max(scale, 1.0)
  support = _BICUBIC_SUPPORT * filter_scale
  matrix = np.zeros((out_size, in_size))
  for row in range(out_size):
    center = (row + 0.5) * scale
    first = max(int(center - support + 0.5), 0)
    last = min(int(center + support + 0.5), in_size)
    taps = np.arange(first, last)
    weights = _bicubic((taps - center + 0.5) / filter_scale)
    matrix[row, first:last] = weights / weights.sum()
  matrix.setflags(write=False)  # all callers share it
  return matrix


def resize_bicubic(image: tf.Tensor, height: int, width: int) -> tf.Tensor:
  """Resizes as Pillow's BICUBIC does, in floating point and differentiably.

  Args:
    image: [B, H, W, C] floating point with known H and W; any range.
    height: Rows of the result.
    width: Columns of the result.

  Returns:
    [B, height, width, C]; may overshoot the input's range.

  Raises:
    ValueError: If `image` is not rank 4, not floating point or its sides are
      unknown.
  """
  shapes.assert_shape(image, [None, None, None, None], 'image')
  shapes.assert_floating(image, 'image')
  if image.shape[1] is None or image.shape[2] is None:
    raise ValueError(f'image sides must be known; got {image.shape}.')
  _, high, wide, channels = image.shape
  rows = tf.constant(resize_matrix(high, height), image.dtype)
  columns = tf.constant(resize_matrix(wide, width), image.dtype)
  # Nothing is transposed: a quarter of the time of two einsums, same bits.
  image = tf.matmul(rows, tf.reshape(image, [-1, high, wide * channels]))
  image = tf.matmul(columns, tf.reshape(image, [-1, wide, channels]))
  return tf.reshape(image, [-1, height, width, channels])


def degrade(image: tf.Tensor, factor: int = 16) -> tf.Tensor:
  """D(.): the `factor` times downsampling that makes image_low.

  Args:
    image: [B, H, W, C] floating point in [-1, 1]; H, W multiples of `factor`.
    factor: 16 in the paper's main task, 4 for LapSRN's.

  Returns:
    [B, H / factor, W / factor, C], not rounded and not clipped.

  Raises:
    ValueError: If `image` is not rank 4, not floating point, or a side is not
      a known multiple of `factor`.
  """
  shapes.assert_shape(image, [None, None, None, None], 'image')
  height, width = image.shape[1:3]
  if not height or not width or height % factor or width % factor:
    raise ValueError(
        f'image sides must be known multiples of {factor}; got '
        f'{image.shape}.')
  return resize_bicubic(image, height // factor, width // factor)


def degrade_levels(image_high: tf.Tensor, low_res_size: int, *,
                   stretch: bool = False) -> tf.Tensor:
  """D(.) from 8-bit images to 8-bit images: the input of E_l when serving.

  Args:
    image_high: [B, H, H, 3] uint8 with known sides.
    low_res_size: Side of the result; divides H.
    stretch: As `model.low_res_stretch`.

  Returns:
    [B, low_res_size, low_res_size, 3] uint8.

  Raises:
    ValueError: If the shape is another or the sides do not divide.
  """
  shapes.assert_shape(image_high, [None, None, None, 3], 'image_high')
  image = tf.cast(image_high, tf.float32)
  if stretch:
    image = tf.cast(
        pixels.to_uint8(pixels.stretch_contrast(image)), tf.float32)
  low = degrade(image, image_high.shape[1] // low_res_size)
  return tf.cast(tf.clip_by_value(tf.round(low), 0.0, 255.0), tf.uint8)


def _bicubic(x: np.ndarray) -> np.ndarray:
  """Keys' cubic convolution kernel with a = -0.5."""
  x = np.abs(x)
  inner = ((_BICUBIC_A + 2.0) * x - (_BICUBIC_A + 3.0)) * x * x + 1.0
  outer = (((x - 5.0) * x + 8.0) * x - 4.0) * _BICUBIC_A
  return np.where(x < 1.0, inner, np.where(x < 2.0, outer, 0.0))
