"""A clip's frames and voice, as the paper's section 4.1 wants them.

One ffmpeg child decodes picture and sound of a face track together; only when
it fails are they read one by one, to say which of them is at fault. What shows
more than a face is cropped by its boxes, or by a finder that the caller has, or
refused. Frames are spread over the clip and no two are nearly the same.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from typing import Callable

import numpy as np
from PIL import Image

from earsr_tf.media import boxes
from earsr_tf.media import child
from earsr_tf.media import clip_files
from earsr_tf.media import decoding
from earsr_tf.media import found_face
from earsr_tf.media import reader
from earsr_tf.media import sniffing
from earsr_tf.media import sound
from earsr_tf.media import streamed_wav
from earsr_tf.media import transfer

MAX_TRACK_SIDE = 512  # a larger square is a scene rather than a face track
# Grey levels: frames that differ less on average are the same. A still picture
# as a film has 0.0, faces that talk 0.3 (only the mouth moves) to 9.
NEAR = 0.2
MAX_DRIFT = 5  # frames by which picture and sound may differ in length

_TRACK = (
    f"crop=w='if(eq(iw,ih)*lte(iw,{MAX_TRACK_SIDE}),iw,0)':h=iw,")
_TRIES = 8  # frames looked at for each that is wanted
_GREY_SIDE = 16
_MAX_SCENE_BYTES = 256 << 20


@dataclasses.dataclass(frozen=True)
class Wanted:
  """What is wanted of a clip.

  Attributes:
    frames: Frames, at most.
    size: Their side in pixels.
    max_seconds: Length of the voice, at most.
    check_lengths: Whether a clip with `fps` is refused if its picture and its
      sound differ in length.
    finder: Finds the face of what shows more and has no boxes; None refuses it.
  """
  frames: int
  size: int
  max_seconds: float = 20.0
  check_lengths: bool = True
  finder: found_face.Finder | None = None


def read(
    clip: clip_files.Clip, wanted: Wanted
) -> tuple[list[np.ndarray], np.ndarray]:
  """Decodes a clip.

  Args:
    clip: Its files are local.
    wanted: What of it.

  Returns:
    Frames, each [size, size, 3] uint8, at least one; voice [n] int16, 16 kHz.

  Raises:
    MediaError: If its picture or its voice cannot be used.
  """
  if os.path.isdir(clip.frames):
    files = reader.list_images(clip.frames)
    frames = distinct(
        len(files), wanted.frames,
        lambda i: reader.read_image(files[i], wanted.size))
    return frames, _voice(clip, wanted)
  if reader.sniff(clip.frames) in sniffing.IMAGES:
    voice = _voice(clip, wanted)
    return [reader.read_image(clip.frames, wanted.size)], voice
  reader.check_video(clip.frames)
  if clip.audio:
    reader.check_sound(clip.audio)
  if clip.boxes and not clip.fps:
    return _read_scene(clip, wanted, _picture_size(clip.frames))
  try:
    found, samples = _together(clip, wanted)
  except child.ChildError as e:
    if e.is_timeout:
      raise reader.MediaError(
          clip.frames, f'cannot be decoded ({e})') from None
    return _one_by_one(clip, wanted)
  voice = reader.check_voice(clip.audio or clip.frames, samples)
  if wanted.check_lengths and clip.fps:
    _check_lengths(clip, len(found), samples.size, wanted.max_seconds)
  if len(found) < wanted.frames:  # a short one: every frame
    found = reader.read_video_frames(clip.frames, 1 << 16, wanted.size)
  return distinct(len(found), wanted.frames, found.__getitem__), voice


def distinct(
    total: int, count: int, get: Callable[[int], np.ndarray]
) -> list[np.ndarray]:
  """Frames spread evenly over a clip, no two of them nearly the same.

  Frames are the same if small grey copies differ by less than `NEAR` levels on
  average. One like a frame already taken gives way to the frames behind it, up
  to the next place; a frozen clip keeps one.

  Args:
    total: Frames there are, at least one.
    count: Frames wanted.
    get: Number of a frame -> [size, size, 3] uint8.

  Returns:
    At least one and at most `count` frames, in order.
  """
  starts = reader.spread(total, count)
  chosen, greys = [], []
  for start, end in zip(starts, [*starts[1:], total]):
    for i in range(start, min(end, start + _TRIES)):
      frame = get(i)
      grey = _grey(frame)
      if all(np.abs(grey - other).mean() >= NEAR for other in greys):
        chosen.append(frame)
        greys.append(grey)
        break
  return chosen


def _together(
    clip: clip_files.Clip, wanted: Wanted) -> tuple[np.ndarray, np.ndarray]:
  """[n, size, size, 3] one frame in five and [m] samples, of a face track.

  Raises:
    ChildError: If anything is wrong, a picture that is no track included.
  """
  filters = (f"select='not(mod(n,{reader.STRIDE}))',"
             + transfer.to_sdr(clip.frames) + decoding.SQUARE_PIXELS + _TRACK
             + decoding.SCALE.format(width=wanted.size, height=wanted.size))
  inputs = [child.Input(clip.frames, reader.MAX_VIDEO_SECONDS)]
  with contextlib.ExitStack() as stack:
    if clip.audio:
      inputs.append(child.Input(
          stack.enter_context(streamed_wav.completed(clip.audio)),
          wanted.max_seconds))
    picture, raw = child.run(inputs, [
        decoding.picture_options(filters, reader.MAX_VIDEO_SECONDS * 30),
        decoding.sound_options(wanted.max_seconds, source=len(inputs) - 1)])
  return (decoding.to_frames(picture, wanted.size, wanted.size),
          sound.uncancelled(
              clip.audio or clip.frames, np.frombuffer(
                  raw, '<i2', len(raw) // 2), wanted.max_seconds))


def _one_by_one(
    clip: clip_files.Clip, wanted: Wanted
) -> tuple[list[np.ndarray], np.ndarray]:
  """Reads a clip whose parts could not be read together; says why not."""
  width, height = _picture_size(clip.frames)
  if width == height <= MAX_TRACK_SIDE:
    voice = _voice(clip, wanted)
    found = reader.read_video_frames(clip.frames, wanted.frames, wanted.size)
    return distinct(len(found), wanted.frames, found.__getitem__), voice
  if not clip.boxes and wanted.finder:
    voice = _voice(clip, wanted)
    found = found_face.read(
        clip.frames, (width, height), wanted.frames, wanted.size, wanted.finder)
    return distinct(len(found), wanted.frames, found.__getitem__), voice
  if not clip.boxes:
    raise reader.MediaError(
        clip.frames, f'is {width} x {height}, not a square of at most '
        f'{MAX_TRACK_SIDE}: it {boxes.NEEDED}', 'or give a cropped face')
  return _read_scene(clip, wanted, (width, height))


def _read_scene(
    clip: clip_files.Clip, wanted: Wanted, picture: tuple[int, int]
) -> tuple[list[np.ndarray], np.ndarray]:
  """Crops a face out of a larger picture by its boxes."""
  track = boxes.read_track(clip.boxes)
  squares = track.squares(*picture)
  first = int(track.frames[0])
  for start in dict.fromkeys((first, 0)):  # or the video is cut to the track
    numbers = track.frames - first
    inside = numbers < reader.MAX_VIDEO_SECONDS * boxes.FPS
    found = _crop(clip, wanted, picture, (
        start, numbers[inside], squares[inside]))
    if found:
      break
  else:
    raise reader.MediaError(
        clip.frames, f'has no frame {first} at {boxes.FPS} frames/s, where '
        'its boxes begin', 'give the boxes of this very video')
  seconds = (int(numbers[-1]) + 1) / boxes.FPS
  if clip.audio:
    return found, _voice(clip, wanted)
  return found, reader.read_voice(
      clip.frames, min(seconds, wanted.max_seconds), start / boxes.FPS)


def _crop(
    clip: clip_files.Clip, wanted: Wanted, picture: tuple[int, int],
    track: tuple[int, np.ndarray, np.ndarray]) -> list[np.ndarray]:
  """Faces of (first frame, [n] numbers after it, [n, 3] squares)."""
  start, numbers, squares = track
  scale = min(1.0, 2 * wanted.size / float(np.median(squares[:, 2])))
  width, height = (max(1, round(side * scale)) for side in picture)
  most = max(1, _MAX_SCENE_BYTES // (width * height * 3))
  rows = reader.spread(len(numbers), min(3 * wanted.frames, most))
  select = '+'.join(f'eq(n,{numbers[i]})' for i in rows)
  raw = decoding.decode(
      clip.frames, child.Input(
          clip.frames, (numbers[rows[-1]] + 1.5) / boxes.FPS,
          start / boxes.FPS), decoding.picture_options(
              f"fps={boxes.FPS},select='{select}',"
              + transfer.to_sdr(clip.frames)
              + decoding.SCALE.format(width=width, height=height), len(rows)),
      'no picture')
  scenes = decoding.to_frames(raw, width, height)
  per_side = np.array([width / picture[0], height / picture[1]])
  faces = []
  for scene, (left, top, side) in zip(scenes, squares[rows]):
    corners = np.array([[left, top], [left + side, top + side]]) * per_side
    faces.append(np.asarray(Image.fromarray(scene).resize(
        (wanted.size, wanted.size), Image.Resampling.BICUBIC,
        tuple(np.minimum(corners, [width, height]).ravel()))))
  return distinct(len(faces), wanted.frames, faces.__getitem__)


def _voice(clip: clip_files.Clip, wanted: Wanted) -> np.ndarray:
  """The voice alone."""
  return reader.read_voice(clip.audio or clip.frames, wanted.max_seconds)


def _picture_size(path: str) -> tuple[int, int]:
  """Width and height of a video's first frame in pixels."""
  raw = bytes(decoding.decode(
      path, child.Input(path, reader.MAX_VIDEO_SECONDS),
      ('-map', '0:v:0', '-frames:v', '1', '-c:v', 'ppm', '-f', 'image2pipe'),
      'no picture')[:32])
  fields = raw.split(maxsplit=3)
  if len(fields) < 3 or fields[0] != b'P6':
    raise reader.MediaError(path, 'no frame could be decoded')
  return int(fields[1]), int(fields[2])


