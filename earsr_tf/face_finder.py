"""Finds the face in a photograph and frames it as VoxCeleb2's are framed.

The frame follows from the face's box alone. In crops of VoxCeleb2 of 224x224
the boxes of mtcnn have the median x 52, y 17, width 130, height 179, so a box
gives a square of that proportion around itself. mtcnn 1.0.0 (MIT, weights in
its wheel) is an optional package; a box by hand needs none.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.util
import os
from typing import Any, Callable

import numpy as np
from PIL import Image

from earsr_tf import cli
from earsr_tf import environment
from earsr_tf import face_and_voice

# The median box in a crop of VoxCeleb2.
_CROP_SIDE = 224
_BOX_CENTRE = (52 + 130 / 2, 17 + 179 / 2)
_BOX_SIZE = (130, 179)

_LOOKED_AT = 1024  # pixels of the longer side; faces for 128x128 are larger
_CONFIDENCE = 0.95
_BESIDE = 1 / 3  # of the tallest face: lower ones stand in the background
_MIN_SIDE = 8.0


@dataclasses.dataclass(frozen=True)
class Box:
  """A face, from brow to chin and cheek to cheek, in pixels of a picture.

  Attributes:
    left: Distance from the left.
    top: Distance from the top.
    width: Its width.
    height: Its height.
  """
  left: float
  top: float
  width: float
  height: float

  def scaled(self, factor: float) -> Box:
    """The box in a picture that is larger by a factor."""
    return Box(*(value * factor for value in dataclasses.astuple(self)))

  def __str__(self) -> str:
    return ','.join(f'{v:.0f}' for v in dataclasses.astuple(self))


def parse_box(text: str) -> Box:
  """Reads 'x,y,w,h'; InputError if it is no such box."""
  try:
    box = Box(*(float(part) for part in text.split(',')))
  except (TypeError, ValueError):
    box = Box(0.0, 0.0, 0.0, 0.0)
  if not (1.0 <= min(box.width, box.height) and (
      np.isfinite(dataclasses.astuple(box)).all())):
    raise cli.InputError(
        f'--box={text}: must be x,y,w,h in pixels, such as 52,17,130,179',
        cli.USAGE)
  return box


def framed(picture: np.ndarray, box: Box, name: str = 'image') -> np.ndarray:
  """Cuts out the square that VoxCeleb2 would show of a face.

  Args:
    picture: [H, W, 3] uint8.
    box: The face in it.
    name: What the picture is called in errors.

  Returns:
    [S, S, 3] uint8.

  Raises:
    InputError: If the box lies outside the picture.
  """
  left, top, side = frame(picture, box, name)
  return picture[top:top + side, left:left + side]


def frame(picture: np.ndarray, box: Box, name: str = 'image'
          ) -> tuple[int, int, int]:
  """Where the square lies that VoxCeleb2 would show of a face.

  Args:
    picture: [H, W, 3] uint8.
    box: The face in it.
    name: What the picture is called in errors.

  Returns:
    Its left, top and side in pixels; it is moved, and at last made smaller,
    until it lies inside the picture.

  Raises:
    InputError: If the box lies outside the picture.
  """
  height, width = picture.shape[:2]
  if not (box.left < width and box.top < height and box.left + box.width > 0
          and box.top + box.height > 0):
    raise cli.InputError(
        f'--box={box}: lies outside {name}, which has {width} x {height} '
        'pixels', cli.USAGE)
  scale = (box.width / _BOX_SIZE[0] + box.height / _BOX_SIZE[1]) / 2
  side = round(min(max(_CROP_SIDE * scale, _MIN_SIDE), width, height))
  left, top = (
      int(np.clip(round(start + length / 2 - centre * side / _CROP_SIDE), 0,
                  total - side))
      for start, length, centre, total in (
          (box.left, box.width, _BOX_CENTRE[0], width),
          (box.top, box.height, _BOX_CENTRE[1], height)))
  return left, top, side


def find(picture: np.ndarray) -> list[Box]:
  """Finds the faces of a picture.

  Args:
    picture: [H, W, 3] uint8.

  Returns:
    Their boxes from left to right, without those in the background.

  Raises:
    InputError: If mtcnn is not there.
  """
  height, width = picture.shape[:2]
  scale = max(1.0, max(height, width) / _LOOKED_AT)
  small = picture
  if scale > 1.0:
    small = np.asarray(Image.fromarray(picture).resize(
        (max(1, round(width / scale)), max(1, round(height / scale))),
        Image.Resampling.BICUBIC))
  found = [
      Box(*(float(v) * scale for v in face['box']))
      for face in _detector().detect_faces(small)
      if face['confidence'] >= _CONFIDENCE]
  tallest = max((box.height for box in found), default=0.0)
  return sorted((box for box in found if box.height >= _BESIDE * tallest),
                key=lambda box: box.left)


def only_face(picture: np.ndarray, name: str, reduction: float = 1.0) -> Box:
  """Finds the one face of a picture.

  Args:
    picture: [H, W, 3] uint8.
    name: What it is called in errors.
    reduction: By which its file is larger, for the boxes in errors.

  Raises:
    InputError: If there is none, or more than one.
  """
  boxes = find(picture)
  if not boxes:
    raise cli.InputError(
        f'{name}: no face was found; say where it is with --box=x,y,w,h, or '
        'leave out --detect_faces to use the whole picture', cli.BAD_DATA)
  if boxes[1:]:
    raise cli.InputError(
        f'{name}: has {len(boxes)} faces; make a file of each with '
        '--faces=all, or choose one, from left to right: ' + ' '.join(
            f'--box={box.scaled(reduction)}' for box in boxes), cli.BAD_DATA)
  return boxes[0]


def framing(image: str, box: str, detect_faces: bool
            ) -> Callable[[str], face_and_voice.Picture]:
  """Makes what makes the model's picture of a file.

  Args:
    image: Picture, or folder of them.
    box: 'x,y,w,h' of the face in a picture; '' for none.
    detect_faces: Whether its only face is found.

  Returns:
    Path -> [S, S, 3] uint8; the path itself if nothing is to be framed.

  Raises:
    InputError: If a box is none, or does not go with the rest.
  """
  if not (box or detect_faces):
    return lambda path: path
  if box and (detect_faces or os.path.isdir(image)):
    raise cli.InputError(
        f'--box={box}: is for one picture, and without --detect_faces',
        cli.USAGE)
  chosen = parse_box(box) if box else None

  def picture_of(path: str) -> np.ndarray:
    """Path -> [S, S, 3] uint8."""
    picture = face_and_voice.read_picture(path)
    scale = face_and_voice.reduction(path, picture)
    if chosen:
      return framed(picture, chosen.scaled(1 / scale), path)
    return framed(picture, only_face(picture, path, scale), path)
  return picture_of


def check_installed(instead: str = 'or say where the face is') -> None:
  """Refuses to go on without mtcnn; loads nothing.

  Args:
    instead: What else can be done; ends the sentence.

  Raises:
    InputError: If it is not there.
  """
  try:
    is_there = importlib.util.find_spec('mtcnn') is not None
  except ValueError:  # what tests put in its place
    is_there = False
  if not is_there:
    raise cli.InputError(
        '--detect_faces: needs the package mtcnn; pip install mtcnn==1.0.0, '
        f'{instead}', cli.USAGE)


@functools.cache
def _detector() -> Any:
  """mtcnn's detector, made once."""
  check_installed()
  environment.load_tensorflow()
  import mtcnn
  return mtcnn.MTCNN()
