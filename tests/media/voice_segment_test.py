"""The loudest 4 s of a recording, and its level."""

from __future__ import annotations

import numpy as np
import pytest

from earsr_tf.media import voice_segment


def _noise(seconds: float, level: float) -> np.ndarray:
  return (np.random.default_rng(int(seconds)).standard_normal(
      round(seconds * 16_000)) * level).astype(np.float32)


def test_the_loudest_seconds_are_found():
  quiet, loud = _noise(30, 0.001), _noise(4, 0.1)
  sound = np.concatenate([quiet, loud, quiet])
  assert voice_segment.loudest_start(sound) == 30 * 16_000
  assert voice_segment.loudest_start(sound + np.float32(0.5)) == 30 * 16_000
  assert voice_segment.loudest_start(
      np.round(sound * 32767).astype(np.int16)) == 30 * 16_000
  # Begins between two multiples of 0.1 s.
  assert voice_segment.loudest_start(
      np.concatenate([quiet[:8_700], loud, quiet])) == 8_000


def test_the_earliest_of_equals_is_taken():
  hum = np.sin(2 * np.pi * 151.3 * np.arange(160_000) / 16_000)
  assert voice_segment.loudest_start(hum) == 0
  assert voice_segment.loudest_start(np.zeros(160_000)) == 0
  assert voice_segment.loudest_start(np.r_[np.zeros(1600), hum]) == 1600


@pytest.mark.parametrize('count', [1, 1000, 64_000, 64_001, 65_599])
def test_no_more_than_four_seconds_begin_at_once(count):
  assert voice_segment.loudest_start(np.arange(count)) == 0


def test_levels():
  assert voice_segment.level_db(np.tile([0.1, -0.1], 500)) == pytest.approx(-20)
  assert voice_segment.level_db(np.full(10, 0.3)) == -200.0


@pytest.mark.parametrize('before, after', [
    (-60.0, -26.0), (-26.5, -26.0), (-25.9, -25.9), (-16.1, -16.1),
    (-12.0, -16.0)])
def test_levels_beyond_the_training_are_brought_to_its_nearest_end(
    before, after):
  voice = _noise(4, 1.0)
  voice *= np.float32(10 ** (before / 20) / voice.std())
  made, gain_db = voice_segment.to_training_level(voice)
  assert made.dtype == np.float32
  assert voice_segment.level_db(made) == pytest.approx(after, abs=1e-3)
  assert gain_db == pytest.approx(after - before, abs=1e-3)
  assert (made is voice) == (before == after)


def test_no_sample_is_raised_beyond_full_scale():
  click = _noise(4, 0.001)
  click[100] = 0.5
  made, gain_db = voice_segment.to_training_level(click)
  assert np.abs(made).max() == pytest.approx(1.0, abs=1e-6)
  assert gain_db == pytest.approx(20 * np.log10(2), abs=1e-4)
  click[100] = -1.0
  assert voice_segment.to_training_level(click)[1] == 0.0
