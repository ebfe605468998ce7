"""16-bit PCM WAV files -> the 4 s that the model hears, inside the graph.

The few fields of a WAV header are read here, since the decoder of TensorFlow
knows no WAV that was written to a pipe (lengths of 0 or 0xFFFFFFFF: valid to
the end of the file). Other formats are for `python -m earsr_tf.super_resolve`.
"""

from __future__ import annotations

import tensorflow as tf

from earsr_tf.media import reader
from earsr_tf.media import voice_segment
from earsr_tf.ops import sinc
from earsr_tf.ops import spectrogram
from earsr_tf.serving import refusal

MAX_BYTES = 8 << 20
MAX_CHANNELS = 8
_MAX_CHUNKS = 100
_PCM, _EXTENSIBLE = 1, 0xfffe


def decode(encoded: tf.Tensor, name: tf.Tensor) -> tf.Tensor:
  """Decodes the loudest 4 s of one voice as `super_resolve` does.

  Args:
    encoded: [] string, a WAV file of 16-bit PCM.
    name: [] string, what the file is called in refusals.

  Returns:
    [64000] float32 in [-1, 1], 16 kHz mono; a shorter voice is repeated.

  Raises:
    InvalidArgumentError: When run, if the file is no such sound, has less
      than a second, or is silent.
  """
  length = tf.strings.length(encoded)
  is_wav = (length >= 44) & tf.equal(
      tf.strings.substr(encoded, 0, 4), b'RIFF') & tf.equal(
          tf.strings.substr(encoded, tf.minimum(length, 8), 4), b'WAVE')
  encoded = refusal.checked(
      encoded,
      refusal.unless(is_wav, name, ': is no WAV file'),
      refusal.unless(
          length <= MAX_BYTES, name, ': has ', tf.strings.as_string(length),
          f' bytes; give at most {MAX_BYTES}'))
  form, data, size = _find_chunks(encoded)
  encoded = refusal.checked(encoded, refusal.unless(
      (form >= 0) & (data >= 0), name,
      ': is a damaged WAV (no format or no data)'))
  channels, rate_hz, checks = _read_format(encoded, form, name)
  encoded, channels, rate_hz = (
      refusal.checked(value, *checks) for value in (encoded, channels, rate_hz))
  frame_bytes = 2 * channels
  frames = size // frame_bytes
  samples = tf.io.decode_raw(
      tf.strings.substr(encoded, data, frames * frame_bytes), tf.int16)
  mono = tf.reduce_mean(tf.reshape(
      tf.cast(samples, tf.float32), [frames, channels]), axis=1)
  return _segment(
      tf.clip_by_value(sinc.to_16_khz(mono / 32768.0, rate_hz), -1.0, 1.0),
      name)


