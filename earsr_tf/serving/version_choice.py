"""Which version of an export folder is served, while versions come and go.

The highest usable one. A version is taken when its manifest fits every file:
one that is still being copied never is, whatever its number.
"""

from __future__ import annotations

import pathlib
import threading
from typing import Callable

from earsr_tf.serving import export_manifest
from earsr_tf.serving import loaded_version

_Load = Callable[[pathlib.Path], loaded_version.LoadedVersion]
_State = tuple[tuple[str, int, int], ...]


class VersionChoice:
  """The version in use.

  Attributes:
    current: The loaded version; replaced in one step, so that a request sees
      the old one or the new one. The old one goes when its last request ends.
  """

  def __init__(self, *, base: pathlib.Path, load: _Load,
               say: Callable[[str], None]) -> None:
    """Loads the highest usable version.

    Args:
      base: Export folder, or one version, which then stays.
      load: Verifies and loads a version folder.
      say: Told, in a sentence, which version is taken or passed over.

    Raises:
      ExportError: If no version is usable; says what is wrong with the
        newest.
    """
    self._base = base
    self._load = load
    self._say = say
    self._refused: dict[pathlib.Path, _State] = {}
    newest = export_manifest.newest(base)
    self._is_fixed = newest == base
    self.current: loaded_version.LoadedVersion | None = None
    if self._is_fixed:
      self.current = load(base)
    else:
      self.refresh()
    if self.current is None:
      export_manifest.verify(newest)
      raise export_manifest.ExportError(
          f'{newest}: cannot be loaded; export the model again')

  def refresh(self) -> None:
    """Takes the highest usable version that is there now.

    While there is none, the one in use stays.
    """
    if self._is_fixed:
      return
    for number in reversed(export_manifest.versions(self._base)):
      folder = self._base / str(number)
      if self.current is not None and self.current.folder == folder:
        return
      if self._take(folder):
        return

  def watch(self, stop: threading.Event, seconds: float) -> None:
    """Calls `refresh` again and again until told to stop.

    Args:
      stop: Set by another thread.
      seconds: Between two looks.
    """
    while not stop.wait(seconds):
      try:
        self.refresh()
      except OSError as error:  # a folder that vanished while it was read
        self._say(f'{self._base}: cannot be read ({error.strerror})')

  def _take(self, folder: pathlib.Path) -> bool:
    """Loads a version, unless it failed and has not changed since."""
    state = _state(folder)
    if self._refused.get(folder) == state:
      return False
    try:
      self.current = self._load(folder)
    except export_manifest.ExportError as error:
      self._refused[folder] = state
      self._say(f'version {folder.name} is passed over: {error}')
      return False
    self._refused.pop(folder, None)
    self._say(f'version {folder.name} is served')
    return True


def _state(folder: pathlib.Path) -> _State:
  """(path, bytes, time in ns) of every file."""
  found = []
  for path in sorted(folder.rglob('*')):
    if path.is_file():
      status = path.stat()
      found.append((str(path), status.st_size, status.st_mtime_ns))
  return tuple(found)
