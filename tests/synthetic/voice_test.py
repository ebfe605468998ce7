"""Voices of SyntheticVox: pitch, vocal tract, age, quantisation."""

from __future__ import annotations

import dataclasses

import numpy as np

from earsr_tf.synthetic import people
from earsr_tf.synthetic import seeds
from earsr_tf.synthetic import speech
from earsr_tf.synthetic import voice as voice_lib

_ROWS, _SAMPLES = 840, 67200


def _speak(person: people.Person) -> np.ndarray:
  """A 4.2 s clip of a person."""
  tracks = speech.make_tracks(
      person.voice, _ROWS, seeds.stream(person.speaker, 'say'))
  return voice_lib.make_voice(
      tracks, person.voice, _SAMPLES, seeds.stream(person.speaker, 'sound'))


def _median_f0(samples: np.ndarray) -> float:
  """Median F0 in Hz of the loud 60 ms frames, by autocorrelation."""
  wave = samples.astype(np.float64)
  frames = np.lib.stride_tricks.sliding_window_view(wave, 960)[::480]
  loud = frames[frames.std(1) > np.median(frames.std(1))]
  spectrum = np.abs(np.fft.rfft(loud, 2048)) ** 2
  correlation = np.fft.irfft(spectrum)[:, :400]
  correlation /= correlation[:, :1]
  lags = 40 + np.argmax(correlation[:, 40:270], 1)  # 59 to 400 Hz.
  return float(np.median(16000 / lags))


def _population() -> list[people.Person]:
  return people.make_population(24, 4, 0.2)


def test_men_speak_lower_but_ranges_overlap() -> None:
  population = people.make_population(400, 4, 0.2)
  f0 = {g: np.array([p.voice.f0_hz for p in population if p.gender == g])
        for g in (people.FEMALE, people.MALE)}
  assert 110 < f0[people.MALE].mean() < 145
  assert 170 < f0[people.FEMALE].mean() < 215
  assert f0[people.MALE].max() > f0[people.FEMALE].min()


def test_measured_f0_follows_the_voice() -> None:
  population = _population()
  truth = np.array([p.voice.f0_hz for p in population])
  heard = np.array([_median_f0(_speak(p)) for p in population])
  gender = np.array([p.gender for p in population])
  assert heard[gender == 1].mean() + 25 < heard[gender == 0].mean()
  assert np.corrcoef(np.log(truth), np.log(heard))[0, 1] > 0.85


def test_formants_scale_with_the_tract() -> None:
  voice = _population()[0].voice
  long_ = speech.make_tracks(
      dataclasses.replace(voice, tract=1.0), _ROWS, seeds.stream('a'))
  short = speech.make_tracks(
      dataclasses.replace(voice, tract=1.2), _ROWS, seeds.stream('a'))
  np.testing.assert_allclose(
      short.formants_hz, 1.2 * long_.formants_hz, rtol=1e-12)


def test_age_shows_in_jitter_and_rate() -> None:
  young = [people.draw_voice(seeds.stream(i), 1, 22.0) for i in range(40)]
  old = [people.draw_voice(seeds.stream(i), 1, 68.0) for i in range(40)]
  assert np.mean([v.jitter for v in old]) > 3 * np.mean(
      [v.jitter for v in young])
  assert np.mean([v.rate for v in old]) < np.mean([v.rate for v in young]) - 1


def test_samples_are_loud_and_unclipped() -> None:
  for person in _population()[:6]:
    samples = _speak(person)
    assert samples.dtype == np.int16 and samples.shape == (_SAMPLES,)
    level_db = 20 * np.log10(samples.astype(np.float64).std() / 32768)
    assert -28 < level_db < -14
    assert np.mean(np.abs(samples.astype(int)) >= 32767) < 1e-3


def test_pauses_vowels_and_consonants() -> None:
  tracks = speech.make_tracks(
      _population()[1].voice, _ROWS, seeds.stream('phonemes'))
  assert 0.35 < np.mean(tracks.voicing > 0.4) < 0.95
  assert np.mean(tracks.voicing < 0.05) > 0.03
  assert np.mean(tracks.hiss.max(1) > 0.2) > 0.03
  assert np.ptp(tracks.formants_hz[:, 0]) > 200


def test_mouth_follows_the_vowels() -> None:
  tracks = speech.make_tracks(
      _population()[1].voice, _ROWS, seeds.stream('mouth'))
  mouth = speech.mouth_track(tracks, 105, 25)
  assert mouth.shape == (105,)
  assert mouth.min() < 0.05 and mouth.max() > 0.5
  voicing = tracks.voicing[4::8]
  assert np.corrcoef(mouth, voicing)[0, 1] > 0.4


def test_timbre_shapes_the_spectrum() -> None:
  person = _population()[0]
  flat = dataclasses.replace(person.voice, timbre_db=(0.0,) * 12)
  # Knot 8 of 0 to 11 lies at 3,677 Hz.
  high = dataclasses.replace(
      flat, timbre_db=tuple(12.0 * (i == 8) for i in range(12)))
  power = []
  for voice in (flat, high):
    tracks = speech.make_tracks(voice, _ROWS, seeds.stream('timbre'))
    samples = voice_lib.make_voice(
        tracks, voice, _SAMPLES, seeds.stream('timbre', 'sound'))
    spectrum = np.abs(np.fft.rfft(samples.astype(np.float64))) ** 2
    hertz = np.fft.rfftfreq(_SAMPLES, 1 / 16000)
    power.append([
        spectrum[(hertz > low) & (hertz < high)].mean()
        for low, high in ((3500, 3900), (300, 900))])
  gain_db = 10 * np.log10(np.array(power[1]) / power[0])
  # Noise fills a part of what the timbre adds; loudness is the channel's.
  assert 6 < gain_db[0] - gain_db[1] < 13
