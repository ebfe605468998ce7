"""What a foreign file is by its first bytes, and the error for bad ones."""

from __future__ import annotations

import os
import stat

VIDEOS = ('MP4', 'Matroska', 'AVI', 'FLV', 'MPEG')
SOUNDS = ('WAV', 'FLAC', 'Ogg', 'MP3', 'AAC', 'AIFF', 'ASF', 'AMR', 'AU',
          'CAF')
IMAGES = ('PNG', 'JPEG', 'BMP', 'WebP', 'AVIF', 'HEIC', 'TIFF', 'GIF')

# Brands of still pictures in the container of MP4.
_STILLS = (('AVIF', b'avif'), ('AVIF', b'avis'), ('HEIC', b'heic'),
           ('HEIC', b'heix'), ('HEIC', b'heim'), ('HEIC', b'heis'),
           ('HEIC', b'mif1'))


class MediaError(ValueError):
  """A media file cannot be used: '<path>: <reason>; <remedy>', one line.

  Attributes:
    path: The file.
    reason: What is wrong with it.
    exit_code: What a command ends with: 65 bad data, 66 missing input.
  """

  def __init__(
      self, path: str | os.PathLike[str], reason: str,
      remedy: str = 'give another file', *, exit_code: int = 65):
    self.path = ''.join(
        c if c.isprintable() else '?'
        for c in os.fsencode(path).decode('utf-8', 'replace'))
    super().__init__(self.path, reason, remedy)
    self.reason = reason
    self.exit_code = exit_code

  def __str__(self) -> str:
    return '{}: {}; {}'.format(*self.args)


def sniff(path: str | os.PathLike[str]) -> str:
  """Says by its first bytes what a regular file is, e.g. 'PNG' or 'text'.

  Raises:
    MediaError: If there is no such regular, readable, non-empty file.
  """
  try:
    is_file = stat.S_ISREG(os.stat(path).st_mode)
    head = b''
    if is_file:  # opening a pipe would wait for ever
      with open(path, 'rb') as f:
        head = f.read(64)
  except FileNotFoundError:
    raise MediaError(
        path, 'no such file', 'check the path', exit_code=66) from None
  except OSError as e:
    raise MediaError(path, f'cannot be read ({e.strerror})') from None
  except ValueError:  # a zero byte in the name
    raise MediaError(path, 'is not a path', exit_code=66) from None
  if not is_file:
    raise MediaError(path, 'is not a regular file')
  if not head:
    raise MediaError(path, 'is empty')
  return _kind(head)


def check_bytes(path: str | os.PathLike[str], limit: int) -> None:
  """Raises MediaError if the file is larger than `limit`."""
  size = os.stat(path).st_size
  if size > limit:
    raise MediaError(path, f'has {size >> 20} MB',
                     f'give a file of at most {limit >> 20} MB')


def _kind(head: bytes) -> str:
  """Names a format by its first bytes."""
  for kind, offset, magic in (
      ('PNG', 0, b'\x89PNG\r\n\x1a\n'), ('JPEG', 0, b'\xff\xd8\xff'),
      ('WebP', 8, b'WEBP'), ('WAV', 8, b'WAVE'), ('AVI', 8, b'AVI '),
      *((kind, 4, b'ftyp' + brand) for kind, brand in _STILLS),
      ('MP4', 4, b'ftyp'), ('MP4', 4, b'moov'), ('MP4', 4, b'mdat'),
      ('FLAC', 0, b'fLaC'), ('Ogg', 0, b'OggS'), ('MP3', 0, b'ID3'),
      ('AIFF', 8, b'AIF'), ('Matroska', 0, b'\x1a\x45\xdf\xa3'),
      ('ASF', 0, b'\x30\x26\xb2\x75\x8e\x66\xcf\x11'),
      ('AMR', 0, b'#!AMR'), ('AU', 0, b'.snd'), ('CAF', 0, b'caff'),
      ('FLV', 0, b'FLV\x01'), ('MPEG', 0, b'\0\0\1\xba'),
      ('MPEG', 0, b'\0\0\1\xb3'), ('GIF', 0, b'GIF8'),
      ('TIFF', 0, b'II*\0'), ('TIFF', 0, b'MM\0*'), ('zip', 0, b'PK\3\4'),
      ('PDF', 0, b'%PDF'), ('BMP', 0, b'BM')):
    if head[offset:offset + len(magic)] == magic:
      # mif1 is a still of any codec; the brands behind it say which.
      return 'AVIF' if kind == 'HEIC' and b'avif' in head[16:] else kind
  if head[0] == 0xff and head[1:2] and head[1] & 0xe0 == 0xe0:
    return 'AAC' if head[1] & 0x06 == 0 else 'MP3'
  if all(b in b'\t\n\r' or b >= 32 and b != 127 for b in head):
    return 'text'
  return 'an unknown format'
