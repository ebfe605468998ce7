"""What ffmpeg is asked for, and arrays out of what it writes."""

from __future__ import annotations

import os

import numpy as np

from earsr_tf.media import child
from earsr_tf.media import sniffing

SAMPLE_RATE_HZ = 16000
# Pixels that are shown wider or higher than square are made so; bits of others
# stay as they are. ffmpeg applies a display matrix (rotation) by itself.
SQUARE_PIXELS = (
    "scale=w='iw*clip(sar,1,4)':h='ih*clip(1/sar,1,4)':flags=bicubic+"
    'accurate_rnd+full_chroma_int+full_chroma_inp+bitexact,setsar=1,')
CENTRE_SQUARE = "crop='min(iw,ih)':'min(iw,ih)',"
SCALE = (
    'scale={width}:{height}:flags=bicubic+accurate_rnd+full_chroma_int+'
    'full_chroma_inp+bitexact')


def sound_options(
    max_seconds: float, *, source: int = 0, start: float = 0.0,
    channels: int = 1) -> tuple[str, ...]:
  """ffmpeg's options for the sound of its input number `source`.

  Args:
    max_seconds: Length, at most.
    source: Number of the input.
    start: Seconds to skip; decoded, for a jump into a stream of MPEG's would
      land inside a packet, which counts as damage.
    channels: Those of the file are mixed to 1 or 2.
  """
  return ('-map', f'{source}:a:0', '-vn', '-sn', '-dn', '-ac', str(channels),
          '-ar', str(SAMPLE_RATE_HZ),
          *(('-ss', f'{start:g}') if start else ()), '-t', str(max_seconds),
          '-c:a', 'pcm_s16le', '-f', 's16le')


def picture_options(filters: str, limit: int) -> tuple[str, ...]:
  """ffmpeg's options for at most `limit` frames, raw RGB."""
  return ('-map', '0:v:0', '-an', '-sn', '-dn', '-vf', filters, '-fps_mode',
          'passthrough', '-frames:v', str(limit), '-f', 'rawvideo', '-pix_fmt',
          'rgb24')


def to_samples(
    path: str | os.PathLike[str], raw: bytes | bytearray) -> np.ndarray:
  """[n] int16 of what the child wrote; MediaError if there is nothing."""
  samples = np.frombuffer(raw, '<i2', len(raw) // 2)
  if not samples.size:
    raise sniffing.MediaError(path, 'no sound could be decoded')
  return samples.astype(np.int16, copy=False)


def to_frames(raw: bytes | bytearray, width: int, height: int) -> np.ndarray:
  """[n, height, width, 3] uint8 of what the child wrote."""
  count = len(raw) // (width * height * 3)
  return np.frombuffer(raw, np.uint8, count * width * height * 3).reshape(
      count, height, width, 3)


def decode(
    path: str | os.PathLike[str], source: child.Input,
    output: tuple[str, ...], missing: str) -> bytearray:
  """Runs the child with one output.

  Args:
    path: The file, for the error.
    source: What the child reads.
    output: Options of what it writes.
    missing: What is not there if no stream matches, e.g. 'no sound'.

  Raises:
    MediaError: If it fails.
  """
  try:
    return child.run([source], [output])[0]
  except child.ChildError as e:
    reason = str(e)
  raise sniffing.MediaError(
      path, f'has {missing} in it' if 'matches no streams' in reason
      else f'cannot be decoded ({reason})')
