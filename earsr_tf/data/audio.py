"""Voices inside the graph: decode our own WAV, cut or loop to 4 s.

The only module that imports tensorflow-io. It only ever sees WAV files that
this project wrote: foreign sound goes through `media.reader`.
"""

from __future__ import annotations

from typing import Callable

import numpy as np
import tensorflow as tf
import tensorflow_io as tfio

from earsr_tf.media import reader

SAMPLE_RATE_HZ = 16000
SEGMENT_SAMPLES = 64000  # 4 s (paper, section 3.3)
MAX_DRAWS = 8  # of a segment, while it is silent

_HEADER_BYTES = 44  # RIFF, fmt and the head of data


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


def draw_voice(encoded: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
  """`draw_segment` of an encoded voice, without decoding all of it.

  Our own WAV has its samples behind a header of 44 bytes: the drawn 4 s get a
  header of their own. A voice shorter than that, or one with another header,
  is decoded whole.

  Args:
    encoded: [] string, a WAV file of ours.
    key: [2] int32.

  Returns:
    [64000] int16, equal to `draw_segment(decode_wav(encoded), key)`.
  """
  count = (tf.strings.length(encoded) - _HEADER_BYTES) // 2
  is_ours = tf.strings.substr(encoded, _HEADER_BYTES - 8, 4) == b'data'

  def cut(start: tf.Tensor) -> tf.Tensor:
    """[64000] int16 from sample `start` on, without decoding the rest."""
    data = tf.strings.substr(
        encoded, _HEADER_BYTES + 2 * start, 2 * SEGMENT_SAMPLES)
    return tf.ensure_shape(
        decode_wav(tf.constant(_segment_header()) + data), [SEGMENT_SAMPLES])

  return tf.cond(
      is_ours & (count >= SEGMENT_SAMPLES),
      lambda: _draw(cut, count - SEGMENT_SAMPLES + 1, key),
      lambda: draw_segment(decode_wav(encoded), key))


def draw_segment(samples: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
  """Cuts 4 s from a place that `key` draws, elsewhere while it is silent.

  Every draw is a function of the key and of its number. After `MAX_DRAWS` of
  them the last one is taken, silent or not.

  Args:
    samples: [n] int16, n >= 1.
    key: [2] int32.

  Returns:
    [64000] int16.
  """
  bound = tf.maximum(tf.size(samples) - SEGMENT_SAMPLES, 0) + 1
  return _draw(lambda start: crop(samples, start), bound, key)


def _draw(
    cut: Callable[[tf.Tensor], tf.Tensor], bound: tf.Tensor,
    key: tf.Tensor) -> tf.Tensor:
  """Cuts from starts below `bound` until the segment is not silent."""

  def draw(own_key: tf.Tensor) -> tf.Tensor:
    """The segment at a start drawn with `own_key`."""
    return cut(tf.random.stateless_uniform(
        [], own_key, minval=0, maxval=bound, dtype=tf.int32))

  return tf.while_loop(
      lambda number, segment: (number < MAX_DRAWS) & is_silent(segment),
      lambda number, _: (number + 1, draw(
          tf.random.experimental.stateless_fold_in(key, number))),
      (1, draw(key)), parallel_iterations=1)[1]


def is_silent(samples: tf.Tensor) -> tf.Tensor:
  """Whether a segment has no sound: [n] integers -> [] bool.

  No sample is `SILENCE_PEAK` levels or more from the mean, as in serving.
  """
  levels = tf.cast(samples, tf.float32)
  mean = tf.reduce_mean(levels)
  return tf.maximum(
      tf.reduce_max(levels) - mean,
      mean - tf.reduce_min(levels)) < reader.SILENCE_PEAK


def _segment_header() -> bytes:
  """What stands before the samples of a 4 s WAV of ours."""
  silence = np.zeros([SEGMENT_SAMPLES], np.int16)
  return reader.encode_wav(silence)[:_HEADER_BYTES]


def to_float(samples_int16: tf.Tensor) -> tf.Tensor:
  """[...] int16 -> [...] float32 in [-1, 1): x / 32768."""
  return tf.cast(samples_int16, tf.float32) / 32768.0
