"""Pictures inside a zip file, as StyleGAN's `dataset_tool` writes them.

A file in it has the path '<archive>.zip!/<name>'. Only files are read, under
names that stay strings: nothing is written where a name in the archive says.
"""

from __future__ import annotations

import contextlib
import functools
import os
import tempfile
from typing import Iterator
import zipfile
import zlib

from earsr_tf.data import manifest
from earsr_tf.media import picture
from earsr_tf.media import sniffing

_INSIDE = '.zip!/'
_MAX_TABLE_BYTES = 256 << 20


class ZipFiles:
  """The files of an archive, as data sets list them (`files.Files`)."""

  def __init__(self, *, path: str):
    """Opens it.

    Args:
      path: The archive, on the local disk.

    Raises:
      MissingDataError: If there is no such file.
      DataError: If it is no zip file.
    """
    try:
      self._archive = _open(path)
    except OSError as e:
      raise manifest.MissingDataError(
          f'{path}: cannot be read ({e.strerror or e}); give a zip file on '
          'this machine') from None
    except zipfile.BadZipFile as e:
      raise manifest.DataError(f'{path}: is no whole zip file ({e})') from None
    self._base = f'{path}!/'

  def walk(self, folder: str, depth: int) -> Iterator[str]:
    """See `files.Files`."""
    base = f'{folder.rstrip("/")}/'.removeprefix(self._base)
    names = (i.filename for i in self._archive.infolist() if not i.is_dir())
    for name in sorted(names, key=lambda name: name.split('/')):
      below = name.removeprefix(base)
      if name.startswith(base) and below.count('/') < depth:
        yield below

  def read(self, path: str) -> bytes:
    """See `files.Files`."""
    return _read(path, _MAX_TABLE_BYTES)

  def exists(self, path: str) -> bool:
    """See `files.Files`."""
    return path.removeprefix(self._base) in self._archive.NameToInfo


def is_member(path: str) -> bool:
  """Whether a path is that of a file in a zip file."""
  return _INSIDE in path


@contextlib.contextmanager
def extracted(path: str) -> Iterator[str]:
  """A copy of a picture in an archive, for the while.

  Args:
    path: '<archive>.zip!/<name>'.

  Yields:
    Path of the copy.

  Raises:
    MediaError: If it is damaged, encrypted or larger than a picture may be.
  """
  content = _read(path, picture.MAX_IMAGE_BYTES)
  with tempfile.TemporaryDirectory(prefix='earsr_') as folder:
    # A name of ours: that in the archive may be anything.
    copy = os.path.join(folder, 'picture')
    with open(copy, 'wb') as file:
      file.write(content)
    yield copy


@functools.lru_cache(maxsize=4)
def _open(path: str) -> zipfile.ZipFile:
  """An archive; its list of 70,000 names takes a third of a second to read."""
  return zipfile.ZipFile(path)


def _read(path: str, limit: int) -> bytes:
  """Content of a file in an archive of at most `limit` bytes."""
  archive, _, name = path.partition(_INSIDE)
  try:
    opened = _open(f'{archive}.zip')
    if opened.getinfo(name).file_size > limit:
      raise sniffing.MediaError(
          path, f'has {opened.getinfo(name).file_size} bytes',
          f'give at most {limit >> 20} MB')
    return opened.read(name)
  except KeyError:
    raise FileNotFoundError(2, 'no such file', path) from None
  except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError,
          EOFError) as e:
    raise sniffing.MediaError(
        path, f'cannot be unpacked ({e})', 'make the archive again') from None
