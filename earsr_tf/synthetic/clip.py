"""One SyntheticVox clip before encoding: yuv420p frames and samples.

The head wanders through a few key poses near one another; frames between two
keys are blended, the mouth follows the voice at 25 frames per second, and the
eyes blink once (stand-in for paper section 4.1's videos).
"""

from __future__ import annotations

import dataclasses

import numpy as np

from earsr_tf.synthetic import camera as camera_lib
from earsr_tf.synthetic import canvas
from earsr_tf.synthetic import people
from earsr_tf.synthetic import portrait
from earsr_tf.synthetic import pose as pose_lib
from earsr_tf.synthetic import seeds
from earsr_tf.synthetic import speech
from earsr_tf.synthetic import voice as voice_lib

FRAME_HZ = 25
MIN_FRAMES, MAX_FRAMES = 106, 124  # 4.24 to 4.96 s.
_KEY_FRAMES = 28  # Frames per key pose, about.
_FADE_FRAMES = 6
_MOUTH_LEVELS = 5
_SIDE = canvas.FRAME_SIZE


@dataclasses.dataclass(frozen=True)
class Clip:
  """A clip ready to encode.

  Attributes:
    frames: [t, 336, 224] uint8, yuv420p at 25 frames per second.
    samples: [t * 640] int16, mono at 16 kHz.
    quality: H.264's constant rate factor to encode with.
  """
  frames: np.ndarray
  samples: np.ndarray
  quality: int


