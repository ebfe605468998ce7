"""The face in a still picture that nobody is heard with."""

from __future__ import annotations

import numpy as np

from earsr_tf.media import clip_files
from earsr_tf.media import found_face
from earsr_tf.media import reader


def read(clip: clip_files.Clip, size: int, finder: found_face.Finder | None
         ) -> np.ndarray:
  """Reads a picture.

  Args:
    clip: Its picture is local; a square of `crop` is cut out if it has one.
    size: Side of the result in pixels.
    finder: Finds the face where there is no `crop`: of several the one nearest
      to the middle, as in collections of portraits; None takes the centre
      square of the picture as it is.

  Returns:
    [size, size, 3] uint8.

  Raises:
    MediaError: If the picture is damaged, the square is not inside it, or no
      face is found.
  """
  path = clip.frames
  if clip.crop:
    return reader.centre_square(_cropped(path, clip.crop), size)
  if finder is None:
    return reader.read_image(path, size)
  picture = reader.read_image(path)
  boxes = finder.find(picture)
  if not len(boxes):
    raise reader.MediaError(
        path, 'shows no face that could be found',
        'give its square in the column crop of labels.csv, or take pictures as '
        'they are with --nodetect_faces')
  middle = np.array(picture.shape[1::-1]) / 2
  away = np.linalg.norm(boxes[:, :2] + boxes[:, 2:] / 2 - middle, axis=1)
  return reader.centre_square(
      finder.frame(picture, boxes[np.argmin(away)]), size)


def _cropped(path: str, crop: tuple[int, ...]) -> np.ndarray:
  """[S, S, 3] uint8, the square (left, top, side) of a picture."""
  picture = reader.read_image(path)
  height, width = picture.shape[:2]
  # Of a picture above 4096 pixels a reduced copy is read.
  scale = max(height, width) / max(reader.image_size(path))
  left, top, side = (round(value * scale) for value in crop)
  if min(left, top) < 0 or side < 1 or (
      left + side > width or top + side > height):
    raise reader.MediaError(
        path, f'has no square of {crop[2]} pixels at {crop[0]}, {crop[1]}: it '
        f'is {round(width / scale)} x {round(height / scale)}',
        'mend its crop in labels.csv')
  return picture[top:top + side, left:left + side]
