"""The resampler: tones keep their frequency, level and place."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.ops import sinc


def _tone(rate_hz: int, frequency_hz: float, seconds: float) -> np.ndarray:
  time = np.arange(round(rate_hz * seconds)) / rate_hz
  return (0.5 * np.sin(2.0 * np.pi * frequency_hz * time)).astype(np.float32)


@pytest.mark.parametrize(
    'rate_hz', [4_000, 8_000, 11_025, 22_050, 24_000, 44_100, 48_000, 192_000])
def test_a_tone_is_the_same_at_16_khz(rate_hz: int) -> None:
  got = sinc.to_16_khz(
      tf.constant(_tone(rate_hz, 440.0, 0.5)), tf.constant(rate_hz)).numpy()
  expected = _tone(16_000, 440.0, 0.5)
  assert abs(got.size - expected.size) <= 1
  inner = slice(400, 7_600)  # the filter reaches beyond both ends
  np.testing.assert_allclose(got[inner], expected[inner], atol=2e-3)


@pytest.mark.parametrize(('rate_hz', 'frequency_hz'),
                         [(48_000, 9_500.0), (44_100, 15_000.0)])
def test_what_16_khz_cannot_hold_is_gone(
    rate_hz: int, frequency_hz: float) -> None:
  got = sinc.to_16_khz(tf.constant(
      _tone(rate_hz, frequency_hz, 0.5)), tf.constant(rate_hz)).numpy()
  assert np.abs(got[400:7_600]).max() < 2e-3


def test_7_khz_passes() -> None:
  got = sinc.to_16_khz(
      tf.constant(_tone(48_000, 7_000.0, 0.5)), tf.constant(48_000)).numpy()
  np.testing.assert_allclose(
      got[400:7_600], _tone(16_000, 7_000.0, 0.5)[400:7_600], atol=5e-3)


def test_16_khz_comes_back_as_it_is() -> None:
  samples = np.random.default_rng(0).normal(size=1_000).astype(np.float32)
  got = sinc.to_16_khz(tf.constant(samples), tf.constant(16_000)).numpy()
  np.testing.assert_array_equal(got, samples)


def test_a_constant_stays_and_lengths_are_rounded_up() -> None:
  got = sinc.to_16_khz(
      tf.ones([44_101], tf.float32), tf.constant(44_100)).numpy()
  assert got.size == 16_001
  np.testing.assert_allclose(got[200:-200], 1.0, atol=1e-5)


@pytest.mark.parametrize(
    ('rate_hz', 'divisor'),
    [(16_000, 16_000), (44_100, 100), (11_025, 25), (44_101, 0), (0, 16_000)])
def test_the_divisor_of_a_rate(rate_hz: int, divisor: int) -> None:
  assert sinc.common_divisor(tf.constant(rate_hz)).numpy() == divisor


def test_other_shapes_and_types_are_refused() -> None:
  with pytest.raises(ValueError, match='samples must have shape'):
    sinc.to_16_khz(tf.zeros([1, 10]), tf.constant(8_000))
  with pytest.raises(ValueError, match='samples must be floating point'):
    sinc.to_16_khz(tf.zeros([10], tf.int16), tf.constant(8_000))
