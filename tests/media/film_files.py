"""Short films, made by ffmpeg, for tests."""

from __future__ import annotations

import pathlib
import subprocess

import imageio_ffmpeg
import numpy as np


def run(*arguments: object) -> None:
  """Runs ffmpeg."""
  subprocess.run(
      [imageio_ffmpeg.get_ffmpeg_exe(), '-nostdin', '-v', 'error', '-y',
       *map(str, arguments)], check=True, timeout=60)


def write(path: pathlib.Path, picture: str = '', sound: str = '',
          *more: object) -> str:
  """Writes a film of filters' picture and sound."""
  inputs = [x for f in (picture, sound) if f for x in ('-f', 'lavfi', '-i', f)]
  run(*inputs, '-preset', 'ultrafast', '-ar', 16000, *more, path)
  return str(path)


def of_frames(path: pathlib.Path, frames: np.ndarray, sound: str = '') -> str:
  """Writes [n, h, w, 3] uint8, h and w even, at 25 frames a second."""
  height, width = frames.shape[1:3]
  raw = path.with_suffix('.raw')
  raw.write_bytes(frames.tobytes())
  run('-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', f'{width}x{height}', '-r',
      25, '-i', raw, *(('-f', 'lavfi', '-i', sound) if sound else ()),
      '-preset', 'ultrafast', '-crf', 5, '-pix_fmt', 'yuv444p', path)
  raw.unlink()
  return str(path)
