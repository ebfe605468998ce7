"""What is said: syllables turned into slow control tracks.

A SyntheticVox clip says nonsense: vowels, consonants and pauses drawn from
the clip's stream. Content carries no identity; only the speaking rate and
intonation range come from the person (stand-in for paper section 4.1's data).
"""

from __future__ import annotations

import dataclasses

import numpy as np

from earsr_tf.synthetic import people

SAMPLE_RATE_HZ = 16000
CONTROL_HZ = 200
FORMANTS = 5

# First four formants in Hz of an average man, and how open the mouth is.
_VOWELS = (
    (290, 2250, 2950, 3500, 0.15), (400, 1950, 2550, 3450, 0.30),
    (550, 1800, 2480, 3450, 0.50), (690, 1650, 2420, 3400, 0.75),
    (730, 1150, 2450, 3350, 1.00), (570, 880, 2420, 3350, 0.70),
    (440, 1020, 2240, 3300, 0.40), (310, 880, 2250, 3300, 0.20),
    (500, 1450, 2450, 3400, 0.45))
_NASAL = (270, 1250, 2300, 3300)


@dataclasses.dataclass(frozen=True)
class Tracks:
  """Controls at 200 Hz; every array has one row per 5 ms.

  Attributes:
    f0_hz: [n] fundamental frequency.
    formants_hz: [n, 5] formant frequencies, the person's tract included.
    voicing: [n] amplitude of voicing, 0 to 1.
    hiss: [n, 2] amplitudes of low and high frication.
    mouth: [n] how open the mouth is, 0 to 1.
  """
  f0_hz: np.ndarray
  formants_hz: np.ndarray
  voicing: np.ndarray
  hiss: np.ndarray
  mouth: np.ndarray


@dataclasses.dataclass
class _Script:
  """Targets before smoothing; same shapes as in Tracks."""
  formants: np.ndarray
  voicing: np.ndarray
  hiss: np.ndarray
  mouth: np.ndarray


def _smooth(values: np.ndarray, width: int) -> np.ndarray:
  """Moving Hann average over `width` rows, along axis 0."""
  window = np.hanning(width + 2)[1:-1]
  window /= window.sum()
  padded = np.concatenate([
      np.repeat(values[:1], width // 2, 0), values,
      np.repeat(values[-1:], width - 1 - width // 2, 0)])
  if values.ndim == 1:
    return np.convolve(padded, window, 'valid')
  return np.stack([
      np.convolve(padded[:, i], window, 'valid')
      for i in range(values.shape[1])], 1)


def _fill_consonant(
    script: _Script, start: int, stop: int, rng: np.random.Generator) -> None:
  """Writes one consonant's targets into rows [start, stop)."""
  kind = rng.random()
  level = 0.5 + 0.5 * rng.random()
  script.mouth[start:stop] = 0.08
  if kind < 0.30:  # Fricative; a third of them voiced.
    script.hiss[start:stop, int(rng.random() < 0.6)] = level
    script.voicing[start:stop] = 0.25 if rng.random() < 0.35 else 0.0
    script.mouth[start:stop] = 0.18
  elif kind < 0.58:  # Stop: silence, then a burst.
    burst = max(stop - 4, start)
    script.voicing[start:stop] = 0.0
    script.hiss[burst:stop, int(rng.random() < 0.5)] = 0.8 * level
  elif kind < 0.80:  # Nasal.
    script.voicing[start:stop] = 0.45
    script.formants[start:stop, :4] = _NASAL
  else:  # Approximant.
    script.voicing[start:stop] = 0.6
    script.formants[start:stop, 1] *= 0.8
    script.mouth[start:stop] = 0.25


def _write_script(
    rows: int, rate: float, rng: np.random.Generator) -> _Script:
  """Draws syllables and pauses until `rows` controls are filled."""
  script = _Script(
      np.tile(np.array([500.0, 1500.0, 2500.0, 3400.0, 4300.0]), (rows, 1)),
      np.zeros(rows), np.zeros((rows, 2)), np.zeros(rows))
  row = int(8 + 20 * rng.random())
  until_pause = int(rng.integers(4, 9))
  while row < rows - 12:
    syllable = CONTROL_HZ / rate * (0.75 + 0.5 * rng.random())
    consonant = int(syllable * (0.25 + 0.2 * rng.random()))
    vowel = _VOWELS[int(rng.integers(len(_VOWELS)))]
    end = min(row + int(syllable), rows - 6)
    script.formants[row:end, :4] = vowel[:4]
    stress = 0.65 + 0.35 * rng.random()
    script.voicing[row:end] = stress
    script.mouth[row:end] = vowel[4] * stress
    if rng.random() < 0.85:
      _fill_consonant(script, row, min(row + consonant, end), rng)
    row = end
    until_pause -= 1
    if until_pause <= 0:
      row += int(CONTROL_HZ * (0.12 + 0.28 * rng.random()))
      until_pause = int(rng.integers(4, 10))
  return script


def make_tracks(
    voice: people.VoiceIdentity, rows: int,
    rng: np.random.Generator) -> Tracks:
  """Controls of one clip.

  Args:
    voice: Who speaks.
    rows: How many 5 ms rows.
    rng: The clip's speech stream.

  Returns:
    Tracks of `rows` rows.
  """
  script = _write_script(rows, voice.rate, rng)
  formants = _smooth(script.formants, 9) * voice.tract
  formants[:, :4] *= np.array(voice.formants)
  # Formant detail beyond the table: slow drift.
  intonation = _smooth(rng.standard_normal(rows), 61) * 61 ** 0.5 * 0.8
  time = np.arange(rows) / CONTROL_HZ
  fall = 0.12 - 0.05 * time
  tremor = voice.tremor * np.sin(2 * np.pi * (
      4.6 * time + rng.random()))
  mood = 0.08 * float(np.clip(rng.standard_normal(), -2, 2))
  octaves = np.clip(
      voice.f0_range * intonation + fall + tremor + mood, -0.7, 0.7)
  return Tracks(
      f0_hz=voice.f0_hz * np.exp2(octaves), formants_hz=formants,
      voicing=_smooth(script.voicing, 7), hiss=_smooth(script.hiss, 5),
      mouth=_smooth(script.mouth, 17))


def mouth_track(tracks: Tracks, frames: int, frame_hz: int) -> np.ndarray:
  """[frames] mouth opening in [0, 1], one value per video frame."""
  when = (np.arange(frames) + 0.5) * (CONTROL_HZ / frame_hz)
  opening = np.interp(when, np.arange(tracks.mouth.size), tracks.mouth)
  return np.clip(opening * 1.25 - 0.08, 0.0, 1.0)