def _check_lengths(
    clip: clip_files.Clip, strides: int, samples: int, max_seconds: float
) -> None:
  """Refuses a track whose picture and sound differ in length."""
  heard = samples / reader.SAMPLE_RATE_HZ * clip.fps
  most = strides * reader.STRIDE
  is_cut = samples >= int(max_seconds * reader.SAMPLE_RATE_HZ)
  if heard > most + MAX_DRIFT or not is_cut and (
      heard < most - reader.STRIDE + 1 - MAX_DRIFT):
    raise reader.MediaError(
        clip.frames, f'has about {most} frames but {samples / 16000:.2f} s of '
        f'sound, which are {heard:.0f} frames at {clip.fps:g} frames/s',
        'take a whole copy of it')


def _grey(frame: np.ndarray) -> np.ndarray:
  """[size, size, 3] uint8 -> [side, side] float32, side about 16."""
  block = max(1, frame.shape[0] // _GREY_SIDE)
  side = frame.shape[0] // block
  part = frame[:side * block, :side * block].reshape(
      side, block, side * block * 3)
  # Whole rows first, in integers: five times as fast as a mean, and as exact.
  columns = part.sum(axis=1, dtype=np.uint32).reshape(side, side, block * 3)
  total = columns.sum(axis=2, dtype=np.uint32)
  return total.astype(np.float32) / np.float32(3 * block * block)
