"""Every frame of a foreign video, in order, and what the video is like.

Frames come one by one from a running child, so that a video of any length
needs the memory of one. They are as a player shows them: turned as the display
matrix says, pixels square, at a constant rate (a frame that a camera left out
is shown twice).
"""

from __future__ import annotations

import dataclasses
import fractions
import os
import re
import struct
from typing import Iterator

import numpy as np

from earsr_tf.media import child
from earsr_tf.media import decoding
from earsr_tf.media import reader
from earsr_tf.media import transfer

_LONGEST_S = 6 * 3600.0
_HIGHEST_RATE = 60  # a container that states more states its clock
_USUAL_RATE = fractions.Fraction(30)
_OPEN_END = 0xFFFFFFFF  # written to a pipe
_HEADER = re.compile(rb'YUV4MPEG2 W(\d+) H(\d+) F(\d+):(\d+)')
_CODEC = re.compile(rb'^#codec_id 0: *(\w+)', re.M)


@dataclasses.dataclass(frozen=True)
class Facts:
  """What a video is like.

  Attributes:
    width: Of a frame as it is shown, in pixels.
    height: Likewise.
    rate: Frames per second.
    sound: ffmpeg's name of the codec of its sound; '' if it has none.
  """
  width: int
  height: int
  rate: fractions.Fraction
  sound: str


def look_at(path: str | os.PathLike[str]) -> Facts:
  """Finds out what a video is like, from its first frame.

  Args:
    path: MP4/MOV, Matroska/WebM, AVI, FLV or MPEG; at most 512 MB.

  Raises:
    MediaError: If it is no video, has no picture or is damaged.
  """
  reader.check_video(path)
  _check_riff(path)
  source = child.Input(os.fspath(path), _LONGEST_S)
  header = _HEADER.match(decoding.decode(
      path, source, (
          '-map', '0:v:0', '-an', '-sn', '-dn', '-vf',
          decoding.SQUARE_PIXELS.rstrip(','), '-fps_mode', 'cfr', '-frames:v',
          '1', '-pix_fmt', 'yuv444p', '-f', 'yuv4mpegpipe'), 'no picture'))
  if not header:
    raise reader.MediaError(path, 'no frame could be decoded')
  width, height, *rate = (int(field) for field in header.groups())
  rate = fractions.Fraction(*rate) if all(rate) else _USUAL_RATE
  return Facts(
      width, height, rate if rate <= _HIGHEST_RATE else _USUAL_RATE,
      _sound(source))


def frames(path: str | os.PathLike[str], facts: Facts, width: int, height: int
           ) -> Iterator[np.ndarray]:
  """Gives the frames of a video, each reduced or enlarged to a size.

  Args:
    path: The file.
    facts: What `look_at` found.
    width: Of the frames, in pixels.
    height: Likewise.

  Yields:
    [height, width, 3] uint8 each.

  Raises:
    MediaError: If the video is damaged, once the good frames have come.
  """
  filters = (transfer.to_sdr(path) + decoding.SQUARE_PIXELS
             + decoding.SCALE.format(width=width, height=height))
  output = (
      '-map', '0:v:0', '-an', '-sn', '-dn', '-vf', filters, '-fps_mode', 'cfr',
      '-r', str(facts.rate), '-f', 'rawvideo', '-pix_fmt', 'rgb24')
  try:
    for piece in child.pieces(
        child.Input(os.fspath(path), _LONGEST_S), output, width * height * 3):
      yield np.frombuffer(piece, np.uint8).reshape(height, width, 3)
  except child.ChildError as e:
    reason = str(e)
  else:
    return
  raise reader.MediaError(
      path, f'cannot be decoded ({reason})', 'take a whole copy of it')


def _check_riff(path: str | os.PathLike[str]) -> None:
  """Refuses an AVI that is shorter than it says, which ffmpeg reads gladly."""
  with open(path, 'rb') as file:
    form, size = struct.unpack('<4sL', file.read(8).ljust(8))
  if form == b'RIFF' and size != _OPEN_END and size + 8 > (
      os.stat(path).st_size):
    raise reader.MediaError(
        path, 'is cut off: it has fewer bytes than its header says',
        'take a whole copy of it')


def _sound(source: child.Input) -> str:
  """The codec of a video's sound; '' if there is none that can be read."""
  try:
    found = _CODEC.search(child.run([source], [(
        '-map', '0:a:0', '-c:a', 'copy', '-frames:a', '1', '-f', 'framecrc')
    ])[0])
  except child.ChildError:
    return ''
  return found[1].decode() if found else ''
