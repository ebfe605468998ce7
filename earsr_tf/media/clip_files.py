"""Which files a clip consists of, and what is known of who speaks in it."""

from __future__ import annotations

import dataclasses
import math


@dataclasses.dataclass(frozen=True, order=True, slots=True)
class Clip:
  """A clip before it is decoded: names, labels and where its media lie.

  Attributes:
    speaker: Name of the speaker; '/' does not occur in names.
    video: Name of the video it was cut from.
    clip: Name of the clip inside the video.
    frames: Path of a video, an image, or a folder of images.
    audio: Path of the sound; '' takes it from the video in `frames`.
    gender: 0 female, 1 male, -1 unknown.
    age: Years; NaN unknown.
    open_set: Whether the speaker is kept out of training; None: by hash.
    boxes: Path of the face boxes (see `boxes`); '' if there are none.
    fps: Frames per second of a track of VoxCeleb, whose picture and sound were
      cut together, so that their lengths can be compared, and whose boxes
      are those of the video it was cut from; else 0.
    refused: Why the clip cannot be used, as far as its names tell; ''.
    has_voice: False for a still picture that nobody is heard with.
    crop: Of a still picture: left, top and side in pixels of the square that is
      kept; () if nobody has said.
  """
  speaker: str
  video: str
  clip: str
  frames: str
  audio: str = ''
  gender: int = -1
  age: float = math.nan
  open_set: bool | None = None
  boxes: str = ''
  fps: float = 0.0
  refused: str = ''
  has_voice: bool = True
  crop: tuple[int, ...] = ()

  @property
  def key(self) -> str:
    """'<speaker>/<video>/<clip>', unique in a dataset."""
    return f'{self.speaker}/{self.video}/{self.clip}'
