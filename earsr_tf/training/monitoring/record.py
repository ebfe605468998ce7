"""metrics.jsonl: one line per recorded step, whole or not there.

It is the record of a run: what cannot be written stops the run, and a run
that goes on from a checkpoint first forgets what came after it.
"""

from __future__ import annotations

import json
import math
import os
import pathlib
from typing import Mapping

from earsr_tf import durable
from earsr_tf.training import store

FILE_NAME = 'metrics.jsonl'


def _is_kept(line: str, images: int) -> bool:
  try:
    return line.endswith('\n') and json.loads(line)['images'] <= images
  except (ValueError, KeyError, TypeError):
    return False


def _line(values: Mapping[str, float]) -> bytes:
  """One line of strict JSON: what is not finite becomes null."""
  row = {k: v if math.isfinite(v) else None for k, v in values.items()}
  return (json.dumps(row, allow_nan=False) + '\n').encode()


class Record:
  """Appends lines; each carries `images`, by which lines are forgotten."""

  def __init__(self, *, folder: pathlib.Path, images: int):
    """Opens `<folder>/metrics.jsonl` for a run that stands at `images`.

    Raises:
      StorageError: If the file cannot be written.
    """
    self._path = folder / FILE_NAME
    self._descriptor = -1
    self.rewind(images)

  def rewind(self, images: int) -> None:
    """Drops lines beyond `images` and torn ones: they will come again.

    Raises:
      StorageError: If the file cannot be written; the old one is intact.
    """
    self.close()
    partial = self._path.with_name(f'.{self._path.name}.partial')
    try:
      if self._path.is_file():
        lines = self._path.read_text(
            encoding='utf-8', errors='replace').splitlines(keepends=True)
        kept = [line for line in lines if _is_kept(line, images)]
        if kept != lines:
          partial.write_text(''.join(kept), encoding='utf-8')
          durable.sync(partial)
          os.replace(partial, self._path)
      partial.unlink(missing_ok=True)
      self._descriptor = os.open(
          self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    except OSError as error:
      raise store.StorageError(
          f'{self._path}: cannot be written ({error.strerror}); make room, '
          'then the same command goes on') from error

  def write(self, values: Mapping[str, float]) -> None:
    """Appends a line in one write.

    Args:
      values: `step`, `images` and whatever is recorded.

    Raises:
      StorageError: If it cannot be written whole.
    """
    line, reason = _line(values), 'the disk is full'
    try:
      written = os.write(self._descriptor, line)
    except OSError as error:
      written, reason = 0, str(error.strerror)
    if written != len(line):
      raise store.StorageError(
          f'{self._path}: {len(line)} bytes cannot be written ({reason}); '
          'make room, then the same command goes on')

  def sync(self) -> None:
    """Waits until all lines are on the disk.

    Raises:
      StorageError: If they cannot be.
    """
    try:
      os.fsync(self._descriptor)
    except OSError as error:
      raise store.StorageError(
          f'{self._path}: cannot be written ({error.strerror}); make room, '
          'then the same command goes on') from error

  def close(self) -> None:
    """Closes the file; harmless when it is closed."""
    if self._descriptor >= 0:
      os.close(self._descriptor)
      self._descriptor = -1
