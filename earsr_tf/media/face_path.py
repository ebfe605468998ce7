"""Where a face is in each frame of a video, from looks at some of its frames.

Within a shot (between two cuts) a face moves little from look to look, so the
box that overlaps most with the one before is the same face. Between looks boxes
are interpolated, and then smoothed, since a finder's boxes tremble.
"""

from __future__ import annotations

import dataclasses
from typing import Mapping, Sequence

import numpy as np
from PIL import Image
from scipy import ndimage

# Mean difference of 8x8 copies, in levels. In 18 real clips the largest step
# from one frame to the next is 16.5; the first frames of two of them differ by
# 21.6 or more, half of the pairs by 63 or more.
CUT_LEVELS = 19.0
_SMALL = 8
_SMOOTH_S = 0.2  # standard deviation
_REACH = 1.0  # a face that moves further between looks than its size is another


@dataclasses.dataclass(frozen=True)
class Path:
  """A face through a video.

  Attributes:
    boxes: [n, 4] float64: left, top, width, height in pixels of each frame; NaN
      in shots without a face.
    shots: [n] int64, the shot of each frame.
    chosen: Numbers of the first frames of shots, other than the first, in which
      several faces were seen and the tallest was followed.
  """
  boxes: np.ndarray
  shots: np.ndarray
  chosen: list[int]


class SeveralFacesError(ValueError):
  """Several faces are there at first, and none was named.

  Attributes:
    boxes: [k, 4] float64, from left to right.
  """

  def __init__(self, boxes: np.ndarray):
    """Takes the boxes."""
    super().__init__('several faces')
    self.boxes = boxes


def small(frame: np.ndarray) -> np.ndarray:
  """[H, W, 3] uint8 -> [8, 8, 3] int16, by which cuts are told."""
  return np.asarray(Image.fromarray(frame).resize(
      (_SMALL, _SMALL), Image.Resampling.BOX), np.int16)


def shots_of(smalls: Sequence[np.ndarray]) -> np.ndarray:
  """Numbers the shots of a video.

  Args:
    smalls: [n, 8, 8, 3] int16, what `small` makes of its frames.

  Returns:
    [n] int64: 0 in the first shot, ascending.
  """
  steps = np.abs(np.diff(np.asarray(smalls), axis=0)).mean(axis=(1, 2, 3))
  return np.concatenate([[0], np.cumsum(steps > CUT_LEVELS)]).astype(np.int64)


def follow(
    looks: Mapping[int, np.ndarray], shots: np.ndarray, rate: float,
    first: np.ndarray | None = None) -> Path:
  """Follows one face.

  Args:
    looks: Frame number -> [k, 4] float64 boxes of the faces in it, k >= 0.
    shots: [n] int64, the shot of each frame.
    rate: Frames per second.
    first: [4], the face that is followed from the first look with a face on;
      None if there is only one.

  Returns:
    The face's path.

  Raises:
    SeveralFacesError: If there are several at first, and `first` is None.
  """
  boxes = np.full((shots.size, 4), np.nan)
  chosen, is_first = [], True
  for shot in range(shots[-1] + 1):
    numbers = np.flatnonzero(shots == shot)
    seen, before = {}, None
    for number in (n for n in numbers if n in looks):
      found = looks[number]
      if before is None and len(found):
        if is_first:
          before = _choose(found, first)
        else:
          before = found[np.argmax(found[:, 3])]
          if found[1:].size:
            chosen.append(int(numbers[0]))
        seen[number], is_first = before, False
        continue
      nearest = _nearest(found, before) if before is not None else None
      if nearest is not None:
        seen[number] = before = nearest
    if seen:
      boxes[numbers] = _between(seen, numbers, rate)
  return Path(boxes, shots, chosen)


def _choose(found: np.ndarray, first: np.ndarray | None) -> np.ndarray:
  """The face that is meant, of [k, 4]."""
  if first is not None:
    return found[np.argmin(_distances(found, first))]
  if len(found) > 1:
    raise SeveralFacesError(found)
  return found[0]


def _nearest(found: np.ndarray, before: np.ndarray) -> np.ndarray | None:
  """The same face a look later; None if it is not there."""
  if not len(found):
    return None
  distances = _distances(found, before)
  best = int(np.argmin(distances))
  return found[best] if distances[best] <= _REACH else None


def _distances(found: np.ndarray, box: np.ndarray) -> np.ndarray:
  """[k] distances of centres, and differences in size, in sizes of a box."""
  centres = found[:, :2] + found[:, 2:] / 2 - (box[:2] + box[2:] / 2)
  return np.hypot(np.hypot(*centres.T), found[:, 3] - box[3]) / box[2:].mean()


def _between(
    seen: Mapping[int, np.ndarray], numbers: np.ndarray, rate: float
) -> np.ndarray:
  """[m, 4] boxes of a shot's frames, from those of some of them."""
  at = sorted(seen)
  table = np.stack([seen[number] for number in at])
  dense = np.stack(
      [np.interp(numbers, at, column) for column in table.T], axis=1)
  return ndimage.gaussian_filter1d(
      dense, _SMOOTH_S * rate, axis=0, mode='nearest')
