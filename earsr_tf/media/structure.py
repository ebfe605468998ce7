"""Pictures that would take long to decode though they are small.

A decoder goes through every chunk, marker and scan; a file of a few megabytes
can hold hundreds of thousands of empty ones, or scans that each touch all of a
large picture. They are counted before a decoder sees the file.
"""

from __future__ import annotations

import re

_MAX_CHUNKS = 20_000  # of a PNG; 64 MB in pieces of 4 kB are 16,000
_MAX_MARKERS = 2_000  # of a JPEG
_MAX_SCANS = 100
_MAX_SCANNED_PIXELS = 256 << 20  # 4096 x 4096 in 16 scans
_USUAL_SCANS = 10  # of encoders, allowed whatever the size

# The marker that ends the coded data of a scan: no stuffing, no restart.
_NEXT_MARKER = re.compile(rb'\xff[^\x00\xd0-\xd7\xff]')
_FRAMES = frozenset(range(0xc0, 0xd0)) - {0xc4, 0xc8, 0xcc}
_SCAN, _END = 0xda, 0xd9


def problem(kind: str, data: bytes) -> str:
  """Says why a picture must not be decoded.

  Args:
    kind: As `sniffing.sniff` names it.
    data: The file.

  Returns:
    A reason such as 'has more than 100 scans'; '' if there is none.
  """
  if kind == 'PNG':
    return _png_problem(data)
  if kind == 'JPEG':
    return _jpeg_problem(data)
  return ''


def _png_problem(data: bytes) -> str:
  """Counts chunks."""
  place = 8  # behind the signature
  for _ in range(_MAX_CHUNKS):
    if place + 8 > len(data):
      return ''
    place += 12 + int.from_bytes(data[place:place + 4], 'big')
  return f'has more than {_MAX_CHUNKS} chunks'


def _jpeg_problem(data: bytes) -> str:
  """Counts markers and scans, and pixels over all scans."""
  place, pixels, scans = 2, 0, 0
  for _ in range(_MAX_MARKERS):
    found = _NEXT_MARKER.search(data, place)
    if not found or data[found.start() + 1] == _END:
      return ''
    marker, place = data[found.start() + 1], found.start() + 2
    if marker in _FRAMES:
      height, width = (
          int.from_bytes(data[at:at + 2], 'big')
          for at in (place + 3, place + 5))
      pixels = max(pixels, height * width)
    scans += marker == _SCAN
    if scans > _MAX_SCANS:
      return f'has more than {_MAX_SCANS} scans'
    if scans > _USUAL_SCANS and scans * pixels > _MAX_SCANNED_PIXELS:
      return f'has {scans} scans or more of {pixels / 1e6:.1f} million pixels'
    place += int.from_bytes(data[place:place + 2], 'big')
  return f'has more than {_MAX_MARKERS} markers'
