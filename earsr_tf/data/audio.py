"""Voices inside the graph: decode our own WAV, cut or loop to 4 s.

The only module that imports tensorflow-io. It only ever sees WAV files that
this project wrote: foreign sound goes through `media`.
"""

from __future__ import annotations

import tensorflow as tf
import tensorflow_io as tfio

SAMPLE_RATE_HZ = 16000
SEGMENT_SAMPLES = 64000  # 4 s (paper, section 3.3)


def decode_wav(encoded: tf.Tensor) -> tf.Tensor:
  """Decodes 16 kHz mono 16 bit WAV: [] string -> [n] int16."""
  return tf.reshape(tfio.audio.decode_wav(encoded, dtype=tf.int16), [-1])


def crop(samples: tf.Tensor, start: tf.Tensor | int) -> tf.Tensor:
  """Cuts 4 s from `start` on; a shorter voice is repeated until it fills 4 s.

  Args:
    samples: [n], n >= 1, any dtype.
    start: [] int32, at most max(n - 64000, 0).

  Returns:
    [64000], same dtype.
  """
  count = tf.size(samples)
  copies = (SEGMENT_SAMPLES + count - 1) // count
  looped = tf.cond(
      count < SEGMENT_SAMPLES,
      lambda: tf.tile(samples, [copies]), lambda: samples)
  return tf.ensure_shape(
      looped[start:start + SEGMENT_SAMPLES], [SEGMENT_SAMPLES])


def to_float(samples_int16: tf.Tensor) -> tf.Tensor:
  """[...] int16 -> [...] float32 in [-1, 1): x / 32768."""
  return tf.cast(samples_int16, tf.float32) / 32768.0
