"""Random streams keyed by names, the same in every process and machine.

SyntheticVox stands in for VoxCeleb2 (paper section 4.1); each of its people,
videos and clips owns named streams, so that no drawing depends on the order
in which workers run.
"""

from __future__ import annotations

import hashlib

import numpy as np


def stream(*names: str | int) -> np.random.Generator:
  """A PCG64 generator that is a function of `names` alone.

  Args:
    *names: What the stream belongs to, e.g. (seed, 'id00001', 'face').

  Returns:
    A fresh generator; equal names give equal streams.
  """
  text = '\x1f'.join(str(name) for name in names)
  digest = hashlib.sha256(text.encode('utf-8')).digest()
  entropy = [
      int.from_bytes(digest[i:i + 4], 'little') for i in range(0, 32, 4)]
  return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))


def choose(
    rng: np.random.Generator, weights: dict[str, float]) -> str:
  """Draws one key of `weights` with probability proportional to its value."""
  total = sum(weights.values())
  mark = rng.random() * total
  last = ''
  for name, weight in weights.items():
    if weight <= 0:
      continue
    last = name
    mark -= weight
    if mark < 0:
      return name
  return last
