"""Which 4 s of a long recording are heard, and how loud they are made.

Both are beyond the paper, whose clips are cut and recorded alike. Training
draws its 4 s anywhere; here the loudest are taken, so that silence before the
voice does no harm. The log-spectrogram adds 1e-6 to the power before it scales
each clip to [-1, 1], so it does see loudness: a voice 40 dB below those of the
training moves 128 faces of the demo by 33 levels each (the pixel that moves
most), and by 3 once it is brought back into their range.
"""

from __future__ import annotations

import numpy as np

SAMPLE_RATE_HZ = 16_000
SEGMENT_SAMPLES = 64_000  # 4 s
HOP_SAMPLES = 1_600  # 0.1 s: segments begin at its multiples
TOLERANCE = 1e-3  # share of energy by which segments count as equal

# RMS of 4 s in dB of full scale. All voices of the synthetic people lie in
# this range, and the middle half of those of VoxCeleb and LibriSpeech.
TRAINING_LEVELS_DB = (-26.0, -16.0)


def loudest_start(levels: np.ndarray) -> int:
  """Finds the 4 s with the most energy.

  Args:
    levels: [n] of any real type, 16 kHz. A constant offset does not count.

  Returns:
    Number of the first sample, a multiple of 0.1 s; the earliest of equals,
    and 0 where there are no more than 4 s.
  """
  if levels.size <= SEGMENT_SAMPLES:
    return 0
  whole = levels.size // HOP_SAMPLES * HOP_SAMPLES
  blocks = levels[:whole].astype(np.float64)
  blocks -= blocks.mean()
  energy = np.square(blocks).reshape(-1, HOP_SAMPLES).sum(axis=1)
  total = np.concatenate([[0.0], np.cumsum(energy)])
  width = SEGMENT_SAMPLES // HOP_SAMPLES
  sums = total[width:] - total[:-width]
  # A sound that stays as it is begins where it begins, whatever its phase.
  return int(np.argmax(sums >= sums.max() * (1.0 - TOLERANCE))) * HOP_SAMPLES


def level_db(levels: np.ndarray) -> float:
  """Loudness of [n] samples in [-1, 1]: RMS about the mean, dB, >= -200."""
  power = float(np.var(levels, dtype=np.float64))
  return 10.0 * float(np.log10(max(power, 1e-20)))


def to_training_level(levels: np.ndarray) -> tuple[np.ndarray, float]:
  """Brings a voice into the training data's range of loudness.

  Args:
    levels: [n] float32 in [-1, 1], not silent.

  Returns:
    [n] float32 in [-1, 1] and the gain in dB: 0.0, and the very samples, for
    a voice within `TRAINING_LEVELS_DB`; else what brings it to the nearest
    end, or as near as the largest sample allows.
  """
  level = level_db(levels)
  lowest, highest = TRAINING_LEVELS_DB
  gain_db = min(max(level, lowest), highest) - level
  peak = float(np.abs(levels).max(initial=0.0))
  if gain_db > 0.0 and peak > 0.0:
    gain_db = max(0.0, min(gain_db, -20.0 * float(np.log10(peak))))
  if not gain_db:
    return levels, 0.0
  return levels * np.float32(10.0 ** (gain_db / 20.0)), gain_db
