"""Face boxes of a video, in the txt form of VoxCeleb.

Header lines (identity, reference, `Offset : n`, confidences) of any number,
then a line `FRAME X Y W H` and one row per frame: FRAME counts at 25 frames per
second from the start of the video; X, Y is the upper left corner, W and H the
size of the face, in pixels (VoxCeleb1) or as fractions of the picture's width
and height (VoxCeleb2). Fields are separated by tabs, blanks or commas.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
import re

import numpy as np

from earsr_tf.media import sniffing

FPS = 25
NEEDED = (
    'shows more than a face; give its face boxes in a txt file (beside the '
    "video, or in txt/ of a tree, or as boxes_file of a table): a line 'FRAME "
    "X Y W H', then a row per frame at 25 frames/s, X Y W H in pixels or as "
    'fractions of width and height; or have it found (--detect_faces)')

_MAX_BYTES = 4 << 20
_HEADER = re.compile(r'\s*FRAME[\s,]+X[\s,]+Y[\s,]+W[\s,]+H[\s,]*', re.I)
_LARGEST_FRACTION = 2.0  # no face is two pixels wide


@dataclasses.dataclass(frozen=True)
class Track:
  """One face through a video.

  Attributes:
    path: The file it was read from.
    frames: [n] int64, ascending frame numbers at 25 frames per second.
    corners: [n, 4] float64, X, Y, W, H as they stand.
    are_fractions: Whether they are fractions of the picture.
  """
  path: str
  frames: np.ndarray
  corners: np.ndarray
  are_fractions: bool

  def squares(self, width: int, height: int) -> np.ndarray:
    """Squares around the faces, inside the picture.

    The side is the longer one of the box, the centre the box's; a square that
    leaves the picture is moved back.

    Args:
      width: Of the picture, in pixels.
      height: Likewise.

    Returns:
      [n, 3] float64: left, top, side in pixels.

    Raises:
      MediaError: If a box lies outside the picture.
    """
    unit = np.array([width, height] * 2) if self.are_fractions else 1.0
    x, y, w, h = (self.corners * unit).T
    outside = (x + w <= 0) | (y + h <= 0) | (x >= width) | (y >= height)
    if outside.any():
      raise sniffing.MediaError(
          self.path, f'has its box of frame {self.frames[outside.argmax()]} '
          f'outside the picture of {width} x {height}',
          'give the boxes of this very video')
    side = np.minimum(np.maximum(w, h), min(width, height))
    left = np.clip(x + w / 2 - side / 2, 0, width - side)
    top = np.clip(y + h / 2 - side / 2, 0, height - side)
    return np.stack([left, top, side], axis=1)


def read_track(path: str | os.PathLike[str]) -> Track:
  """Reads the boxes of a face.

  Args:
    path: The txt file; at most 4 MB.

  Raises:
    MediaError: If it holds no boxes or a row makes no sense.
  """
  sniffing.sniff(path)
  sniffing.check_bytes(path, _MAX_BYTES)
  lines = pathlib.Path(path).read_text('utf-8-sig', 'replace').splitlines()
  start = next((i for i, x in enumerate(lines) if _HEADER.fullmatch(x)), None)
  if start is None:
    raise sniffing.MediaError(
        path, "has no line 'FRAME X Y W H'", 'give face boxes below one')
  rows = [_row(path, i + 1, lines[i]) for i in range(start + 1, len(lines))
          if lines[i].strip()]
  if not rows:
    raise sniffing.MediaError(path, 'has no boxes', 'give one per frame')
  table = np.array(sorted(rows), np.float64)
  frames = table[:, 0].astype(np.int64)
  twice = np.flatnonzero(np.diff(frames) == 0)
  if twice.size:
    raise sniffing.MediaError(
        path, f'has two boxes of frame {frames[twice[0]]}',
        'give one file per face')
  corners = table[:, 1:]
  return Track(os.fspath(path), frames, corners, bool(
      corners[:, 2:].max() <= _LARGEST_FRACTION))


def _row(
    path: str | os.PathLike[str], number: int, line: str
) -> tuple[float, ...]:
  """Frame, X, Y, W, H of a line."""
  try:
    row = tuple(float(x) for x in re.split(r'[\s,]+', line.strip(' \t,\r')))
    frame, *corners = row
    x, y, w, h = corners
    is_good = (
        frame == int(frame) and 0 <= frame < 1 << 31 and w > 0 and h > 0
        and np.isfinite([x, y, w, h]).all())
  except (ValueError, OverflowError):
    is_good = False
  if not is_good:
    raise sniffing.MediaError(
        path, f'has no frame and box in line {number}',
        'give FRAME X Y W H with W and H above 0')
  return row
