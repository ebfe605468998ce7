"""How it is said: source-filter synthesis of a voice.

Each glottal pulse sounds as a sum of five decaying sines at the formants of
that moment (a parallel formant synthesiser, pulse by pulse); pulses are
jittered and shimmered, breath and frication are shaped noise, and a channel
with noise and an echo follows (stand-in for paper section 4.1's voices).
"""

from __future__ import annotations

import numpy as np
from scipy import fft
from scipy import signal

from earsr_tf.synthetic import people
from earsr_tf.synthetic import speech

_LENGTH = 224  # Samples of one pulse's response.
_LEVELS = np.array([1.0, -0.62, 0.40, -0.26, 0.16])
_BANDWIDTHS_HZ = np.array([75.0, 95.0, 130.0, 190.0, 260.0])


def _pulse_times(
    tracks: speech.Tracks, voice: people.VoiceIdentity,
    rng: np.random.Generator) -> np.ndarray:
  """[p] moments of the glottal pulses, in samples."""
  phase = np.cumsum(tracks.f0_hz) / speech.CONTROL_HZ
  rows = np.arange(phase.size, dtype=np.float64)
  count = int(phase[-1] - 1)
  marks = np.arange(count) + 1.0 + voice.jitter * np.clip(
      rng.standard_normal(count), -3, 3)
  when = np.interp(marks, phase, rows)
  return when * (speech.SAMPLE_RATE_HZ / speech.CONTROL_HZ)


def _voiced(
    tracks: speech.Tracks, voice: people.VoiceIdentity, samples: int,
    rng: np.random.Generator) -> np.ndarray:
  """[samples] float64: the sum of all pulse responses."""
  times = _pulse_times(tracks, voice, rng)
  rows = times * (speech.CONTROL_HZ / speech.SAMPLE_RATE_HZ)
  axis = np.arange(tracks.voicing.size)
  level = np.interp(rows, axis, tracks.voicing)
  level *= 1 + voice.shimmer * np.clip(
      rng.standard_normal(level.size), -3, 3)
  times, rows, level = (
      values[level > 0.01] for values in (times, rows, level))
  first = np.floor(times).astype(np.int64)
  fraction = (times - first).astype(np.float32)
  lag = np.arange(_LENGTH, dtype=np.float32)[None] + (1 - fraction)[:, None]
  fade = np.minimum(1, (_LENGTH - np.arange(_LENGTH)) / 48)
  response = np.zeros((times.size, _LENGTH), np.float32)
  for index in range(speech.FORMANTS):
    formant = np.interp(rows, axis, tracks.formants_hz[:, index])
    turn = (formant * (2 * np.pi / speech.SAMPLE_RATE_HZ)).astype(np.float32)
    decay = np.exp(-np.pi * _BANDWIDTHS_HZ[index] * voice.bandwidth
                   * np.arange(_LENGTH) / speech.SAMPLE_RATE_HZ)
    response += np.sin(lag * turn[:, None]) * (
        decay * fade * _LEVELS[index]).astype(np.float32)
  response *= level[:, None].astype(np.float32)
  where = (first[:, None] + 1 + np.arange(_LENGTH)[None]).ravel()
  total = np.bincount(
      where, response.ravel(), minlength=samples + _LENGTH + 2)[:samples]
  pole = voice.tilt
  return signal.lfilter([1 - pole], [1, -pole], total)


def _noises(
    tracks: speech.Tracks, voice: people.VoiceIdentity, samples: int,
    rng: np.random.Generator) -> np.ndarray:
  """[samples] float64: breath and frication."""
  when = np.arange(samples) * (speech.CONTROL_HZ / speech.SAMPLE_RATE_HZ)
  axis = np.arange(tracks.voicing.size)
  size = fft.next_fast_len(samples, real=True)
  spectrum = fft.rfft(rng.standard_normal(samples), size)
  hertz = np.arange(spectrum.size) * (speech.SAMPLE_RATE_HZ / size)
  shapes = (
      (hertz / 3000) / (1 + (hertz / 3000) ** 2),
      np.exp(-((hertz / voice.tract - 2600) / 900) ** 2),
      np.exp(-((hertz / voice.tract - 5200) / 1500) ** 2))
  levels = (
      0.5 * voice.breath * tracks.voicing, 0.10 * tracks.hiss[:, 0],
      0.08 * tracks.hiss[:, 1])
  total = np.zeros(samples)
  for shape, level in zip(shapes, levels):
    band = fft.irfft(spectrum * shape, size)[:samples]
    total += band * np.interp(when, axis, level)
  return total


def _envelope(hertz: np.ndarray, knots_db: np.ndarray) -> np.ndarray:
  """Gains at `hertz` of a curve given at even steps in mel up to 8 kHz."""
  mel = np.log1p(hertz / 700) / np.log1p(8000 / 700) * (len(knots_db) - 1)
  return 10 ** (np.interp(mel, np.arange(len(knots_db)), knots_db) / 20)


def _channel(
    wave: np.ndarray, timbre_db: tuple[float, ...],
    rng: np.random.Generator) -> np.ndarray:
  """The person's timbre; microphone, room, background noise and loudness."""
  draws = np.clip(rng.standard_normal(10), -2, 2)
  samples = wave.size
  size = fft.next_fast_len(samples, real=True)
  hertz = np.arange(size // 2 + 1) * (speech.SAMPLE_RATE_HZ / size)
  low = 70 * 2.0 ** draws[0]
  tilt = 1 + 0.30 * draws[1] * (hertz / 4000 - 1)
  gain = np.clip(tilt, 0.3, 2) * hertz ** 2 / (hertz ** 2 + low ** 2)
  gain *= _envelope(hertz, np.array(timbre_db)) * _envelope(
      hertz, 2.0 * draws[4:9])
  echo = 0.25 * rng.random()
  delay_s = 0.008 + 0.030 * rng.random()
  phase = 2 * np.pi * hertz * delay_s
  response = gain * (1 + echo * (np.cos(phase) - 1j * np.sin(phase)))
  wave = fft.irfft(fft.rfft(wave, size) * response, size)[:samples]
  wave /= max(float(np.sqrt(np.mean(wave ** 2))), 1e-6)
  snr_db = 14 + 22 * rng.random()
  pole = 0.5 + 0.2 * draws[9]  # From a hiss to a rumble.
  noise = signal.lfilter(
      [(1 - pole ** 2) ** 0.5], [1, -pole], rng.standard_normal(samples))
  wave += noise * 10 ** (-snr_db / 20)
  return wave * (10 ** ((-21 + 2.5 * draws[2]) / 20))


def make_voice(
    tracks: speech.Tracks, voice: people.VoiceIdentity, samples: int,
    rng: np.random.Generator) -> np.ndarray:
  """Synthesises a clip's voice.

  Args:
    tracks: Controls that cover the clip.
    voice: Who speaks.
    samples: Length at 16 kHz.
    rng: The clip's sound stream.

  Returns:
    [samples] int16, mono, 16 kHz.
  """
  voiced = _voiced(tracks, voice, samples, rng)
  # Loudness of voicing does not depend on F0 or tilt: it is the channel's.
  voiced *= 0.1 / max(float(np.sqrt(np.mean(voiced ** 2))), 1e-6)
  wave = _channel(
      voiced + _noises(tracks, voice, samples, rng), voice.timbre_db, rng)
  return np.clip(
      np.floor(wave * 32767 + 0.5), -32768, 32767).astype(np.int16)
