"""Frames inside the graph: decode, and uint8 [0, 255] <-> float [-1, 1]."""

from __future__ import annotations

import tensorflow as tf


def decode_frame(encoded: tf.Tensor, size: int) -> tf.Tensor:
  """Decodes a PNG that this project wrote.

  Args:
    encoded: [] string.
    size: Side of the stored frame in pixels.

  Returns:
    [size, size, 3] uint8.
  """
  frame = tf.io.decode_png(encoded, channels=3)
  return tf.ensure_shape(frame, [size, size, 3])


def to_float(image_uint8: tf.Tensor) -> tf.Tensor:
  """[...] uint8 in [0, 255] -> [...] float32 in [-1, 1]: x / 127.5 - 1."""
  return tf.cast(image_uint8, tf.float32) / 127.5 - 1.0


def to_uint8(image: tf.Tensor) -> tf.Tensor:
  """[...] float in [-1, 1] -> [...] uint8; rounds and clips."""
  levels = tf.round((tf.cast(image, tf.float32) + 1.0) * 127.5)
  return tf.cast(tf.clip_by_value(levels, 0.0, 255.0), tf.uint8)
