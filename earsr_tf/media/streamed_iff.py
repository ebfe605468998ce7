"""AIFF and CAF files whose writer could not go back to fill in the lengths.

As `streamed_wav`, for what ffmpeg and others write into a pipe: an AIFF states
0 as the length of its samples, a CAF -1 (which Apple's specification allows).
Samples go on to the end of the file. Only uncompressed ones can be counted.
"""

from __future__ import annotations

import os
import struct
from typing import BinaryIO, Iterator

_OPEN_BYTES = 0x7fff0000
_MAX_CHUNKS = 1000
_UNCOMPRESSED = (b'NONE', b'twos', b'sowt', b'raw ', b'fl32', b'FL32', b'fl64',
                 b'FL64', b'in24', b'in32')
# Place in a file -> bytes that belong there; b'' is the end of the file.
Mends = dict[int, bytes]


def find(file: BinaryIO) -> Mends:
  """What mends a file from a pipe; {} for any other file.

  Args:
    file: Opened for reading; its place is moved.

  Returns:
    For `mend`.
  """
  file.seek(0)
  head = file.read(12)
  if head[:4] == b'FORM' and head[8:] in (b'AIFF', b'AIFC'):
    return _aiff(file, head[8:])
  return _caf(file) if head[:6] == b'caff\0\1' else {}


def mend(file: BinaryIO, mends: Mends) -> None:
  """Writes what `find` found into a copy of the file."""
  for place, content in mends.items():
    file.seek(place)
    if content:
      file.write(content)
    else:
      file.truncate()


def _aiff(file: BinaryIO, form: bytes) -> Mends:
  """The lengths of the form and of its samples, and the number of these."""
  end = file.seek(0, os.SEEK_END)
  frame, count_at = 0, 0
  for name, place, size in _chunks(file, 12, '>I'):
    if name == b'COMM':
      channels, _, bits = struct.unpack(
          '>HIH', file.read(8).ljust(8, b'\0'))
      kind = file.read(14)[10:] if form == b'AIFC' else b'NONE'
      frame = channels * -(-bits // 8) if kind in _UNCOMPRESSED else 0
      count_at = place + 2
    if name == b'SSND':
      rest = end - place - 8  # behind two numbers that say where it begins
      is_open = size < 8 or size >= _OPEN_BYTES and size > rest
      if not (frame and rest >= frame and is_open):
        return {}
      count = rest // frame
      end = place + 8 + count * frame
      return {4: struct.pack('>I', end - 8),
              count_at: struct.pack('>I', count),
              place - 4: struct.pack('>I', end - place), end: b''}
  return {}


def _caf(file: BinaryIO) -> Mends:
  """The length of the samples."""
  end = file.seek(0, os.SEEK_END)
  frame = 0
  for name, place, size in _chunks(file, 8, '>q'):
    if name == b'desc':
      frame = struct.unpack(
          '>16xI', file.read(20).ljust(20, b'\0'))[0]
    if name == b'data':
      rest = end - place - 4  # behind the count of edits
      if not (frame and rest >= frame and size <= 0):
        return {}
      end = place + 4 + rest // frame * frame
      return {place - 8: struct.pack('>q', end - place), end: b''}
  return {}


def _chunks(
    file: BinaryIO, place: int, form: str
) -> Iterator[tuple[bytes, int, int]]:
  """Name, place and stated length of chunks; the file is at their content."""
  size_bytes = struct.calcsize(form)
  for _ in range(_MAX_CHUNKS):
    file.seek(place)
    head = file.read(4 + size_bytes)
    if len(head) < 4 + size_bytes:
      return
    [size] = struct.unpack(form, head[4:])
    place += len(head)
    yield head[:4], place, size
    if size < 0:
      return
    place += size + (size % 2 if form == '>I' else 0)
