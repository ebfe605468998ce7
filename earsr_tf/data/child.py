"""A killable ffmpeg child: the only thing that decodes foreign sound and video.

The child has limits on time, memory and files it may write, reads one local
file and writes to a pipe. A decoder that hangs or asks for the moon dies alone.
"""

from __future__ import annotations

import os
import re
import resource
import subprocess
from typing import Sequence

import imageio_ffmpeg

TIMEOUT_S = 9
CPU_S = 8
MEMORY_BYTES = 1 << 30
MAX_PIXELS = 4096 * 4096

# What may be inside; playlists and other formats that name files may not.
_FORMATS = (
    'mov,mp4,m4a,3gp,3g2,mj2,wav,w64,flac,ogg,mp3,aac,aiff,matroska,webm,avi,'
    'flv,mpeg,mpegvideo')


class ChildError(ValueError):
  """The child failed or was stopped; the message is one line without paths."""


def decode(
    path: str, *, seconds: float, output: Sequence[str],
    timeout: float = TIMEOUT_S) -> bytes:
  """Runs ffmpeg over one file.

  Args:
    path: A local file.
    seconds: Reads no more than this from the start.
    output: Output options; what comes out must be bounded by them.
    timeout: Wall-clock limit in seconds.

  Returns:
    What ffmpeg wrote.

  Raises:
    ChildError: If it failed, with ffmpeg's first line, or took too long.
  """
  command = [
      imageio_ffmpeg.get_ffmpeg_exe(), '-nostdin', '-v', 'error', '-xerror',
      '-protocol_whitelist', 'file,pipe', '-format_whitelist', _FORMATS,
      '-max_pixels', str(MAX_PIXELS), '-threads', '1', '-filter_threads', '1',
      '-t', str(seconds), '-i', f'file:{os.path.abspath(path)}', '-threads',
      '1', *output, 'pipe:1']
  with subprocess.Popen(
      command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
      stderr=subprocess.PIPE) as process:
    _limit(process.pid)
    try:
      out, errors = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
      raise ChildError(
          f'decoding was stopped after {timeout:g} s') from None
    finally:
      process.kill()  # does nothing once it has ended
  if process.returncode:
    raise ChildError(_reason(process.returncode, errors, path))
  return out


def _limit(pid: int) -> None:
  """Sets limits from outside: a hook after fork can dead-lock with threads."""
  try:
    for kind, value in (
        (resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0)):
      resource.prlimit(pid, kind, (value, value))
  except ProcessLookupError:
    pass  # it has ended already


def _reason(code: int, errors: bytes, path: str) -> str:
  """One printable line out of what ffmpeg said."""
  if code < 0:
    return f'the decoder was stopped by signal {-code} (time or memory limit)'
  text = errors.decode('utf-8', 'replace').replace(os.path.abspath(path), '')
  for line in text.splitlines():
    line = re.sub(r'\[[^\]]*@ 0x[0-9a-f]+\]', '', line)
    line = ''.join(c for c in line if c.isprintable()).strip(' .:')
    if line:
      return line[:160]
  return f'the decoder failed with code {code}'
