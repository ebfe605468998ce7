"""Where input and output lie: the local disk or anything Beam has a name for.

Everything goes through Beam's file systems (`gs://`, `hdfs://`, `s3://` where
their packages are installed); local media are opened where they lie, others
are copied to a temporary file for ffmpeg. What is written appears whole, by
temporary name and rename.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pathlib
import shutil
import tempfile
from typing import IO, Iterator, Sequence
import uuid

from apache_beam.io import filesystem
from apache_beam.io import filesystems

from earsr_tf import durable
from earsr_tf.data import files as files_lib
from earsr_tf.data import manifest
from earsr_tf.data import zip_files

_FileSystems = filesystems.FileSystems
_RAW = filesystem.CompressionTypes.UNCOMPRESSED
_COPY_BYTES = 1 << 20


class StorageError(OSError):
  """A remote file cannot be read or written; says which."""


def is_remote(path: str) -> bool:
  """Whether a path is not on the local disk."""
  return _FileSystems.get_scheme(path) is not None


def join(folder: str, *names: str) -> str:
  """A path below a folder."""
  return '/'.join((folder.rstrip('/'), *names))


def open_read(path: str) -> IO[bytes]:
  """Opens a file; FileNotFoundError if there is none."""
  if not is_remote(path):
    return open(path, 'rb')
  with _named(path):
    if not _FileSystems.exists(path):
      raise FileNotFoundError(2, 'no such file', path)
    return _FileSystems.open(path, compression_type=_RAW)


@contextlib.contextmanager
def open_write(path: str, *, is_last: bool = False) -> Iterator[IO[bytes]]:
  """Opens a file that appears at its end, whole, or not at all.

  Args:
    path: The file.
    is_last: Whether it says that all is done: it is on the disk before it has
      its name. Others are checked by what is written in it, or made again.
  """
  partial = f'{path}.{uuid.uuid4().hex[:8]}.partial'
  if not is_remote(path):
    os.makedirs(os.path.dirname(path) or '.', exist_ok=True)
    try:
      with open(partial, 'wb') as f:
        yield f
        if is_last:
          f.flush()
          os.fsync(f.fileno())
      os.replace(partial, path)
    finally:
      pathlib.Path(partial).unlink(missing_ok=True)
    return
  with _named(path):
    with _FileSystems.create(partial, compression_type=_RAW) as f:
      yield f
    delete([path])  # some refuse to rename over a file
    _FileSystems.rename([partial], [path])


def publish(local: str, path: str) -> None:
  """Moves a finished local file to its place."""
  if not is_remote(path):
    os.replace(local, path)
    return
  with open(local, 'rb') as source, open_write(path) as target:
    shutil.copyfileobj(source, target, _COPY_BYTES)
  os.unlink(local)


def delete(paths: Sequence[str]) -> None:
  """Removes files; those that are not there are no matter."""
  for path in paths:
    if not is_remote(path):
      pathlib.Path(path).unlink(missing_ok=True)
      continue
    with _named(path):
      if _FileSystems.exists(path):
        _FileSystems.delete([path])


def remove_folder(folder: str) -> None:
  """Removes an empty folder; elsewhere than here there is nothing to remove."""
  if not is_remote(folder):
    with contextlib.suppress(OSError):
      os.rmdir(folder)


def files_of(path: str) -> files_lib.Files:
  """The file system of a path."""
  return BeamFiles() if is_remote(path) else files_lib.LOCAL


def sha256(path: str) -> str:
  """Checksum of a file, in hex."""
  if not is_remote(path):
    return durable.sha256(path)
  with open_read(path) as f:
    digest = hashlib.sha256()
    while piece := f.read(_COPY_BYTES):
      digest.update(piece)
  return digest.hexdigest()


@contextlib.contextmanager
def local_copy(path: str) -> Iterator[str]:
  """A local path of a file, of one in a zip file, or of a folder of files.

  It is there for the while.

  Raises:
    MediaError: If a file in a zip file cannot be unpacked.
    FileNotFoundError: If a remote file is not there.
    StorageError: If it cannot be read.
  """
  if zip_files.is_member(path):
    with zip_files.extracted(path) as local:
      yield local
    return
  if not path or not is_remote(path):
    yield path
    return
  with tempfile.TemporaryDirectory(prefix='earsr_') as folder:
    target = os.path.join(folder, os.path.basename(path.rstrip('/')))
    is_file = '.' in os.path.basename(target)
    inside = [] if is_file else list(BeamFiles().walk(path, 1))
    if inside:
      os.mkdir(target)
    for name in inside or ['']:
      with open_read(join(path, name) if name else path) as source:
        with open(os.path.join(target, name) if name else target, 'wb') as f:
          shutil.copyfileobj(source, f, _COPY_BYTES)
    yield target


class BeamFiles:
  """Beam's file systems, as data sets read them (earsr_tf/data/files.py)."""

  def walk(self, folder: str, depth: int) -> Iterator[str]:
    """See `files.Files`."""
    base = folder.rstrip('/') + '/'
    with _named(folder):
      found = [m.path for r in _FileSystems.match([f'{base}**'])
               for m in r.metadata_list]
    # Name by name: as whole strings, 'a-b/x' would come before 'a/x'.
    for path in sorted(found, key=lambda path: path.split('/')):
      below = path.removeprefix(base)
      if below != path and below.count('/') < depth:
        yield below

  def read(self, path: str) -> bytes:
    """See `files.Files`."""
    with open_read(path) as f:
      return f.read()

  def exists(self, path: str) -> bool:
    """See `files.Files`."""
    with _named(path):
      return _FileSystems.exists(path)


@contextlib.contextmanager
def _named(path: str) -> Iterator[None]:
  """Turns what Beam raises into an error that names the path."""
  try:
    yield
  except ValueError as e:  # no such file system is installed
    raise manifest.DataError(
        f'{path}: {e}; install the Beam extra that knows such paths') from None
  except filesystem.BeamIOError as e:
    raise StorageError(f'{path}: {" ".join(str(e).split())[:200]}') from None
