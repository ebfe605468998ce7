"""Luma and chroma of ITU-R BT.601, as MATLAB's rgb2ycbcr: what LapSRN sees."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from earsr_tf.ops import shapes

# Of RGB in [0, 1], in levels of 255: Y lies in [16, 235], Cb, Cr in [16, 240].
_OFFSET = np.array([16.0, 128.0, 128.0]) / 255.0
_MATRIX = np.array([
    [65.481, 128.553, 24.966], [-37.797, -74.203, 112.0],
    [112.0, -93.786, -18.214]]) / 255.0


def from_rgb(image: tf.Tensor) -> tf.Tensor:
  """RGB to Y, Cb, Cr.

  Args:
    image: [..., 3] floating point in [-1, 1].

  Returns:
    Same shape, in [16 / 255, 240 / 255].
  """
  shapes.assert_floating(image, 'image')
  matrix = tf.constant(_MATRIX.T, image.dtype)
  return tf.linalg.matmul(0.5 * image + 0.5, matrix) + tf.constant(
      _OFFSET, image.dtype)


def to_rgb(image: tf.Tensor) -> tf.Tensor:
  """The inverse of `from_rgb`.

  Args:
    image: [..., 3] floating point: Y, Cb, Cr.

  Returns:
    Same shape, about [-1, 1], not clipped.
  """
  shapes.assert_floating(image, 'image')
  matrix = tf.constant(np.linalg.inv(_MATRIX).T, image.dtype)
  return 2.0 * tf.linalg.matmul(
      image - tf.constant(_OFFSET, image.dtype), matrix) - 1.0
