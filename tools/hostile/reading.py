"""How decoders end on foreign files: each read in a process of its own."""

from __future__ import annotations

import dataclasses
import multiprocessing
from multiprocessing import connection
import os
import resource
import time
from typing import Any, Callable
import warnings

from earsr_tf import cli
from earsr_tf.media import child
from earsr_tf.media import clip_files
from earsr_tf.media import reader
from earsr_tf.media import talking_face

LIMIT_S = 10.0
LIMIT_BYTES = child.MEMORY_BYTES
_HANG_S = 60.0  # the reader itself is given up
_WANTED = talking_face.Wanted(frames=8, size=128)  # what prepare asks for


@dataclasses.dataclass(frozen=True)
class Outcome:
  """How reading a file in one way ended.

  Attributes:
    file: Its path below the folder.
    role: 'face' or 'voice'.
    reason: Why it was refused; '' if it was used.
    seconds: Wall-clock time.
    bytes: Peak of resident memory, of the reader or of its child.
    is_clean: False if it ended by anything but success or a MediaError.
  """
  file: str
  role: str
  reason: str
  seconds: float
  bytes: int
  is_clean: bool = True

  @property
  def is_broken(self) -> bool:
    """Whether it broke a limit."""
    return (not self.is_clean or self.seconds >= LIMIT_S
            or self.bytes >= LIMIT_BYTES)


def examine(path: str, name: str, voice: str) -> list[Outcome]:
  """Reads a file as a face and as a voice, each in a process of its own.

  The system counts what this process holds as its children's peak of memory
  too, so a small process must ask.

  Args:
    path: The file.
    name: What it is called in the outcomes.
    voice: A good sound file, the voice that goes with the face.
  """
  return [
      _isolated(name, 'face', lambda: talking_face.read(
          clip_files.Clip('s', 'v', 'c', frames=path, audio=voice), _WANTED)),
      _isolated(name, 'voice', lambda: reader.read_voice(
          path, _WANTED.max_seconds))]


def _isolated(name: str, role: str, read: Callable[[], Any]) -> Outcome:
  """Forks, reads, and takes the outcome from a pipe."""
  context = multiprocessing.get_context('fork')
  ours, theirs = context.Pipe(duplex=False)
  process = context.Process(target=_read, args=(read, theirs))
  began = time.monotonic()
  process.start()
  theirs.close()
  try:
    reason, size, is_clean = (
        ours.recv() if ours.poll(_HANG_S) else ('hangs', 0, False))
  except EOFError:
    reason, size, is_clean = 'the reader crashed', 0, False
  seconds = time.monotonic() - began
  process.kill()
  process.join()
  return Outcome(name, role, reason, seconds, size, is_clean)


def _read(read: Callable[[], Any], pipe: connection.Connection) -> None:
  """In the child: reads and sends (reason, peak bytes, is_clean)."""
  warnings.simplefilter('ignore')
  reason, is_clean = '', True
  try:
    read()
  except reader.MediaError as e:
    reason = e.reason
    is_clean = str(e) == cli.printable(str(e))
  except BaseException as e:  # noqa: BLE001
    reason, is_clean = f'{type(e).__name__}: {e}', False
  peak = max(resource.getrusage(who).ru_maxrss for who in (
      resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
  pipe.send((reason, 1024 * peak, is_clean))


def files(folder: str) -> list[str]:
  """Everything below a folder that is no folder, and folders without files.

  Links are not followed.
  """
  found = []
  for root, folders, names in os.walk(folder):
    found += [os.path.join(root, n) for n in names]
    if not folders and not names:
      found.append(root)
  return sorted(found)
