"""WAV files that need no decoder: whole ones of 16 kHz, mono, 16 bit.

Speech data sets come as such (VoxCeleb1, what our own tools write), and to
start a decoder for one takes a hundred times longer than to read it. Only files
whose every length is as it should be are read here; all others are left to the
decoder, which knows what is damage and what is not.
"""

from __future__ import annotations

import os
import struct

import numpy as np

# A header without other chunks: RIFF, the format, the head of the samples.
_HEADER = struct.Struct('<4sI4s 4sIHHIIHH 4sI')
_PCM, _CHANNELS, _RATE_HZ, _BITS = 1, 1, 16_000, 16
_FRAME_BYTES = _CHANNELS * _BITS // 8
_FORMAT = (b'fmt ', 16, _PCM, _CHANNELS, _RATE_HZ, _RATE_HZ * _FRAME_BYTES,
           _FRAME_BYTES, _BITS)


def read(
    path: str | os.PathLike[str], max_seconds: float) -> np.ndarray | None:
  """Reads a file that is samples behind a plain header.

  Args:
    path: A regular file.
    max_seconds: The rest is not read.

  Returns:
    [n] int16, 16 kHz mono: what the decoder would give; None if the file is
    another, is not whole, or has no samples.

  Raises:
    OSError: If it cannot be read.
  """
  with open(path, 'rb') as file:
    head = file.read(_HEADER.size)
    if len(head) < _HEADER.size:
      return None
    riff, length, wave, *form, data, size = _HEADER.unpack(head)
    end = os.fstat(file.fileno()).st_size
    is_plain = (riff, wave, tuple(form), data) == (
        b'RIFF', b'WAVE', _FORMAT, b'data')
    is_whole = length + 8 == end and size == end - _HEADER.size
    if not (is_plain and is_whole) or not size or size % _FRAME_BYTES:
      return None
    most = round(max_seconds * _RATE_HZ) * _FRAME_BYTES
    raw = file.read(min(size, most))
  return np.frombuffer(raw, '<i2', len(raw) // _FRAME_BYTES).astype(np.int16)
