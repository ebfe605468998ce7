"""`fake://name/...`: a file system of Beam's that lies in a local folder."""

from __future__ import annotations

import os
import pathlib

from apache_beam.io import filesystem
from apache_beam.io import localfilesystem

ROOT = pathlib.Path()  # set by the test


class FakeFileSystem(localfilesystem.LocalFileSystem):
  """Beam's local one under another scheme; folders make themselves."""

  @classmethod
  def scheme(cls) -> str:
    """The scheme of its paths."""
    return 'fake'

  def match(self, patterns, limits=None):
    """Lists every file below, as object stores do."""
    del limits
    found = []
    for pattern in patterns:
      base = _local(pattern.removesuffix('**'))
      paths = [p for p in pathlib.Path(base).rglob('*') if p.is_file()]
      if not pattern.endswith('**') and os.path.isfile(base):
        paths = [pathlib.Path(base)]
      found.append(filesystem.MatchResult(pattern, [
          filesystem.FileMetadata(
              f'fake://{p.relative_to(ROOT)}', p.stat().st_size)
          for p in paths]))
    return found

  def create(self, path, *args, **kwargs):
    """Opens for writing."""
    local = _local(path)
    os.makedirs(os.path.dirname(local), exist_ok=True)
    return super().create(local, *args, **kwargs)

  def open(self, path, *args, **kwargs):
    """Opens for reading."""
    return super().open(_local(path), *args, **kwargs)

  def exists(self, path):
    """Whether there is such a file."""
    return os.path.isfile(_local(path))

  def rename(self, source_file_names, destination_file_names):
    """Renames files; refuses to write over one, as some stores do."""
    for path in destination_file_names:
      if self.exists(path):
        raise filesystem.BeamIOError(f'{path} exists')
    super().rename([_local(p) for p in source_file_names],
                   [_local(p) for p in destination_file_names])

  def delete(self, paths):
    """Removes files."""
    for path in paths:
      os.remove(_local(path))


def _local(path: str) -> str:
  """Where a path really lies."""
  return os.path.join(ROOT, path.removeprefix('fake://'))
