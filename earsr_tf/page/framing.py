"""Which square of a photograph is the face, and how it is changed by hand."""

from __future__ import annotations

import dataclasses
import os

import numpy as np
from PIL import Image
from PIL import ImageDraw

from earsr_tf import environment
from earsr_tf import face_and_voice
from earsr_tf import face_finder

_SHOWN = 480  # pixels of the longer side of what is shown of a photograph
_SMALLEST = 8  # pixels of a frame's side
_LOOKED_AT = 32  # a smaller picture is a face, not a photograph with one
# A picture that is square up to a tenth, and whose frame would have three
# quarters of its side, was framed before.
_SQUARE, _FILLED = 1.1, 0.75
_FRAME, _OTHER, _DARK = (255, 196, 0), (255, 255, 255), (0, 0, 0)


@dataclasses.dataclass(frozen=True)
class Framed:
  """A photograph and the square of it that is used.

  Attributes:
    picture: [H, W, 3] uint8.
    name: What it is called.
    boxes: The faces found in it, from left to right.
    left: Of the square, in pixels.
    top: Of the square, in pixels.
    side: Of the square, in pixels.
  """
  picture: np.ndarray
  name: str
  boxes: tuple[face_finder.Box, ...]
  left: int
  top: int
  side: int

  @property
  def face(self) -> np.ndarray:
    """What is inside the square: [side, side, 3] uint8."""
    return self.picture[self.top:self.top + self.side,
                        self.left:self.left + self.side]

  @property
  def place(self) -> tuple[float, float, float]:
    """Centre from the left and the top, and side, in per cent.

    The centre is in per cent of width and height, the side of the shorter one.
    """
    height, width = self.picture.shape[:2]
    return (100.0 * (self.left + self.side / 2) / width,
            100.0 * (self.top + self.side / 2) / height,
            100.0 * self.side / min(height, width))


def read(path: str) -> Framed:
  """Reads a photograph and frames the face in it.

  Args:
    path: Picture file.

  Returns:
    The largest face that is found, framed as in the training. The square in
    the centre where none is, where nothing is there to find it, and where the
    picture is square and filled by a face already.

  Raises:
    MediaError: If the file is no usable picture.
  """
  picture = face_and_voice.read_picture(path)
  height, width = picture.shape[:2]
  side = min(height, width)
  framed = Framed(
      picture, os.path.basename(path), (), (width - side) // 2,
      (height - side) // 2, side)
  if side < _LOOKED_AT or not can_find():
    return framed
  boxes = tuple(face_finder.find(picture))
  if not boxes:
    return framed
  framed = dataclasses.replace(framed, boxes=boxes)
  found = _around(framed, max(boxes, key=lambda box: box.height))
  is_square = max(height, width) <= _SQUARE * side
  return framed if is_square and found.side >= _FILLED * side else found


def can_find() -> bool:
  """Whether the optional package that finds faces is there."""
  return not environment.missing({'mtcnn': 'mtcnn'})


def place(framed: Framed, across: float, down: float, size: float) -> Framed:
  """Puts the square elsewhere.

  Args:
    framed: The photograph.
    across: Centre of the square, in per cent of the width.
    down: Centre of the square, in per cent of the height.
    size: Its side, in per cent of the shorter side.

  Returns:
    The same with the square there; it is moved until it lies inside.
  """
  height, width = framed.picture.shape[:2]
  shorter = min(height, width)
  side = int(np.clip(
      round(shorter * size / 100.0), min(_SMALLEST, shorter), shorter))
  left, top = (
      int(np.clip(round(length * share / 100.0 - side / 2), 0, length - side))
      for length, share in ((width, across), (height, down)))
  return dataclasses.replace(framed, left=left, top=top, side=side)


def choose(framed: Framed, x: float, y: float) -> Framed:
  """Frames the face at a place; where none was found, that is the centre.

  Args:
    framed: The photograph.
    x: From the left, in pixels of what `drawn` shows.
    y: From the top, likewise.

  Returns:
    The same with the square there.
  """
  height, width = framed.picture.shape[:2]
  scale = max(height, width) / max(_shown_size(framed))
  x, y = x * scale, y * scale
  for box in framed.boxes:
    if 0 <= x - box.left <= box.width and 0 <= y - box.top <= box.height:
      return _around(framed, box)
  return place(framed, 100.0 * x / width, 100.0 * y / height, framed.place[2])


def drawn(framed: Framed) -> np.ndarray:
  """Draws the square, and the other faces thinly, into the photograph.

  Args:
    framed: The photograph.

  Returns:
    [H, W, 3] uint8, the longer side 480.
  """
  size = _shown_size(framed)
  scale = size[0] / framed.picture.shape[1]
  few = max(framed.picture.shape[:2]) <= _LOOKED_AT
  shown = Image.fromarray(framed.picture).resize(
      size, Image.Resampling.NEAREST if few else Image.Resampling.BICUBIC)
  pen = ImageDraw.Draw(shown)
  for box in framed.boxes if framed.boxes[1:] else ():
    corner = (box.left * scale, box.top * scale)
    end = (corner[0] + box.width * scale, corner[1] + box.height * scale)
    pen.rectangle((*corner, *end), outline=_OTHER)
  corner = (round(framed.left * scale), round(framed.top * scale))
  end = (round((framed.left + framed.side) * scale) - 1,
         round((framed.top + framed.side) * scale) - 1)
  pen.rectangle((*corner, *end), outline=_DARK, width=5)
  pen.rectangle((corner[0] + 1, corner[1] + 1, end[0] - 1, end[1] - 1),
                outline=_FRAME, width=3)
  return np.asarray(shown)


def _around(framed: Framed, box: face_finder.Box) -> Framed:
  """The square that the training would show of a face."""
  left, top, side = face_finder.frame(framed.picture, box, framed.name)
  return dataclasses.replace(framed, left=left, top=top, side=side)


def _shown_size(framed: Framed) -> tuple[int, int]:
  """Width and height of what is shown."""
  height, width = framed.picture.shape[:2]
  scale = _SHOWN / max(height, width)
  return max(1, round(width * scale)), max(1, round(height * scale))
