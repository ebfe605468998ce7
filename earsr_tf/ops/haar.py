"""The Haar wavelet packet of Wavelet-SRNet (Huang et al. 2017), orthonormal.

Its filters are Kronecker products of the four filters of one level, so that
they are exactly orthonormal; those that came with the authors' code are not at
16x.
"""

from __future__ import annotations

import functools

import numpy as np
import tensorflow as tf

from earsr_tf.ops import shapes

# Of one level: sum, difference to the right, downwards, and of both.
_FILTERS = 0.5 * np.array([
    [[1, 1], [1, 1]], [[1, -1], [1, -1]], [[1, 1], [-1, -1]],
    [[1, -1], [-1, 1]]])


@functools.lru_cache(maxsize=8)
def packet_filters(levels: int) -> np.ndarray:
  """The filters of a wavelet packet.

  Args:
    levels: Halvings of the side, at least 1.

  Returns:
    [4^levels, 2^levels, 2^levels] float64, orthonormal; entries +-2^-levels.
    The index has a digit in base 4 for each level, that of the finest level
    first: 0 sum, 1 difference to the right, 2 downwards, 3 of both. So the
    details come coarse to fine, the first 4^n filters being those of the n
    coarsest levels.

  Raises:
    ValueError: If there is no level.
  """
  if levels < 1:
    raise ValueError(f'levels must be at least 1; got {levels}.')
  if levels == 1:
    return _FILTERS
  return np.stack([np.kron(coarse, fine) for fine in _FILTERS
                   for coarse in packet_filters(levels - 1)])


def decompose(image: tf.Tensor, levels: int) -> tf.Tensor:
  """The packet's coefficients of an image.

  Args:
    image: [B, H, W, C] floating point; H, W known multiples of 2^levels.
    levels: Halvings of the side.

  Returns:
    [B, H / 2^levels, W / 2^levels, 4^levels * C], coefficient-major; the sum
    of squares is the image's.

  Raises:
    ValueError: If the shape does not fit.
  """
  shapes.assert_shape(image, [None, None, None, None], 'image')
  block = 2 ** levels
  height, width, channels = image.shape[1:]
  if not height or not width or height % block or width % block:
    raise ValueError(
        f'image sides must be known multiples of {block}; got {image.shape}.')
  rows, columns = height // block, width // block
  x = tf.reshape(image, [-1, rows, block, columns, block, channels])
  x = tf.reshape(tf.transpose(x, [0, 1, 3, 2, 4, 5]),
                 [-1, rows, columns, block ** 2, channels])
  x = tf.matmul(_matrix(levels, image.dtype), x)
  return tf.reshape(x, [-1, rows, columns, block ** 2 * channels])


def recompose(coefficients: tf.Tensor, levels: int) -> tf.Tensor:
  """The image of a packet's coefficients; the inverse of `decompose`.

  Args:
    coefficients: [B, h, w, 4^levels * C] floating point, sides known.
    levels: Doublings of the side.

  Returns:
    [B, h * 2^levels, w * 2^levels, C].

  Raises:
    ValueError: If the shape does not fit.
  """
  shapes.assert_shape(
      coefficients, [None, None, None, None], 'coefficients')
  block = 2 ** levels
  rows, columns, values = coefficients.shape[1:]
  if not rows or not columns or not values or values % block ** 2:
    raise ValueError(
        f'coefficients must have known sides and a multiple of {block ** 2} '
        f'channels; got {coefficients.shape}.')
  channels = values // block ** 2
  x = tf.reshape(coefficients, [-1, rows, columns, block ** 2, channels])
  x = tf.matmul(_matrix(levels, coefficients.dtype), x, transpose_a=True)
  x = tf.reshape(x, [-1, rows, columns, block, block, channels])
  return tf.reshape(tf.transpose(x, [0, 1, 3, 2, 4, 5]),
                    [-1, rows * block, columns * block, channels])


def _matrix(levels: int, dtype: tf.DType) -> tf.Tensor:
  """[4^levels, 4^levels]: a filter a row."""
  return tf.constant(
      packet_filters(levels).reshape(4 ** levels, 4 ** levels), dtype)
