"""LapSRN's robust penalty (Lai et al. 2017, section 3.2)."""

from __future__ import annotations

import tensorflow as tf

from earsr_tf.losses import reconstruction
from earsr_tf.ops import shapes

_EPSILON = 1e-3


def charbonnier(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
  """Sum over an image of sqrt((a - b)^2 + 1e-6).

  Args:
    a: [B, ...] floating point, rank >= 2.
    b: Same shape.

  Returns:
    [B], at least 1e-3 times the values of an image.

  Raises:
    ValueError: If the shapes differ.
  """
  shapes.assert_shape(b, a.shape.as_list(), 'b')
  return reconstruction.reduce(
      tf.sqrt(tf.square(a - b) + _EPSILON ** 2), 'sum')
