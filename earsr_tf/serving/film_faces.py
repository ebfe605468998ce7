"""The faces of a film: one code for each shot, or one for each frame.

What the model sees of a frame are 8x8 pixels, so those of all frames are held:
an hour at 25 frames/s takes 17 MB. A shot's code is the mean of its frames'
codes, which have one voice; its picture then stands still unless it is
corrected towards each frame. Needs no TensorFlow itself.
"""

from __future__ import annotations

import dataclasses
from typing import Callable, Iterator, Protocol

import numpy as np
import tqdm

from earsr_tf.ops import consistency_mode

SHOT, FRAME = 'shot', 'frame'
CODES = (SHOT, FRAME)
BATCH = 16  # frames computed at a time, which bounds the memory


class Model(Protocol):
  """What is needed of `serving.codes.Coder`."""

  def encode(self, image_low: np.ndarray, waveform: np.ndarray,
             strength: float) -> np.ndarray:
    """[n, s, s, 3] uint8 and [64000] float32 -> [n, L, d] float32."""

  def render(self, code: np.ndarray, image_low: np.ndarray,
             consistency: str) -> np.ndarray:
    """[n, L, d] and [n, s, s, 3] uint8 -> [n, S, S, 3] uint8."""


@dataclasses.dataclass(frozen=True)
class Seen:
  """What the model sees of a film.

  Attributes:
    low: [n, s, s, 3] uint8, black where there is no face.
    shots: [n] int64, the shot of each frame.
    has_face: [n] bool.
  """
  low: np.ndarray
  shots: np.ndarray
  has_face: np.ndarray


def make(model: Model, seen: Seen, voice: np.ndarray, *, codes: str = SHOT,
         strength: float = 1.0, consistency: str = consistency_mode.OFF,
         is_steady: bool = False) -> Iterator[np.ndarray]:
  """Makes the faces of a film.

  Args:
    model: Encodes and renders.
    seen: What it sees of the film; at least one frame has a face.
    voice: [64000] float32 in [-1, 1].
    codes: 'shot': the mean of the codes of a shot; 'frame': each its own.
    strength: How much the voice counts, 0 to 1.5.
    consistency: 'off', 'exact' or a number of back-projection steps.
    is_steady: Whether all frames of a shot give the same picture.

  Yields:
    [S, S, 3] uint8 for each frame; black where there is no face.
  """
  def encode(rows: np.ndarray) -> np.ndarray:
    """Codes of frames, each from itself."""
    return model.encode(seen.low[rows], voice, strength)

  means = _means(encode, seen) if codes == SHOT else None

  def render(rows: np.ndarray) -> np.ndarray:
    """Faces of frames."""
    code = encode(rows) if means is None else means[seen.shots[rows]]
    return model.render(code, seen.low[rows], consistency)

  numbers = np.arange(len(seen.low))
  black = np.zeros_like(render(numbers[seen.has_face][:1])[0])
  if is_steady:
    for shot in range(seen.shots[-1] + 1):
      rows = numbers[seen.shots == shot]
      face = render(rows[:1])[0] if seen.has_face[rows[0]] else black
      yield from (face for _ in rows)
    return
  for rows in _chunks(numbers):
    wanted = rows[seen.has_face[rows]]
    faces = dict(zip(wanted, render(wanted))) if wanted.size else {}
    yield from (faces.get(number, black) for number in rows)


def _means(encode: Callable[[np.ndarray], np.ndarray], seen: Seen
           ) -> np.ndarray:
  """[number of shots, L, d] float32: means of the codes of their frames."""
  rows = np.flatnonzero(seen.has_face)
  total = np.zeros([seen.shots[-1] + 1, *encode(rows[:1]).shape[1:]])
  for part in tqdm.tqdm(_chunks(rows), 'codes', leave=False, disable=None):
    np.add.at(total, seen.shots[part], encode(part))
  count = np.bincount(seen.shots[rows], minlength=len(total))
  return (total / np.maximum(count, 1)[:, None, None]).astype(np.float32)


def _chunks(numbers: np.ndarray) -> list[np.ndarray]:
  """Numbers in batches."""
  return np.split(numbers, range(BATCH, len(numbers), BATCH))
