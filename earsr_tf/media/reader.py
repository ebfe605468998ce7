"""Foreign images, sound and video, with limits: arrays come out, or one line.

Magic bytes and sizes are checked first. Sound and video are decoded by a
killable ffmpeg child (`child`), pictures by Pillow below fixed caps. Nothing
foreign ever reaches TensorFlow's or tensorflow-io's decoders. This module does
not import TensorFlow.
"""

from __future__ import annotations

import os
import pathlib

import numpy as np

from earsr_tf.media import child
from earsr_tf.media import decoding
from earsr_tf.media import sniffing
from earsr_tf.media import transfer
from earsr_tf.media.encoding import encode_png
from earsr_tf.media.encoding import encode_wav
from earsr_tf.media.picture import centre_square
from earsr_tf.media.picture import image_size
from earsr_tf.media.picture import read_image
from earsr_tf.media.sniffing import MediaError
from earsr_tf.media.sniffing import sniff
from earsr_tf.media.sound import check_sound
from earsr_tf.media.sound import check_voice
from earsr_tf.media.sound import MAX_VIDEO_BYTES
from earsr_tf.media.sound import MIN_SECONDS
from earsr_tf.media.sound import read_audio
from earsr_tf.media.sound import read_audio_bytes
from earsr_tf.media.sound import read_voice
from earsr_tf.media.sound import SAMPLE_RATE_HZ
from earsr_tf.media.sound import SILENCE_PEAK

__all__ = (
    'MIN_SECONDS', 'SAMPLE_RATE_HZ', 'SILENCE_PEAK', 'MediaError',
    'centre_square', 'check_sound', 'check_video', 'check_voice', 'encode_png',
    'encode_wav', 'image_size', 'list_images', 'read_audio', 'read_audio_bytes',
    'read_frames', 'read_image', 'read_video_frames', 'read_voice', 'sniff',
    'spread')

MAX_VIDEO_SECONDS = 30
_IMAGE_ENDINGS = (
    '.png', '.jpg', '.jpeg', '.webp', '.avif', '.heic', '.heif', '.tif',
    '.tiff', '.gif', '.bmp')
STRIDE = 5  # frames considered: one in five, 0.2 s at 25 fps


def check_video(path: str | os.PathLike[str]) -> None:
  """Raises MediaError unless its first bytes and size may be of a video."""
  kind = sniff(path)
  if kind not in sniffing.VIDEOS:
    raise MediaError(path, f'is not a video ({kind})',
                     'give MP4, Matroska, WebM, AVI, FLV or MPEG')
  sniffing.check_bytes(path, MAX_VIDEO_BYTES)


def read_video_frames(
    path: str | os.PathLike[str], count: int, size: int = 128) -> np.ndarray:
  """Reads frames spread evenly over (the first 30 s of) a video.

  The centre square of each is reduced to `size` (bicubic, antialiased).

  Args:
    path: MP4/MOV, Matroska/WebM, AVI, FLV or MPEG; at most 512 MB.
    count: Frames wanted.
    size: Side in pixels.

  Returns:
    [n, size, size, 3] uint8; n is `count`, or fewer if the video has fewer.

  Raises:
    MediaError: If there is no picture in it or it is damaged.
  """
  check_video(path)
  frames = _frames(path, size, STRIDE, MAX_VIDEO_SECONDS * 30)
  if len(frames) < count:  # a short one: every frame
    frames = _frames(path, size, 1, STRIDE * count)
  if not len(frames):
    raise MediaError(path, 'no frame could be decoded')
  return frames[spread(len(frames), count)]


def read_frames(
    path: str | os.PathLike[str], count: int, size: int = 128) -> np.ndarray:
  """Reads frames of a video, an image, or a folder of images.

  Args:
    path: File or folder; images in a folder are taken in order of name.
    count: Frames wanted.
    size: Side in pixels.

  Returns:
    [n, size, size, 3] uint8, 1 <= n <= count.

  Raises:
    MediaError: If a file is damaged or the folder has no images.
  """
  if os.path.isdir(path):
    files = list_images(path)
    return np.stack(
        [read_image(files[i], size) for i in spread(len(files), count)])
  if sniff(path) in sniffing.IMAGES:
    return read_image(path, size)[np.newaxis]
  return read_video_frames(path, count, size)


def list_images(folder: str | os.PathLike[str]) -> list[pathlib.Path]:
  """Images of a folder in order of name; MediaError if there are none."""
  try:
    files = sorted(
        p for p in pathlib.Path(folder).iterdir()
        if p.suffix.lower() in _IMAGE_ENDINGS)
  except OSError as e:
    raise MediaError(folder, f'cannot be listed ({e.strerror})') from None
  if not files:
    raise MediaError(folder, 'has no images in it')
  return files


def spread(total: int, count: int) -> list[int]:
  """`count` (or `total`, if fewer) positions spread evenly over `total`."""
  count = min(count, total)
  return [(2 * i + 1) * total // (2 * count) for i in range(count)]


def _frames(
    path: str | os.PathLike[str], size: int, stride: int,
    limit: int) -> np.ndarray:
  """Decodes one frame in `stride`, at most `limit`: [n, size, size, 3]."""
  filters = (f"select='not(mod(n,{stride}))',"
             + transfer.to_sdr(path) + decoding.SQUARE_PIXELS
             + decoding.CENTRE_SQUARE
             + decoding.SCALE.format(width=size, height=size))
  raw = decoding.decode(
      path, child.Input(os.fspath(path), MAX_VIDEO_SECONDS),
      decoding.picture_options(filters, limit), 'no picture')
  return decoding.to_frames(raw, size, size)
