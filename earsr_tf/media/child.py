"""A killable ffmpeg child: the only thing that decodes foreign sound and video.

The child has limits on time, memory and files it may write, reads local files
and writes to pipes. A decoder that hangs or asks for the moon dies alone.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import os
import re
import resource
import select
import selectors
import subprocess
import time
from typing import Iterator, Sequence

import imageio_ffmpeg

TIMEOUT_S = 9
CPU_S = 8
MEMORY_BYTES = 1 << 30
MAX_PIXELS = 4096 * 4096

# What may be inside; playlists and other formats that name files may not.
_FORMATS = (
    'mov,mp4,m4a,3gp,3g2,mj2,wav,w64,flac,ogg,mp3,aac,aiff,asf,amr,au,caf,'
    'matroska,webm,avi,flv,mpeg,mpegvideo,png_pipe')
CHECKED_FORMATS = (
    '-protocol_whitelist', 'file,pipe', '-format_whitelist', _FORMATS)
_CUT = (b'File ended prematurely', b': partial file')
_MAX_ERROR_BYTES = 1 << 16
_PIPE_BYTES = 1 << 20
_READ_BYTES = 1 << 18
_PAUSE_MS = 10


class ChildError(ValueError):
  """The child failed or was stopped; the message is one line without paths.

  Attributes:
    is_timeout: Whether it was stopped because it took too long.
  """

  def __init__(self, message: str, is_timeout: bool = False):
    """Takes the line, and whether it took too long."""
    super().__init__(message)
    self.is_timeout = is_timeout


@dataclasses.dataclass(frozen=True)
class Input:
  """A local file, and the part of it that is read.

  Attributes:
    path: The file.
    seconds: Length of the part.
    start: Seconds before it.
    form: ffmpeg's name of its format; '' for what its bytes tell.
  """
  path: str
  seconds: float
  start: float = 0.0
  form: str = ''


def decode(
    path: str, *, seconds: float, output: Sequence[str], start: float = 0.0,
    timeout: float = TIMEOUT_S) -> bytearray:
  """Runs ffmpeg over one file, with one output; see `run`."""
  return run([Input(path, seconds, start)], [output], timeout)[0]


def run(
    inputs: Sequence[Input], outputs: Sequence[Sequence[str]],
    timeout: float = TIMEOUT_S) -> list[bytearray]:
  """Runs one ffmpeg.

  Args:
    inputs: What it reads.
    outputs: Options of each output; what comes out must be bounded by them.
    timeout: Wall-clock limit in seconds.

  Returns:
    What ffmpeg wrote to each output.

  Raises:
    ChildError: If it failed, with ffmpeg's first line, or took too long.
  """
  deadline = time.monotonic() + timeout
  with contextlib.ExitStack() as stack:
    readers, writers = _pipes(stack, len(outputs))
    with subprocess.Popen(
        _command(inputs, outputs, writers), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        pass_fds=writers) as process:
      try:
        _limit(process.pid)
        for writer in writers:  # the child's are the only ones left
          os.close(writer)
        writers.clear()
        found = _drain(
            [process.stderr.fileno(), *readers], process.pid, deadline)
        process.wait(max(0.0, deadline - time.monotonic()))
      except (TimeoutError, subprocess.TimeoutExpired):
        raise ChildError(
            f'decoding was stopped after {timeout:g} s', True) from None
      finally:
        process.kill()  # does nothing once it has ended
  if process.returncode:
    raise ChildError(_reason(process.returncode, bytes(found[0]), inputs))
  return found[1:]


def pieces(
    source: Input, output: Sequence[str], size: int,
    timeout: float = TIMEOUT_S) -> Iterator[bytes]:
  """Runs one ffmpeg and gives what it writes while it runs, piece by piece.

  It may run as long as it likes, but not be silent for long.

  Args:
    source: What it reads.
    output: Options of its one output.
    size: Bytes of a piece; what is left over at the end is dropped.
    timeout: Longest wait for it in seconds.

  Yields:
    Pieces of `size` bytes.

  Raises:
    ChildError: If it failed, with ffmpeg's first line, or was silent too long.
  """
  errors, found = bytearray(), bytearray()
  with subprocess.Popen(
      _command([source], [output], [1]), stdin=subprocess.DEVNULL,
      stdout=subprocess.PIPE, stderr=subprocess.PIPE,
  ) as process, selectors.DefaultSelector() as selector:
    try:
      _limit(process.pid, cpu_s=resource.RLIM_INFINITY)
      selector.register(process.stderr, selectors.EVENT_READ, errors)
      selector.register(process.stdout, selectors.EVENT_READ, found)
      while selector.get_map():
        for key, _ in selector.select(timeout) or _late():
          piece = os.read(key.fd, _PIPE_BYTES)
          if not piece:
            selector.unregister(key.fileobj)
          elif key.data is found or len(errors) < _MAX_ERROR_BYTES:
            key.data.extend(piece)
        while len(found) >= size:
          yield bytes(found[:size])
          del found[:size]
      process.wait(timeout)
    except (TimeoutError, subprocess.TimeoutExpired):
      raise ChildError(
          f'decoding was stopped: nothing came for {timeout:g} s',
          True) from None
    finally:
      process.kill()  # does nothing once it has ended
  # That a file was cut is no failure to ffmpeg.
  if process.returncode or any(text in errors for text in _CUT):
    raise ChildError(_reason(process.returncode, bytes(errors), [source]))


def _late() -> list[tuple[selectors.SelectorKey, int]]:
  """Says that nothing came in time."""
  raise TimeoutError


def _pipes(
    stack: contextlib.ExitStack, count: int) -> tuple[list[int], list[int]]:
  """Ends to read and to write; what is still listed is closed in the end."""
  readers: list[int] = []
  writers: list[int] = []
  stack.callback(lambda: [os.close(end) for end in readers + writers])
  for _ in range(count):
    reader, writer = os.pipe()
    readers.append(reader)
    writers.append(writer)
    with contextlib.suppress(OSError):  # above the user's share: smaller pipes
      fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
  return readers, writers


def _command(
    inputs: Sequence[Input], outputs: Sequence[Sequence[str]],
    writers: Sequence[int]) -> list[str]:
  """The command line."""
  command = [
      imageio_ffmpeg.get_ffmpeg_exe(), '-nostdin', '-v', 'error', '-xerror',
      '-filter_threads', '1']
  for one in inputs:
    command += [
        *CHECKED_FORMATS, '-max_pixels', str(MAX_PIXELS), '-threads', '1',
        *(('-ss', f'{one.start:g}') if one.start else ()),
        *(('-f', one.form) if one.form else ()), '-t', str(one.seconds), '-i',
        f'file:{os.path.abspath(one.path)}']
  for output, writer in zip(outputs, writers):
    command += ['-threads', '1', *output, f'pipe:{writer}']
  return command


def _drain(
    ends: Sequence[int], pid: int, deadline: float) -> list[bytearray]:
  """Reads pipes side by side until all are closed; TimeoutError if late."""
  found = [bytearray() for _ in ends]
  # A child writes by and by, and to wake for every bit of it costs more than to
  # read it. Large pipes hold what it writes meanwhile.
  size = min(fcntl.fcntl(end, fcntl.F_GETPIPE_SZ) for end in ends[1:])
  pause = _PAUSE_MS if size >= _PIPE_BYTES else 0
  with selectors.DefaultSelector() as selector, _ended(pid) as ended:
    for end, buffer in zip(ends, found):
      selector.register(end, selectors.EVENT_READ, buffer)
    while selector.get_map():
      is_flooded = False
      for key in _ready(selector, deadline):
        piece = os.read(key.fd, _READ_BYTES)
        is_flooded |= len(piece) == _READ_BYTES
        if not piece:
          selector.unregister(key.fd)
        elif key.data is not found[0] or len(key.data) < _MAX_ERROR_BYTES:
          key.data.extend(piece)
      if not is_flooded:
        ended.poll(pause)
  return found


@contextlib.contextmanager
def _ended(pid: int) -> Iterator[select.poll]:
  """What to poll for the end of a child; in vain on systems without."""
  poll = select.poll()
  try:
    descriptor = os.pidfd_open(pid)
  except (AttributeError, OSError):
    yield poll
    return
  try:
    poll.register(descriptor, select.POLLIN)
    yield poll
  finally:
    os.close(descriptor)


def _ready(
    selector: selectors.BaseSelector, deadline: float
) -> Iterator[selectors.SelectorKey]:
  """Pipes with something to read; TimeoutError once it is late."""
  wait = deadline - time.monotonic()
  if wait <= 0:
    raise TimeoutError
  for key, _ in selector.select(wait):
    yield key


def _limit(pid: int, cpu_s: int = CPU_S) -> None:
  """Sets limits from outside: a hook after fork can dead-lock with threads."""
  try:
    for kind, value in (
        (resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0)):
      resource.prlimit(pid, kind, (value, value))
  except ProcessLookupError:
    pass  # it has ended already


def _reason(code: int, errors: bytes, inputs: Sequence[Input]) -> str:
  """One printable line out of what ffmpeg said."""
  if code < 0:
    return f'the decoder was stopped by signal {-code} (time or memory limit)'
  text = errors.decode('utf-8', 'replace')
  for one in inputs:
    text = text.replace(os.path.abspath(one.path), '')
  for line in text.splitlines():
    line = re.sub(r'\[[^\]]*@ 0x[0-9a-f]+\]', '', line)
    line = ''.join(c for c in line if c.isprintable()).strip(' .:')
    if line:
      return line[:160]
  return f'the decoder failed with code {code}'
