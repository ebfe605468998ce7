"""The audio front end: waveform to log-spectrogram (section 4.2).

The numbers are the authors' (utils.py): 257 frames x 257 frequencies of a
periodic Hann window of 512 samples at hop 248, power, natural logarithm, and
min-max scaling of each clip to [-1, 1]. Core TensorFlow operations only, so
that a served graph needs no extra library.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from earsr_tf.ops import shapes

SAMPLE_RATE_HZ = 16000
DURATION_S = 4
NUM_SAMPLES = SAMPLE_RATE_HZ * DURATION_S
WINDOW_SAMPLES = 512
HOP_SAMPLES = 248
NUM_FRAMES = 1 + (NUM_SAMPLES - WINDOW_SAMPLES) // HOP_SAMPLES
NUM_BINS = WINDOW_SAMPLES // 2 + 1
NUM_BANDS = 64  # of `statistics`

_LOG_OFFSET = 1e-6
# Below this range of log power a clip counts as constant (silence).
_MIN_RANGE = 1e-6
# Squared 512-sample sums of larger values would overflow float32.
_MAX_SAMPLE = 1e15


def log_spectrogram(waveform: tf.Tensor) -> tf.Tensor:
  """Computes the log-spectrogram that E_a reads.

  Args:
    waveform: [B, 64000] floating point, 16 kHz mono in [-1, 1]. Samples that
      are not finite count as 0.

  Returns:
    [B, 257, 257, 1] float32 in [-1, 1]: time, frequency. A clip with constant
    power (silence) is -1 everywhere.

  Raises:
    ValueError: If the shape is not [B, 64000] or the type not floating point.
  """
  shapes.assert_shape(waveform, [None, NUM_SAMPLES], 'waveform')
  shapes.assert_floating(waveform, 'waveform')
  # Clip by clip. For 32 at once each step would fill 34 MB: more than a cache
  # holds, and more than malloc keeps, so that the system would supply and clear
  # every page anew.
  return tf.map_fn(
      _of_one, tf.cast(waveform, tf.float32),
      fn_output_signature=tf.TensorSpec([NUM_FRAMES, NUM_BINS, 1], tf.float32))


def log_spectrogram_of_products(waveform: tf.Tensor) -> tf.Tensor:
  """`log_spectrogram` for runtimes without float64 or Fourier transforms.

  The transform is a product with a matrix, in float32: quiet bins beside loud
  ones differ by up to 1e-3 of the range.

  Args:
    waveform: As for `log_spectrogram`, B being known.

  Returns:
    The same.

  Raises:
    ValueError: If the shape is another.
  """
  shapes.assert_shape(waveform, [None, NUM_SAMPLES], 'waveform')
  # Frames as one gather: tf.signal.frame makes a dozen operations of it.
  starts = HOP_SAMPLES * np.arange(NUM_FRAMES)[:, np.newaxis]
  frames = tf.gather(
      _bounded(waveform), starts + np.arange(WINDOW_SAMPLES), axis=1)
  turns = np.outer(np.arange(WINDOW_SAMPLES), np.arange(NUM_BINS))
  angles = 2.0 * np.pi * turns / WINDOW_SAMPLES
  window = 0.5 - 0.5 * np.cos(angles[:, 1:2])  # Hann, periodic
  power = tf.zeros([])
  for wave in (np.cos(angles), np.sin(angles)):
    power += tf.square(tf.tensordot(
        frames, tf.constant(window * wave, tf.float32), axes=1))
  return tf.stack([_scaled(clip) for clip in tf.unstack(power)])


def statistics(spectrogram: tf.Tensor) -> tf.Tensor:
  """A voice in few numbers: mean and deviation over time of each band.

  Args:
    spectrogram: [B, 257, 257, 1], as of `log_spectrogram`.

  Returns:
    [B, 128] of the same type: means of 64 bands of four neighbouring
    frequencies (0 Hz is left out), then their standard deviations over time.

  Raises:
    ValueError: If the shape is another.
  """
  shapes.assert_shape(
      spectrogram, [None, NUM_FRAMES, NUM_BINS, 1], 'spectrogram')
  bands = tf.reduce_mean(
      tf.reshape(spectrogram[:, :, 1:, 0],
                 [-1, NUM_FRAMES, NUM_BANDS, (NUM_BINS - 1) // NUM_BANDS]),
      axis=-1)
  return tf.concat(
      [tf.reduce_mean(bands, axis=1), tf.math.reduce_std(bands, axis=1)],
      axis=-1)


def _of_one(waveform: tf.Tensor) -> tf.Tensor:
  """[64000] float32 -> [257, 257, 1] float32."""
  # A float32 transform is off by up to 3e-4 of the result's range in quiet
  # bins beside loud ones (on real voices); float64 leaves 3e-7.
  frames = tf.signal.frame(
      tf.cast(_bounded(waveform), tf.float64), WINDOW_SAMPLES, HOP_SAMPLES)
  frames *= tf.signal.hann_window(
      WINDOW_SAMPLES, periodic=True, dtype=tf.float64)
  spectrum = tf.signal.rfft(frames)  # [257, 257]
  power = tf.square(tf.math.real(spectrum)) + tf.square(
      tf.math.imag(spectrum))
  return _scaled(tf.cast(power, tf.float32))


def _bounded(waveform: tf.Tensor) -> tf.Tensor:
  """Samples whose squares can be added; those that are not finite are 0."""
  waveform = tf.where(
      tf.math.is_finite(waveform), waveform, tf.zeros_like(waveform))
  return tf.clip_by_value(waveform, -_MAX_SAMPLE, _MAX_SAMPLE)


def _scaled(power: tf.Tensor) -> tf.Tensor:
  """[257, 257] float32 -> [257, 257, 1]: its logarithm in [-1, 1]."""
  log_power = tf.math.log(power + _LOG_OFFSET)
  low = tf.reduce_min(log_power)
  span = tf.reduce_max(log_power) - low
  scaled = tf.math.divide_no_nan(
      log_power - low, tf.where(span > _MIN_RANGE, span, tf.zeros_like(span)))
  return (2.0 * scaled - 1.0)[..., tf.newaxis]
