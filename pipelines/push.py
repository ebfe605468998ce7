"""Copies a blessed model to where a server looks for versions.

A version is absent or whole, and the same model is the newest version once: a
run that is killed in between ends with the same folder when it comes again.
"""

from __future__ import annotations

import pathlib
import shutil
import time
from typing import Any, Mapping

import filelock

from earsr_tf.serving import export_manifest

_DAY_S = 86400.0
_LOCK = '.push.lock'


def push(
    version: pathlib.Path, target: pathlib.Path, facts: Mapping[str, Any]
) -> pathlib.Path:
  """Copies a version to the next free number of a folder.

  Args:
    version: An exported version.
    target: Folder of numbered versions; created when absent.
    facts: Entries of the manifest, besides those of the version's own.

  Returns:
    The folder of the version there; of the newest one if that holds the same
    files already.

  Raises:
    ExportError: If the version is damaged.
    OSError: If the folder cannot be written; nothing is left behind.
  """
  from earsr_tf.serving import saved_model
  own = export_manifest.verify(version)
  target.mkdir(parents=True, exist_ok=True)
  with filelock.FileLock(target / _LOCK):
    _sweep(target)
    there = _newest(target, own['files'])
    if there is not None:
      return there

    def write(folder: str) -> None:
      """Fills a version folder."""
      for name in own['files']:
        path = pathlib.Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(version / name, path)

    kept = {name: value for name, value in own.items()
            if name not in ('files', 'format')}
    return saved_model.publish(write, str(target), {**kept, **facts})


def _newest(
    target: pathlib.Path, files: Mapping[str, Any]) -> pathlib.Path | None:
  """The newest version, if it holds these very files."""
  numbers = export_manifest.versions(target)
  if not numbers:
    return None
  newest = target / str(numbers[-1])
  try:
    same = export_manifest.verify(newest)['files'] == files
  except export_manifest.ExportError:
    return None  # damaged: a whole one is put above it
  return newest if same else None


def _sweep(target: pathlib.Path) -> None:
  """Removes what a killed process left of a version, a day ago or more."""
  for path in target.glob('.partial-*'):
    if time.time() - path.stat().st_mtime > _DAY_S:
      shutil.rmtree(path, ignore_errors=True)
