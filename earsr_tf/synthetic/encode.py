"""Writes a clip as VoxCeleb2 has it: H.264 in mp4 and AAC in m4a.

One ffmpeg child, the binary of the imageio-ffmpeg package, makes both files.
They appear under their names only when complete.
"""

from __future__ import annotations

import os
import pathlib
import subprocess

import imageio_ffmpeg
import numpy as np

from earsr_tf.synthetic import canvas
from earsr_tf.synthetic import clip as clip_lib
from earsr_tf.synthetic import speech

_TIMEOUT_S = 120


class EncodeError(RuntimeError):
  """ffmpeg could not write a clip; the message holds its last words."""


def write_clip(
    clip: clip_lib.Clip, video_path: pathlib.Path,
    audio_path: pathlib.Path) -> None:
  """Encodes `clip` into two files, both carrying the voice.

  Args:
    clip: Frames and samples.
    video_path: Where the mp4 goes; its folder exists.
    audio_path: Where the m4a goes; its folder exists.

  Raises:
    EncodeError: If ffmpeg fails or takes more than two minutes.
  """
  raw_path = audio_path.with_suffix('.s16.part')
  new_video = audio_path.with_suffix('.part.mp4')
  new_audio = audio_path.with_suffix('.part.m4a')
  side = canvas.FRAME_SIZE
  # The voice is encoded once and goes into both files. Their names here are
  # relative, so that no folder's name needs the escapes of `tee`.
  files = '|'.join((
      f'[f=mp4:fflags=+bitexact]{new_video.name}',
      f'[f=ipod:fflags=+bitexact:select=a]{new_audio.name}'))
  command = [
      imageio_ffmpeg.get_ffmpeg_exe(), '-hide_banner', '-loglevel', 'error',
      '-y', '-filter_threads', '1', '-f', 'rawvideo', '-pix_fmt', 'yuv420p',
      '-s', f'{side}x{side}', '-r', str(clip_lib.FRAME_HZ), '-i', 'pipe:0',
      '-f', 's16le', '-ar', str(speech.SAMPLE_RATE_HZ), '-ac', '1', '-i',
      raw_path.name, '-map', '0:v', '-map', '1:a', '-c:v', 'libx264',
      '-preset', 'ultrafast', '-crf', str(clip.quality), '-threads', '1',
      '-c:a', 'aac', '-aac_coder', 'fast', '-b:a', '64k',
      '-flags', '+global_header+bitexact', '-f', 'tee', files]
  try:
    raw_path.write_bytes(clip.samples.astype('<i2').tobytes())
    _run(command, clip.frames, video_path, audio_path.parent)
    os.replace(new_video, video_path)
    os.replace(new_audio, audio_path)
  finally:
    for path in (raw_path, new_video, new_audio):
      path.unlink(missing_ok=True)


def _run(command: list[str], frames: np.ndarray, path: pathlib.Path,
         folder: pathlib.Path) -> None:
  """Runs ffmpeg on `frames` in a folder; `path` is for messages."""
  try:
    result = subprocess.run(
        command, input=memoryview(frames).cast('B'), stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, timeout=_TIMEOUT_S, check=False,
        cwd=folder)
  except subprocess.TimeoutExpired as error:
    raise EncodeError(
        f'{path}: ffmpeg did not finish in {_TIMEOUT_S} s') from error
  if result.returncode:
    words = result.stderr.decode('utf-8', 'replace').strip()[-300:]
    raise EncodeError(f'{path}: ffmpeg failed: {words}')