def _to_yuv(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """Converts [3, h, w] float32 (h, w even) to Y [h, w] and UV [2, h/2, w/2].

  BT.601, studio range, as ffmpeg assumes for small pictures.
  """
  red, green, blue = np.clip(image, 0, 1)
  luma = red * np.float32(65.481) + green * np.float32(128.553)
  luma += blue * np.float32(24.966) + np.float32(16.5)
  quads = image.reshape(3, image.shape[1] // 2, 2, image.shape[2] // 2, 2)
  red, green, blue = np.clip(
      (quads[:, :, 0, :, 0] + quads[:, :, 0, :, 1] + quads[:, :, 1, :, 0]
       + quads[:, :, 1, :, 1]) * np.float32(0.25), 0, 1)
  first = (np.float32(112) * blue - np.float32(37.797) * red
           - np.float32(74.203) * green)
  second = (np.float32(112) * red - np.float32(93.786) * green
            - np.float32(18.214) * blue)
  chroma = np.stack([first, second]) + np.float32(128.5)
  return luma.astype(np.uint8), chroma.astype(np.uint8)


class _Key:
  """One key pose: a frame, and changes of mouth and eyes on demand."""

  def __init__(
      self, *, setting: portrait.Setting, pose: pose_lib.Pose):
    self._picture = portrait.Picture(setting=setting, pose=pose)
    self._camera = setting.camera
    luma, chroma = _to_yuv(
        camera_lib.develop(self._picture.image, self._camera))
    self._bare = np.concatenate([luma.ravel(), chroma.ravel()])
    self._frames: dict[int, np.ndarray] = {0: self._bare}

  def frame(self, level: int) -> np.ndarray:
    """[336 * 224] uint8: the frame with the mouth at `level`."""
    if level not in self._frames:
      self._frames[level] = self._bare.copy()
      self._retouch(self._frames[level], self._picture.with_mouth(
          level / (_MOUTH_LEVELS - 1)))
    return self._frames[level]

  def shut_eyes(self, level: int) -> np.ndarray:
    """The same with closed eyes."""
    frame = self.frame(level).copy()
    self._retouch(frame, self._picture.with_closed_eyes())
    return frame

  def _retouch(self, frame: np.ndarray, change: portrait.Retouch) -> None:
    """Films the changed part of the scene anew, into `frame`."""
    if not change.pixels.size:
      return
    image = self._picture.image
    rows, cols = change.pixels // _SIDE, change.pixels % _SIDE
    spans = [
        (max(int(at.min()) - edge, 0) // 2 * 2,
         min(-(-(int(at.max()) + 1 + edge) // 2) * 2, _SIDE))
        for edge in (2 * camera_lib.MARGIN, camera_lib.MARGIN)
        for at in (rows, cols)]
    (top, bottom), (left, right) = spans[:2]
    outer = image[:, top:bottom, left:right].copy()
    for channel in range(3):
      outer[channel][rows - top, cols - left] += change.change[:, channel]
    (first, last), (start, stop) = spans[2:]
    luma, chroma = _to_yuv(camera_lib.develop(outer, self._camera)[
        :, first - top:last - top, start - left:stop - left])
    frame[:_SIDE * _SIDE].reshape(_SIDE, _SIDE)[
        first:last, start:stop] = luma
    frame[_SIDE * _SIDE:].reshape(2, _SIDE // 2, _SIDE // 2)[
        :, first // 2:last // 2, start // 2:stop // 2] = chroma


def _mix(first: np.ndarray, second: np.ndarray, share: int) -> np.ndarray:
  """Blends uint8 frames; `share` of the second, out of 256."""
  total = first.astype(np.uint16) * np.uint16(256 - share)
  total += second.astype(np.uint16) * np.uint16(share)
  return (total >> 8).astype(np.uint8)


def _film(
    setting: portrait.Setting, openings: np.ndarray,
    rng: np.random.Generator) -> np.ndarray:
  """[t, 336, 224] uint8: the moving picture for a mouth track."""
  total = openings.size
  count = max(int(round(total / _KEY_FRAMES)), 1)
  poses = pose_lib.draw_poses(rng, count)
  keys = [_Key(setting=setting, pose=pose) for pose in poses]
  blink_at = int(rng.integers(8, total - 8))
  span = total / count
  middle = min(int((blink_at + 2) / span), count - 1)
  shut: dict[int, np.ndarray] = {}
  levels = np.floor(openings * (_MOUTH_LEVELS - 1) + 0.5).astype(int)
  frames = np.empty((total, _SIDE * _SIDE * 3 // 2), np.uint8)
  for index in range(total):
    level = int(levels[index])
    key = min(int(index / span), count - 1)
    frame = keys[key].frame(level)
    left = index - (key + 1) * span + _FADE_FRAMES
    if left > 0 and key + 1 < count:
      share = min(int(256 * left / (_FADE_FRAMES + 1)), 255)
      frame = _mix(frame, keys[key + 1].frame(level), share)
    closed = (96, 256, 256, 160, 64)
    if blink_at <= index < blink_at + len(closed):
      if level not in shut:
        shut[level] = keys[middle].shut_eyes(level)
      frame = _mix(frame, shut[level], closed[index - blink_at])
    frames[index] = frame
  return frames.reshape(total, _SIDE * 3 // 2, _SIDE)


def make_clip(person: people.Person, video: str, clip: str) -> Clip:
  """Renders one clip: a function of its names and the world's seed.

  Args:
    person: Who talks.
    video: Name of the video; fixes scene, light and hair.
    clip: Name of the clip; fixes speech and motion.

  Returns:
    Frames and samples of equal duration.
  """
  names = (person.seed, person.speaker, video)
  setting = portrait.make_setting(person.face, *names)
  rng = seeds.stream(*names, clip, 'speech')
  total = int(rng.integers(MIN_FRAMES, MAX_FRAMES + 1))
  rows = total * speech.CONTROL_HZ // FRAME_HZ
  tracks = speech.make_tracks(person.voice, rows, rng)
  samples = voice_lib.make_voice(
      tracks, person.voice, total * speech.SAMPLE_RATE_HZ // FRAME_HZ,
      seeds.stream(*names, clip, 'sound'))
  frames = _film(
      setting, speech.mouth_track(tracks, total, FRAME_HZ),
      seeds.stream(*names, clip, 'motion'))
  return Clip(
      frames=frames, samples=samples, quality=setting.camera.quality)
