"""Files that are whole or not there, and on the disk when they should be.

This module needs no TensorFlow.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pathlib
import tempfile
from typing import Any, Iterator


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[str]:
  """Gives an empty file that becomes `path` once it is filled.

  If the block fails, `path` is as it was and nothing is left behind.

  Args:
    path: Target; its folder is created.

  Yields:
    Name of a file in the same folder.

  Raises:
    OSError: If the folder cannot be written.
  """
  path = pathlib.Path(path)
  path.parent.mkdir(parents=True, exist_ok=True)
  handle, temporary = tempfile.mkstemp(
      dir=path.parent, prefix=f'.{path.name}.', suffix='.tmp')
  try:
    os.close(handle)
    yield temporary
    sync(temporary)
    os.chmod(temporary, 0o666 & ~_umask())  # mkstemp makes it private
    os.replace(temporary, path)
  except BaseException:
    if os.path.exists(temporary):
      os.unlink(temporary)
    raise


def write(path: str | os.PathLike[str], content: bytes) -> None:
  """Writes a file that is either absent, old or whole, never half.

  Args:
    path: Target; its folder is created.
    content: All bytes.

  Raises:
    OSError: If the folder cannot be written; nothing is left behind.
  """
  with replacing(path) as temporary:
    pathlib.Path(temporary).write_bytes(content)


def write_json(path: str | os.PathLike[str], values: Any) -> None:
  """Writes JSON for people and programs; see `write`.

  Raises:
    OSError: If the folder cannot be written; nothing is left behind.
    TypeError: If `values` hold something that JSON has no form for.
  """
  write(path, (json.dumps(values, indent=2, sort_keys=True) + '\n').encode())


def sync(path: str | os.PathLike[str]) -> None:
  """Waits until a file's content, or a folder's entries, are on the disk."""
  descriptor = os.open(path, os.O_RDONLY)
  try:
    os.fsync(descriptor)
  finally:
    os.close(descriptor)


def sha256(path: str | os.PathLike[str]) -> str:
  """The checksum of a file, in hexadecimal; OSError if it cannot be read."""
  with open(path, 'rb') as f:
    return hashlib.file_digest(f, 'sha256').hexdigest()


def _umask() -> int:
  """Reads the process's umask; the system offers no call that only reads."""
  mask = os.umask(0)
  os.umask(mask)
  return mask
