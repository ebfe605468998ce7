"""Pillow's bicubic resize of 8-bit pictures, bit for bit, inside a graph.

Pillow works with integers: weights of 22 binary places, and a result rounded
to 8 bits between its two passes. Integers of that size are exact in float64.
`resample` has the floating-point resize that can be differentiated.
"""

from __future__ import annotations

import tensorflow as tf

from earsr_tf.ops import shapes

_BICUBIC_A = -0.5
_SUPPORT = 2.0
_ONE = float(1 << 22)


def centre_square(image: tf.Tensor, size: int) -> tf.Tensor:
  """Cuts out the square in the centre and brings it to a size.

  Args:
    image: [H, W, 3] uint8; sides may be unknown while tracing.
    size: Side of the result in pixels.

  Returns:
    [size, size, 3] uint8, as `media.reader.centre_square` gives.

  Raises:
    ValueError: If `image` is not rank 3.
  """
  shapes.assert_shape(image, [None, None, 3], 'image')
  height, width = tf.unstack(tf.shape(image)[:2])
  side = tf.minimum(height, width)
  top, left = (height - side) // 2, (width - side) // 2
  square = image[top:top + side, left:left + side]
  weights = _weights(side, size)
  columns = _round(tf.einsum(
      'pw,hwc->hpc', weights, tf.cast(square, tf.float64)))
  return tf.ensure_shape(
      tf.cast(_round(tf.einsum('oh,hpc->opc', weights, columns)), tf.uint8),
      [size, size, 3])


def _round(sums: tf.Tensor) -> tf.Tensor:
  """Sums of weights times levels -> levels 0 to 255, float64."""
  return tf.clip_by_value(tf.floor((sums + _ONE / 2.0) / _ONE), 0.0, 255.0)


def _weights(in_size: tf.Tensor, out_size: int) -> tf.Tensor:
  """Pillow's integer weights: [out_size, in_size] float64."""
  scale = tf.cast(in_size, tf.float64) / out_size
  filter_scale = tf.maximum(scale, 1.0)
  support = _SUPPORT * filter_scale
  centres = (tf.range(out_size, dtype=tf.float64)[:, tf.newaxis] + 0.5) * scale
  taps = tf.cast(tf.range(in_size), tf.float64)
  is_inside = (taps >= tf.floor(centres - support + 0.5)) & (
      taps < tf.floor(centres + support + 0.5))
  weights = tf.where(
      is_inside, _bicubic((taps - centres + 0.5) / filter_scale),
      tf.zeros([], tf.float64))
  weights /= tf.reduce_sum(weights, axis=1, keepdims=True)
  # Halves go away from zero.
  return tf.sign(weights) * tf.floor(tf.abs(weights) * _ONE + 0.5)


def _bicubic(x: tf.Tensor) -> tf.Tensor:
  """Keys' cubic convolution kernel with a = -0.5."""
  x = tf.abs(x)
  inner = ((_BICUBIC_A + 2.0) * x - (_BICUBIC_A + 3.0)) * x * x + 1.0
  outer = (((x - 5.0) * x + 8.0) * x - 4.0) * _BICUBIC_A
  return tf.where(x < 1.0, inner, tf.where(x < 2.0, outer, tf.zeros_like(x)))
