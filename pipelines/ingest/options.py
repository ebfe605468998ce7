"""How clips become shards: the settings of `pipelines.ingest.prepare`."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import threading
import zlib

import imageio_ffmpeg
import numpy as np
import PIL

from earsr_tf.data import manifest as manifest_lib
from earsr_tf.media import found_face
from earsr_tf.media import talking_face

_READER = 3  # of the way frames and voice are taken; part of the fingerprint
_FINDER = 'mtcnn 1.0.0'
_FINDING = threading.Lock()  # its networks are one process's


@dataclasses.dataclass(frozen=True)
class Options:
  """How clips become shards.

  Attributes:
    frames_per_clip: Frames kept of a clip, spread over it.
    image_size: Their side in pixels.
    max_seconds: Length kept of a voice.
    shards: Files per split; fixed, so that a new clip moves no other.
    workers: Clips decoded at a time.
    open_share: Share of speakers that is open-set; None: the dataset's.
    open_speakers: Speakers whose names begin so are open-set in any case.
    min_frames_per_speaker: Speakers with fewer frames are left out; None: the
      dataset's.
    check_lengths: Whether face tracks whose picture and sound differ in length
      are refused.
    subset: Only clips whose path below the input begins so; () takes all.
    detect_faces: Whether the face is found, by mtcnn, in videos that show more
      than a face and have no boxes, and in pictures without a voice; None: in
      the latter.
    overwrite: Replaces finished data in the output folder.
  """
  frames_per_clip: int = 8
  image_size: int = 128
  max_seconds: float = 20.0
  shards: int = 4
  workers: int = os.cpu_count() or 1
  open_share: float | None = None
  open_speakers: tuple[str, ...] = ()
  min_frames_per_speaker: int | None = None
  check_lengths: bool = True
  subset: tuple[str, ...] = ()
  detect_faces: bool | None = None
  overwrite: bool = False

  def fingerprint(self) -> str:
    """'sha1:...' of everything that shapes the bytes of a record."""
    content = json.dumps({
        'format': manifest_lib.FORMAT,
        'reader': _READER,
        'frames_per_clip': self.frames_per_clip,
        'image_size': self.image_size,
        'max_seconds': self.max_seconds,
        'check_lengths': self.check_lengths,
        # Data from before there was a finder stay what they are.
        **({'detect_faces': _FINDER} if self.detect_faces else {}),
        'ffmpeg': os.path.basename(imageio_ffmpeg.get_ffmpeg_exe()),
        'pillow': PIL.__version__,
        'zlib': zlib.ZLIB_RUNTIME_VERSION}, sort_keys=True)
    return f'sha1:{hashlib.sha1(content.encode()).hexdigest()}'

  def wanted(self) -> talking_face.Wanted:
    """What is wanted of a clip."""
    return talking_face.Wanted(
        self.frames_per_clip, self.image_size, self.max_seconds,
        self.check_lengths, found_face.Finder(
            _find, _frame) if self.detect_faces else None)


def _find(frame: np.ndarray) -> np.ndarray:
  """[k, 4] boxes of the faces of [H, W, 3] uint8; one picture at a time."""
  from earsr_tf import face_finder
  with _FINDING:
    found = face_finder.find(frame)
  return np.array(
      [dataclasses.astuple(box) for box in found]).reshape(-1, 4)


def _frame(frame: np.ndarray, box: np.ndarray) -> np.ndarray:
  """The square that VoxCeleb2 would show of a face."""
  from earsr_tf import face_finder
  return face_finder.framed(frame, face_finder.Box(*box))
