"""Writes a film: frames as H.264, and the sound of another file as it is.

One ffmpeg child, fed through a pipe. The file appears when it is whole.
"""

from __future__ import annotations

import contextlib
import fractions
import os
import pathlib
import subprocess
import tempfile
from typing import Callable, Iterator

import imageio_ffmpeg
import numpy as np

from earsr_tf import durable
from earsr_tf.media import child

# Ending -> ffmpeg's name of the container, and sounds that players of it know.
_KNOWN = ('aac', 'mp3', 'ac3', 'eac3', 'alac')
_CONTAINERS = {
    '.mp4': ('mp4', (*_KNOWN, 'opus', 'flac')),
    '.mov': ('mov', (*_KNOWN, 'pcm_s16le')),
    '.mkv': ('matroska', (
        *_KNOWN, 'opus', 'flac', 'vorbis', 'pcm_s16le'))}
ENDINGS = tuple(_CONTAINERS)
_QUALITY = 16  # H.264's constant rate factor: no difference that is seen
_END_S = 600.0


def is_kept(path: str | os.PathLike[str], codec: str) -> bool:
  """Whether a sound is taken over bit by bit; else it becomes AAC.

  Args:
    path: What is written.
    codec: ffmpeg's name of the sound's codec.
  """
  return codec in _CONTAINERS[pathlib.Path(path).suffix.lower()][1]


@contextlib.contextmanager
def writing(
    path: str | os.PathLike[str], *, side: int, rate: fractions.Fraction,
    sound: tuple[str, str] | None = None
) -> Iterator[Callable[[np.ndarray], None]]:
  """Opens a film for writing.

  Args:
    path: Ends in one of `ENDINGS`; its folder is created.
    side: Of the frames in pixels, even.
    rate: Frames per second.
    sound: A file whose sound is taken, and its codec; None for none.

  Yields:
    What takes a frame, [side, side, 3] uint8.

  Raises:
    OSError: If it cannot be written; nothing is left behind.
  """
  with durable.replacing(path) as temporary, (
      tempfile.TemporaryFile()) as said:
    with subprocess.Popen(
        _command(os.fspath(path), temporary, side, rate, sound),
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said,
    ) as process:
      try:
        # Its end is told below, with its reason, wherever it is noticed.
        with contextlib.suppress(BrokenPipeError):
          yield lambda frame: process.stdin.write(frame.tobytes()) and None
        with contextlib.suppress(BrokenPipeError):
          process.stdin.close()
        process.wait(_END_S)
      except subprocess.TimeoutExpired:
        raise OSError(f'{path}: ffmpeg did not finish it in time') from None
      finally:
        process.kill()  # does nothing once it has ended
        with contextlib.suppress(BrokenPipeError):
          process.stdin.close()
    if process.returncode:
      said.seek(0)
      words = said.read(4096).decode('utf-8', 'replace').replace(
          temporary, '').strip().splitlines()
      raise OSError(f'{path}: could not be written '
                    f'({words[-1][-160:] if words else "ffmpeg failed"})')


def _command(path: str, temporary: str, side: int, rate: fractions.Fraction,
             sound: tuple[str, str] | None) -> list[str]:
  """The command line."""
  command = [
      imageio_ffmpeg.get_ffmpeg_exe(), '-nostdin', '-v', 'error', '-y',
      '-filter_threads', '1', '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s',
      f'{side}x{side}', '-r', str(rate), '-i', 'pipe:0']
  if sound:
    command += [*child.CHECKED_FORMATS, '-i',
                f'file:{os.path.abspath(sound[0])}']
  command += [
      '-map', '0:v:0', '-c:v', 'libx264', '-preset', 'medium', '-crf',
      str(_QUALITY), '-threads', '1', '-vf',
      'scale=out_color_matrix=bt709:out_range=tv:flags=accurate_rnd+bitexact,'
      'format=yuv420p', '-colorspace', 'bt709', '-color_primaries', 'bt709',
      '-color_trc', 'bt709']
  if sound:
    command += ['-map', '1:a:0', '-c:a', *(
        ('copy',) if is_kept(path, sound[1]) else ('aac', '-b:a', '160k'))]
  container = _CONTAINERS[pathlib.Path(path).suffix.lower()][0]
  return [*command, '-map_metadata', '-1', '-fflags', '+bitexact', '-flags',
          '+bitexact', *(() if container == 'matroska' else (
              '-movflags', '+faststart')), '-f', container, temporary]