def _find_chunks(
    encoded: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
  """Where the contents of 'fmt ' and 'data' begin, and the latter's bytes.

  Args:
    encoded: [] string.

  Returns:
    [] int32 each; a place is -1 when there is no such chunk.
  """
  length = tf.strings.length(encoded)

  def is_searching(chunk, place, form, data, size):
    """Whether another chunk can be there and the samples are not found."""
    return (chunk < _MAX_CHUNKS) & (data < 0) & (place + 8 <= length)

  def step(chunk, place, form, data, size):
    """Reads the head of the chunk at `place` and goes on behind it."""
    kind = tf.strings.substr(encoded, place, 4)
    stated = tf.io.decode_raw(
        tf.strings.substr(encoded, place + 4, 4), tf.int32)[0]
    rest = length - place - 8
    # Beyond the end, negative (2 GB and more) and, for data, 0: to the end.
    is_open = (stated < 0) | (stated > rest) | (
        (stated == 0) & tf.equal(kind, b'data'))
    bytes_here = tf.where(is_open, rest, stated)
    form = tf.where(
        tf.equal(kind, b'fmt ') & (bytes_here >= 16), place + 8, form)
    is_data = tf.equal(kind, b'data')
    return (chunk + 1, place + 8 + bytes_here + bytes_here % 2, form,
            tf.where(is_data, place + 8, data),
            tf.where(is_data, bytes_here, size))

  _, _, form, data, size = tf.while_loop(
      is_searching, step, (0, 12, -1, -1, 0), parallel_iterations=1)
  return form, data, size


def _read_format(
    encoded: tf.Tensor, form: tf.Tensor, name: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor, list[tf.Operation]]:
  """Channels, rate in Hz, and the checks that both must pass first."""
  fields = tf.cast(tf.io.decode_raw(
      tf.strings.substr(encoded, form, 16), tf.uint16), tf.int32)
  kind, channels, bits = fields[0], fields[1], fields[7]
  rate_hz = fields[2] + 65536 * fields[3]
  inner = tf.cast(tf.io.decode_raw(  # of the extensible format
      tf.strings.substr(encoded, tf.minimum(
          form + 24, tf.strings.length(encoded) - 2), 2), tf.uint16)[0],
      tf.int32)
  is_pcm = (kind == _PCM) | ((kind == _EXTENSIBLE) & (inner == _PCM))
  is_fine = (rate_hz >= sinc.MIN_RATE_HZ) & (
      rate_hz <= sinc.MAX_RATE_HZ) & (sinc.common_divisor(rate_hz) > 0)
  return channels, rate_hz, [
      refusal.unless(is_pcm & (bits == 16), name,
                     ': is a WAV, but not of 16-bit PCM'),
      refusal.unless(
          (channels >= 1) & (channels <= MAX_CHANNELS), name, ': has ',
          tf.strings.as_string(channels),
          f' channels; give 1 to {MAX_CHANNELS}'),
      refusal.unless(is_fine, name, ': has ', tf.strings.as_string(rate_hz),
                     ' samples a second; give 16000 or another usual rate')]


def _segment(levels: tf.Tensor, name: tf.Tensor) -> tf.Tensor:
  """[n] -> [64000] float32; refuses what cannot be a voice."""
  count = tf.size(levels)
  levels = refusal.checked(levels, refusal.unless(
      count >= round(reader.MIN_SECONDS * spectrogram.SAMPLE_RATE_HZ), name,
      ': has ', tf.strings.as_string(
          tf.cast(count, tf.float32) / spectrogram.SAMPLE_RATE_HZ,
          precision=2), ' s of sound; at least one second is needed'))
  levels = tf.cond(
      count > spectrogram.NUM_SAMPLES, lambda: _loudest(levels),
      lambda: levels)
  mean = tf.cast(tf.reduce_mean(tf.cast(levels, tf.float64)), tf.float32)
  levels = refusal.checked(levels, refusal.unless(
      tf.reduce_max(tf.abs(levels - mean)) * 32768.0 >= reader.SILENCE_PEAK,
      name, ': is silent'))
  levels = _to_training_level(levels)
  return tf.gather(
      levels, tf.range(spectrogram.NUM_SAMPLES) % tf.size(levels))


def _loudest(levels: tf.Tensor) -> tf.Tensor:
  """`voice_segment.loudest_start` in the graph: [n] -> [64000] float32."""
  hop = voice_segment.HOP_SAMPLES
  width = spectrogram.NUM_SAMPLES // hop
  whole = tf.size(levels) // hop * hop
  blocks = tf.cast(levels[:whole], tf.float64)
  blocks -= tf.reduce_mean(blocks)
  energy = tf.reduce_sum(
      tf.square(tf.reshape(blocks, [-1, hop])), axis=1)
  total = tf.concat([tf.zeros([1], tf.float64), tf.cumsum(energy)], axis=0)
  sums = total[width:] - total[:-width]
  is_loud = sums >= tf.reduce_max(sums) * (1.0 - voice_segment.TOLERANCE)
  start = tf.argmax(tf.cast(is_loud, tf.int32), output_type=tf.int32) * hop
  return levels[start:start + spectrogram.NUM_SAMPLES]


def _to_training_level(levels: tf.Tensor) -> tf.Tensor:
  """`voice_segment.to_training_level` in the graph: [n] float32 likewise."""
  lowest, highest = voice_segment.TRAINING_LEVELS_DB
  power = tf.math.reduce_variance(tf.cast(levels, tf.float64))
  level = 10.0 * _log10(tf.maximum(power, 1e-20))
  peak = tf.cast(tf.reduce_max(tf.abs(levels)), tf.float64)
  gain_db = tf.clip_by_value(level, lowest, highest) - level
  gain_db = tf.where(
      gain_db > 0.0,
      tf.maximum(tf.minimum(gain_db, -20.0 * _log10(peak)), 0.0), gain_db)
  return levels * tf.cast(10.0 ** (gain_db / 20.0), tf.float32)


def _log10(x: tf.Tensor) -> tf.Tensor:
  """Logarithm to base 10."""
  return tf.math.log(x) / tf.math.log(tf.constant(10.0, x.dtype))
