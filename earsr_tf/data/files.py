"""Where a tree of clips lies: what listing needs of a file system.

The local disk is here; pipelines/ingest/storage.py has the others.
"""

from __future__ import annotations

import os
import pathlib
from typing import Iterator, Protocol

from earsr_tf.data import manifest


class Files(Protocol):
  """A file system, as far as data sets read it."""

  def walk(self, folder: str, depth: int) -> Iterator[str]:
    """Files below a folder, in order of their path, name by name.

    Args:
      folder: Its path; one that is not there has no files.
      depth: Names in a path at most: 1 lists the folder alone.

    Yields:
      Paths relative to `folder`, separated by '/'.

    Raises:
      DataError: If a folder cannot be listed.
    """

  def read(self, path: str) -> bytes:
    """Content of a small file; raises FileNotFoundError or OSError."""

  def exists(self, path: str) -> bool:
    """Whether there is such a file."""


class LocalFiles:
  """The local disk; links to folders are followed, `depth` ends loops."""

  def walk(self, folder: str, depth: int) -> Iterator[str]:
    """See `Files`."""
    try:
      with os.scandir(folder) as found:
        entries = sorted((e.name, _is_folder(e)) for e in found)
    except (FileNotFoundError, NotADirectoryError):
      return
    except OSError as e:
      raise manifest.DataError(
          f'{folder}: cannot be listed ({e.strerror}); mend its permissions '
          'or take it out of the tree') from None
    for name, is_folder in entries:
      if not is_folder:
        yield name
      elif depth > 1:
        for below in self.walk(os.path.join(folder, name), depth - 1):
          yield f'{name}/{below}'

  def read(self, path: str) -> bytes:
    """See `Files`."""
    return pathlib.Path(path).read_bytes()

  def exists(self, path: str) -> bool:
    """See `Files`."""
    return os.path.isfile(path)


LOCAL = LocalFiles()


def _is_folder(entry: os.DirEntry[str]) -> bool:
  """Whether it is a folder; a link in a circle is none."""
  try:
    return entry.is_dir()
  except OSError:
    return False
