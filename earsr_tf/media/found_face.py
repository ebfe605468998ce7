"""The face of a video that shows more, where nobody has said where it is.

The finder itself is the caller's. Of the shots of a video the longest with a
face counts, and all faces are those of one person, followed through it.
"""

from __future__ import annotations

import dataclasses
from typing import Callable

import numpy as np

from earsr_tf.media import child
from earsr_tf.media import decoding
from earsr_tf.media import face_path
from earsr_tf.media import reader
from earsr_tf.media import transfer

_SIDE = 640  # pixels of the longer side in which a face is looked for
_MAX_BYTES = 256 << 20
_LOOKS = 3  # for each frame that is wanted
_RATE = 5.0  # frames considered a second, about: one in `reader.STRIDE`


@dataclasses.dataclass(frozen=True)
class Finder:
  """What finds faces.

  Attributes:
    find: [H, W, 3] uint8 -> [k, 4]: left, top, width, height of its faces.
    frame: The same and one of the boxes -> the square that is kept, [S, S, 3].
  """
  find: Callable[[np.ndarray], np.ndarray]
  frame: Callable[[np.ndarray, np.ndarray], np.ndarray]


def read(path: str, picture: tuple[int, int], count: int, size: int,
         finder: Finder) -> list[np.ndarray]:
  """Finds the face in frames spread over (the first 30 s of) a video.

  Args:
    path: The video.
    picture: Its width and height in pixels, as shown.
    count: Frames wanted; up to three times as many are looked at.
    size: Side of the result in pixels.
    finder: Finds and frames.

  Returns:
    Faces in order, at least one, each [size, size, 3] uint8.

  Raises:
    MediaError: If there is no face or several, or the video is damaged.
  """
  scenes = _scenes(path, picture)
  shots = face_path.shots_of([face_path.small(scene) for scene in scenes])
  looks = {i: finder.find(scenes[i])
           for i in reader.spread(len(scenes), _LOOKS * count)}
  seen = [i for i, boxes in looks.items() if len(boxes)]
  if not seen:
    raise reader.MediaError(
        path, 'shows no face that could be found',
        'give its face boxes in a txt file, or leave it out')
  shot = np.bincount(shots[seen]).argmax()
  rows = np.flatnonzero(shots == shot)
  inside = {i - rows[0]: boxes for i, boxes in looks.items()
            if shots[i] == shot}
  try:
    track = face_path.follow(inside, np.zeros(rows.size, int), _RATE)
  except face_path.SeveralFacesError as e:
    raise reader.MediaError(
        path, f'shows {len(e.boxes)} faces at once',
        'give the boxes of the one that speaks in a txt file') from None
  return [
      reader.centre_square(
          finder.frame(scenes[i], track.boxes[i - rows[0]]), size)
      for i in seen if shots[i] == shot]


def _scenes(path: str, picture: tuple[int, int]) -> np.ndarray:
  """[n, h, w, 3] uint8: one frame in `reader.STRIDE`, reduced."""
  scale = min(1.0, _SIDE / max(picture))
  width, height = (max(1, round(side * scale)) for side in picture)
  most = min(int(reader.MAX_VIDEO_SECONDS * 2 * _RATE),
             max(1, _MAX_BYTES // (width * height * 3)))
  raw = decoding.decode(
      path, child.Input(path, reader.MAX_VIDEO_SECONDS),
      decoding.picture_options(
          f"select='not(mod(n,{reader.STRIDE}))'," + transfer.to_sdr(path)
          + decoding.SQUARE_PIXELS
          + decoding.SCALE.format(width=width, height=height), most),
      'no picture')
  scenes = decoding.to_frames(raw, width, height)
  if not len(scenes):
    raise reader.MediaError(path, 'no frame could be decoded')
  return scenes
