"""Checkpoints of a run under way: whole, finite, and found again by trying.

`ckpt-<images>.index` and `.data-*` are a checkpoint; which ones exist is read
from the folder and not from TensorFlow's file `checkpoint`, which a kill can
leave behind the truth. That file is written for other readers, and its
presence says that a save was completed once.
"""

from __future__ import annotations

import os
import pathlib
import re
import shutil
from typing import Sequence

from absl import logging
import tensorflow as tf

from earsr_tf import durable
from earsr_tf.training import checkpoints
from earsr_tf.training import guards

_FILE = re.compile(r'ckpt-(\d+)\.(index|data-\d+-of-\d+)')
_STATE = 'checkpoint'
_LEFT_OVER = ('*_temp', '*.tempstate*', '.checkpoint.*.tmp')
# What reading a damaged file raises, depending on the damage.
_READ_ERRORS = (AssertionError, ValueError, IndexError, KeyError, OSError,
                tf.errors.OpError)
# Room for the index, and for what other files of the run grow meanwhile.
_SPARE_BYTES = 1 << 20


class StorageError(OSError):
  """A file cannot be written; names it, its bytes, and what is free.

  Attributes:
    exit_code: What a command ends with: 74, input/output error.
  """
  exit_code = 74


def _first_line(error: BaseException) -> str:
  text = str(error).strip() or type(error).__name__
  return f'{type(error).__name__}: {text.splitlines()[0][:200]}'


class Store:
  """The checkpoints of one run; one process at a time may use it."""

  def __init__(self, *, checkpoint: tf.train.Checkpoint,
               variables: Sequence[tf.Variable], folder: pathlib.Path,
               keep: int, writes: bool = True):
    """Removes what an interrupted save left.

    Args:
      checkpoint: What is saved and restored; its variables exist.
      variables: The variables in it.
      folder: Where; need not exist.
      keep: Checkpoints kept.
      writes: False for a worker whose chief writes; it only restores.
    """
    self._checkpoint = checkpoint
    self._variables = list(variables)
    self._folder = folder
    self._keep = keep
    self._writes = writes
    self._damaged: set[int] = set()
    self._latest: int | None = None
    if writes:
      self._remove(*_LEFT_OVER)

  def restore_newest(self) -> str | None:
    """Restores the newest checkpoint that is intact.

    Returns:
      Its prefix, or None if none was ever saved.

    Raises:
      CheckpointError: If there are checkpoints and none can be restored.
    """
    found, reasons = self._found(), []
    for number in sorted(found, reverse=True):
      prefix = self._prefix(number)
      try:
        if not found[number]:
          raise OSError('its index is missing')
        # Both ways: a value left over is as wrong as a variable left out.
        self._checkpoint.read(prefix).assert_consumed()
      except _READ_ERRORS as error:
        reasons.append(f'ckpt-{number}: {_first_line(error)}')
        logging.warning('%s cannot be restored (%s); trying the one before',
                        prefix, _first_line(error))
        self._damaged.add(number)
      else:
        self._latest = number
        return prefix
    if (self._folder / _STATE).exists():  # a save was completed once
      raise checkpoints.CheckpointError(
          f'{self._folder}: none of the checkpoints of this run can be '
          f'restored ({"; ".join(reasons) or "they are gone"}); put back a '
          'copy, or use --restart to begin anew')
    return None

  def save(self, number: int) -> str:
    """Saves the state after `number` images.

    Returns:
      The prefix.

    Raises:
      NotFiniteError: If a value is not finite; nothing is written.
      StorageError: If there is no room; earlier checkpoints are intact.
    """
    prefix = self._prefix(number)
    if number == self._latest:  # this very state
      return prefix
    bad = guards.non_finite(self._variables)
    if bad:
      raise guards.NotFiniteError(
          f'{", ".join(bad[:3])} (of {len(bad)}) hold values that are not '
          f'finite after {number} images, so no checkpoint was written')
    if self._writes:
      self._write(number)
      self._sweep(number)
    self._latest = number
    return prefix

  def _write(self, number: int) -> None:
    prefix, needed = self._prefix(number), self._bytes()
    self._folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(self._folder).free
    if free < needed + _SPARE_BYTES:
      raise self._no_room(prefix, needed, 'the disk is full')
    try:
      self._checkpoint.write(prefix)
      for path in self._folder.glob(f'ckpt-{number}.*'):
        durable.sync(path)
      # Text that tf.train.latest_checkpoint reads; the call that writes it is
      # deprecated, and says so to the user at every start.
      durable.write(self._folder / _STATE, (
          f'model_checkpoint_path: "{os.path.basename(prefix)}"\n'
          ).encode())
      durable.sync(self._folder)
    except (OSError, tf.errors.OpError) as error:
      self._remove(f'ckpt-{number}.*', *_LEFT_OVER)
      raise self._no_room(prefix, needed, _first_line(error)) from error

  def _no_room(self, prefix: str, needed: int, reason: str) -> StorageError:
    free = shutil.disk_usage(self._folder).free
    return StorageError(
        f'{prefix}: a checkpoint of {needed} bytes cannot be written '
        f'({reason}; {free} bytes are free); earlier checkpoints are intact: '
        'make room, then the same command goes on')

  def _sweep(self, number: int) -> None:
    """Removes damaged checkpoints, now that there is a good one, and old."""
    older = sorted(n for n in self._found()
                   if n <= number and n not in self._damaged - {number})
    for old in older[:-self._keep] + sorted(self._damaged - {number}):
      # The index first: without it nothing takes the rest for whole.
      self._remove(f'ckpt-{old}.index')
      self._remove(f'ckpt-{old}.data-*')
    self._damaged.clear()

  def _found(self) -> dict[int, bool]:
    """Number -> whether there is an index, of all checkpoints there are."""
    found: dict[int, bool] = {}
    if self._folder.is_dir():
      for entry in os.scandir(self._folder):
        match = _FILE.fullmatch(entry.name)
        if match:
          number = int(match.group(1))
          found[number] = found.get(number, False) or (
              match.group(2) == 'index')
    return found

  def _remove(self, *patterns: str) -> None:
    for pattern in patterns:
      for path in self._folder.glob(pattern):
        if path.is_dir():
          shutil.rmtree(path, ignore_errors=True)
        else:
          path.unlink(missing_ok=True)

  def _prefix(self, number: int) -> str:
    return str(self._folder / f'ckpt-{number}')

  def _bytes(self) -> int:
    return sum(v.shape.num_elements() * v.dtype.size
               for v in self._variables)
