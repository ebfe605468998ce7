"""Sound at another sampling rate: a windowed sinc, by core operations only.

The served graph hears files of any common rate with it. 32 zero crossings of
the sinc below a Hann window, cut off at 95 % of the lower Nyquist frequency.
"""

from __future__ import annotations

import tensorflow as tf

from earsr_tf.ops import shapes
from earsr_tf.ops import spectrogram

MIN_RATE_HZ = 4_000
MAX_RATE_HZ = 192_000
# The rates' greatest common divisor must be one of these: the filter has
# 16000 / divisor phases, and 640 (11025 Hz) are the most that are usual.
DIVISORS = tuple(d for d in range(25, spectrogram.SAMPLE_RATE_HZ + 1)
                 if spectrogram.SAMPLE_RATE_HZ % d == 0)
_ZERO_CROSSINGS = 32
_ROLL_OFF = 0.95
_MIN_OUTPUTS = 64  # at a time, so that neighbours share their inputs


def common_divisor(rate_hz: tf.Tensor) -> tf.Tensor:
  """Greatest of `DIVISORS` that divides a rate, 0 if none does: [] int32."""
  divisors = tf.constant(DIVISORS, tf.int32)
  return tf.reduce_max(
      tf.where(rate_hz % divisors == 0, divisors, tf.zeros_like(divisors)))


def to_16_khz(samples: tf.Tensor, rate_hz: tf.Tensor) -> tf.Tensor:
  """Resamples one sound; what lies before and behind it is silence.

  Args:
    samples: [n] float32.
    rate_hz: [] int32, a multiple of one of `DIVISORS` between `MIN_RATE_HZ`
      and `MAX_RATE_HZ`; another divides by zero.

  Returns:
    [ceil(n * 16000 / rate_hz)] float32. 16 kHz comes back as it is.

  Raises:
    ValueError: If `samples` is not a vector of floating point.
  """
  shapes.assert_shape(samples, [None], 'samples')
  shapes.assert_floating(samples, 'samples')
  return tf.cond(
      tf.equal(rate_hz, spectrogram.SAMPLE_RATE_HZ), lambda: samples,
      lambda: _resample(samples, rate_hz))


def _resample(samples: tf.Tensor, rate_hz: tf.Tensor) -> tf.Tensor:
  """[n] -> [m]: blocks of inputs times one matrix of taps."""
  divisor = common_divisor(rate_hz)
  phases = spectrogram.SAMPLE_RATE_HZ // divisor
  repeats = (_MIN_OUTPUTS + phases - 1) // phases
  outputs, inputs = phases * repeats, rate_hz // divisor * repeats
  ratio = tf.cast(rate_hz, tf.float64) / spectrogram.SAMPLE_RATE_HZ
  # Inputs on either side of an output: the sinc is as wide as the lower rate.
  reach = tf.cast(
      tf.math.ceil(_ZERO_CROSSINGS * tf.maximum(ratio, 1.0) / _ROLL_OFF),
      tf.int32)
  count = tf.size(samples)
  wanted = tf.cast(
      (tf.cast(count, tf.int64) * spectrogram.SAMPLE_RATE_HZ
       + tf.cast(rate_hz, tf.int64) - 1) // tf.cast(rate_hz, tf.int64),
      tf.int32)
  blocks = (wanted + outputs - 1) // outputs
  length = inputs + 2 * reach
  padded = tf.pad(samples, [[reach, blocks * inputs + reach]])
  frames = tf.gather(
      padded, tf.range(blocks)[:, tf.newaxis] * inputs + tf.range(length))
  taps = tf.cast(_taps(length, outputs, reach, ratio), samples.dtype)
  return tf.reshape(frames @ taps, [-1])[:wanted]


def _taps(length: tf.Tensor, outputs: tf.Tensor, reach: tf.Tensor,
          ratio: tf.Tensor) -> tf.Tensor:
  """Weights of a block: [length, outputs] float64; each column sums to 1."""
  places = tf.cast(tf.range(length) - reach, tf.float64)[:, tf.newaxis]
  centres = tf.cast(tf.range(outputs), tf.float64) * ratio
  x = (places - centres) * _ROLL_OFF / tf.maximum(ratio, 1.0)
  angle = 3.141592653589793 * x
  sinc = tf.where(x == 0.0, tf.ones_like(x), tf.math.divide_no_nan(
      tf.sin(angle), angle))
  window = tf.where(
      tf.abs(x) < _ZERO_CROSSINGS,
      0.5 + 0.5 * tf.cos(angle / _ZERO_CROSSINGS), tf.zeros_like(x))
  weights = sinc * window
  return weights / tf.reduce_sum(weights, axis=0)
