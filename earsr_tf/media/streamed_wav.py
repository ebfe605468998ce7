"""WAV files whose writer could not go back to fill in the lengths.

What ffmpeg, sox, arecord, browsers and recorders write into a pipe states
0xFFFFFFFF, 0 or about 2 GB as the length of its samples: they go on to the end
of the file. Decoders take the missing rest for damage, so the lengths are
filled in before they see the file. Plain bytes only; nothing is decoded here.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
import shutil
import struct
import tempfile
from typing import BinaryIO, Iterator

from earsr_tf.media import streamed_iff

_OPEN_BYTES = 0x7fff0000  # sox states 0x7ffff000, arecord about 2^31
_MAX_CHUNKS = 1000


@dataclasses.dataclass(frozen=True)
class _Samples:
  """Where the samples lie, in bytes.

  Attributes:
    start: Of the first sample; its chunk's length stands 4 bytes before.
    stated: Length by the header.
    rest: Length to the end of the file, in whole frames.
  """
  start: int
  stated: int
  rest: int


@contextlib.contextmanager
def completed(path: str | os.PathLike[str]) -> Iterator[str]:
  """A file with its lengths filled in, AIFF and CAF included.

  Args:
    path: Any file.

  Yields:
    The path of a copy that lives as long as the context; of the file itself
    if there is nothing to fill in.
  """
  with contextlib.ExitStack() as stack:
    with open(path, 'rb') as source:
      samples, mends = _open_samples(source), streamed_iff.find(source)
      if samples or mends:
        copy = stack.enter_context(tempfile.NamedTemporaryFile())
        source.seek(0)
        shutil.copyfileobj(source, copy)
        if samples:
          _fill(copy, samples)
        streamed_iff.mend(copy, mends)
        copy.flush()
        path = copy.name
    yield os.fspath(path)


def complete(data: bytes) -> bytes:
  """As `completed`, for a file in memory; returns `data` if it is complete."""
  samples = _open_samples(io.BytesIO(data))
  if not samples:
    return data
  copy = io.BytesIO(data)
  _fill(copy, samples)
  return copy.getvalue()


def _open_samples(file: BinaryIO) -> _Samples | None:
  """The samples of a WAV file if their length is not known, else None."""
  found = _find_samples(file)
  if not found or not found.rest:
    return None
  if found.stated >= _OPEN_BYTES and found.stated > found.rest:
    return found
  if not found.stated and not _are_chunks(file, found.start):
    return found
  return None


def _find_samples(file: BinaryIO) -> _Samples | None:
  """The chunk 'data' behind a 'fmt '; None if this is no such file."""
  end = file.seek(0, os.SEEK_END)
  file.seek(0)
  head = file.read(12)
  if head[:4] != b'RIFF' or head[8:] != b'WAVE':
    return None
  place, frame = 12, 0
  for _ in range(_MAX_CHUNKS):
    file.seek(place)
    head = file.read(8)
    if len(head) < 8:
      return None
    size = int.from_bytes(head[4:], 'little')
    if head[:4] == b'fmt ':
      frame = int.from_bytes(file.read(14)[12:], 'little')
    if head[:4] == b'data':
      if not frame:
        return None
      rest = end - place - 8
      return _Samples(place + 8, size, rest - rest % frame)
    place += 8 + size + size % 2
  return None


def _are_chunks(file: BinaryIO, place: int) -> bool:
  """Whether nothing but whole chunks follows: there are truly no samples."""
  end = file.seek(0, os.SEEK_END)
  for _ in range(_MAX_CHUNKS):
    file.seek(place)
    head = file.read(8)
    if len(head) < 8 or not all(32 <= byte < 127 for byte in head[:4]):
      return False
    size = int.from_bytes(head[4:], 'little')
    place += 8 + size + size % 2
    if place in (end, end + 1):
      return True
  return False


def _fill(file: BinaryIO, samples: _Samples) -> None:
  """Writes both lengths and cuts what follows the last whole frame."""
  end = samples.start + samples.rest
  for place, size in ((4, end - 8), (samples.start - 4, samples.rest)):
    file.seek(place)
    file.write(struct.pack('<I', size))
  file.truncate(end)
