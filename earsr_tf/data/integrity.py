"""Are shards still what their manifest says? Asked before training trusts them.

Sizes alone do not tell: a flipped bit keeps the size, and a shard that was cut
on a record boundary reads without an error. What was verified is remembered by
size and time of change, so that a resume costs nothing. This module needs no
TensorFlow.
"""

from __future__ import annotations

import concurrent.futures
import json
import os
import pathlib
from typing import Any, Sequence

from earsr_tf import durable
from earsr_tf.data import manifest as manifest_lib

FILE_NAME = 'verified_shards.json'  # beside the stages of a run
_THREADS = 2  # sha256 lets other threads run; a disk seldom feeds more


def check_shards(
    manifest: manifest_lib.Manifest, splits: Sequence[str], *,
    memory: str | os.PathLike[str], writes: bool = True) -> int:
  """Compares the sha256 of shards with the manifest.

  Args:
    manifest: The data.
    splits: Splits whose shards are compared.
    memory: JSON file of what was verified before; a shard whose size and time
      of change are the same is not read again. It is rewritten ...
    writes: ... unless this is false.

  Returns:
    Bytes that had to be read.

  Raises:
    DataError: If a shard differs from its manifest; names it.
    OSError: If `memory` cannot be written.
  """
  known = _recall(memory)
  shards = {
      os.path.abspath(os.path.join(manifest.data_dir, s.file)): s
      for s in manifest.shards(splits)}
  new = [path for path, shard in shards.items()
         if known.get(path) != _mark(path, shard)]
  with concurrent.futures.ThreadPoolExecutor(_THREADS) as pool:
    for path, mark in zip(new, pool.map(
        lambda path: _verified(path, shards[path]), new)):
      known[path] = mark
  if new and writes:
    durable.write_json(memory, known)
  return sum(shards[path].bytes for path in new)


def _verified(path: str, shard: manifest_lib.Shard) -> list[Any]:
  """The mark of a shard that is what it should be; DataError otherwise."""
  mark = _mark(path, shard)  # before reading: a later change is seen again
  try:
    found = durable.sha256(path)
  except OSError as e:
    raise manifest_lib.DataError(
        f'{path}: shard cannot be read ({e.strerror})') from None
  if found != shard.sha256:
    folder = os.path.dirname(path)
    raise manifest_lib.DataError(
        f'{path}: shard differs from its manifest (sha256 {found[:12]}..., '
        f'not {shard.sha256[:12]}...); python -m tools.verify_data {folder} '
        'names the damaged record; prepare the data again')
  return mark


def _mark(path: str, shard: manifest_lib.Shard) -> list[Any]:
  """What tells that a file is the one that was verified."""
  try:
    status = os.stat(path)
  except OSError:
    raise manifest_lib.DataError(f'{path}: shard is missing') from None
  return [status.st_size, status.st_mtime_ns, shard.sha256]


def _recall(memory: str | os.PathLike[str]) -> dict[str, list[Any]]:
  """What was verified; nothing if the file is absent or damaged."""
  try:
    content = json.loads(pathlib.Path(memory).read_bytes())
  except (OSError, ValueError):
    return {}
  return content if isinstance(content, dict) else {}
