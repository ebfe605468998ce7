"""Pixel ranges: uint8 [0, 255] and float32 [-1, 1], in one place.

Training, evaluation and the served graph share these functions.
"""

from __future__ import annotations

import tensorflow as tf

from earsr_tf.ops import shapes


def to_float(image_uint8: tf.Tensor) -> tf.Tensor:
  """Maps uint8 [0, 255] to float32 [-1, 1].

  Args:
    image_uint8: Any shape, uint8 (or any number in [0, 255]).

  Returns:
    Same shape, float32; 0 becomes -1 and 255 becomes 1.
  """
  return tf.cast(image_uint8, tf.float32) / 127.5 - 1.0


def to_uint8(image: tf.Tensor) -> tf.Tensor:
  """Maps float [-1, 1] to uint8 [0, 255], rounding and clipping.

  Args:
    image: Any shape, floating point; values outside [-1, 1] are clipped.

  Returns:
    Same shape, uint8.
  """
  levels = tf.round((tf.cast(image, tf.float32) + 1.0) * 127.5)
  return tf.cast(tf.clip_by_value(levels, 0.0, 255.0), tf.uint8)


def quantize(image: tf.Tensor) -> tf.Tensor:
  """Rounds [-1, 1] images to the 256 levels that a uint8 image can hold.

  E_l sees 8-bit images when serving, so it is trained on them too.

  Args:
    image: Any shape, floating point.

  Returns:
    Same shape, float32 in [-1, 1]; no gradient passes.
  """
  return to_float(to_uint8(image))


def stretch_contrast(image: tf.Tensor) -> tf.Tensor:
  """Maps [min, max] of each image to the levels 0 ... 255, rounded.

  What `scipy.misc.imresize` does to any image that is not uint8, and so what
  the authors' demo does before it reduces a face. An image of one colour
  becomes black, as there.

  Args:
    image: [B, H, W, C] floating point, any range.

  Returns:
    [B, H, W, C] float32 in [-1, 1].

  Raises:
    ValueError: If `image` is not rank 4 or not floating point.
  """
  shapes.assert_shape(image, [None, None, None, None], 'image')
  shapes.assert_floating(image, 'image')
  image = tf.cast(image, tf.float32)
  low = tf.reduce_min(image, axis=[1, 2, 3], keepdims=True)
  span = tf.reduce_max(image, axis=[1, 2, 3], keepdims=True) - low
  share = tf.math.divide_no_nan(image - low, span)
  return to_float(tf.floor(share * 255.0 + 0.5))
