"""The list of all clips as a file, shard by shard.

A shard's clips are one slice of lines in it, so that a worker reads no more
than its own and the size of a pipeline does not depend on the number of clips.
Nor does its memory: the clips are put in order by a database in a temporary
file.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import itertools
import json
import os
import sqlite3
from typing import Iterable, Iterator, Sequence

from earsr_tf.data import dataset as dataset_lib
from earsr_tf.media import clip_files
from pipelines.ingest import storage

Job = tuple[tuple[str, int], clip_files.Clip]  # ((split, shard number), clip)

_FIELDS = ('speaker', 'video', 'clip', 'frames', 'audio', 'boxes', 'gender',
           'age', 'fps', 'refused', 'has_voice', 'crop')
_PATHS = ('frames', 'audio', 'boxes')
_CACHE_KB = 4 << 10


@dataclasses.dataclass(frozen=True)
class Slice:
  """The part of the plan that one shard is made of.

  Attributes:
    split: Its split.
    file: Name of the shard.
    start: Offset of its lines in the plan, in bytes.
    size: Their length in bytes.
    clips: Their number.
    digest: sha256 of them and of what shapes the bytes of a record: a shard
      of the same digest need not be made again.
  """
  split: str
  file: str
  start: int
  size: int
  clips: int
  digest: str


def draft(jobs: Iterable[Job], base: str) -> sqlite3.Connection:
  """Takes down the clips, in a file that is gone when it is closed.

  Args:
    jobs: The clips with their places, in any order.
    base: Folder of the input; paths below it are written relative to it, so
      that a tree may move between an interrupted run and the next.

  Raises:
    OSError: If there is no room for it.
  """
  database = sqlite3.connect('')  # '': a temporary file
  with _named():
    database.execute(f'PRAGMA cache_size = -{_CACHE_KB}')
    database.execute('PRAGMA journal_mode = OFF')
    database.execute(
        'CREATE TABLE lines (split TEXT, number INTEGER, hash BLOB, line BLOB)')
    database.executemany('INSERT INTO lines VALUES (?, ?, ?, ?)', (
        (split, number, dataset_lib.name_hash(clip.key).to_bytes(20, 'big'),
         _line(clip, base)) for (split, number), clip in jobs))
  return database


def write(
    drafted: sqlite3.Connection, path: str, *, shards: int,
    fingerprint: str) -> list[Slice]:
  """Writes a plan.

  Args:
    drafted: What `draft` returned; is closed.
    path: Where to write it.
    shards: Shards per split.
    fingerprint: Of everything but the clips that shapes a record's bytes.

  Returns:
    Its slices, in order of split and number; clips in the order of the hashes
    of their keys.

  Raises:
    OSError: If there is no room for it.
  """
  slices, start = [], 0
  with contextlib.closing(drafted), storage.open_write(path) as f, _named():
    rows = drafted.execute(
        'SELECT split, number, line FROM lines ORDER BY split, number, hash')
    for (split, number), group in itertools.groupby(rows, lambda row: row[:2]):
      digest = hashlib.sha256(fingerprint.encode() + b'\n')
      size = clips = 0
      for *_, line in group:
        f.write(line)
        digest.update(line)
        size += len(line)
        clips += 1
      slices.append(Slice(
          split, f'{split}-{number:05d}-of-{shards:05d}.tfrecord', start, size,
          clips, digest.hexdigest()))
      start += size
  return slices


def read(path: str, part: Slice, base: str) -> Iterator[clip_files.Clip]:
  """The clips of a slice, in order."""
  with storage.open_read(path) as f:
    f.seek(part.start)
    for _ in range(part.clips):
      yield _clip(f.readline(), base)


def relative(path: str, base: str) -> str:
  """A path below `base` without it; other paths as they are."""
  return path.removeprefix(base.rstrip('/') + '/')


def _line(clip: clip_files.Clip, base: str) -> bytes:
  """One line of JSON."""
  row = [getattr(clip, name) for name in _FIELDS]
  for name in _PATHS:
    i = _FIELDS.index(name)
    row[i] = relative(row[i], base)
  return json.dumps(row, separators=(',', ':')).encode() + b'\n'


def _clip(line: bytes, base: str) -> clip_files.Clip:
  """The clip of a line."""
  row = dict(zip(_FIELDS, json.loads(line)))
  for name in _PATHS:
    path = row[name]
    if path and not os.path.isabs(path) and not storage.is_remote(path):
      row[name] = storage.join(base, path)
  return clip_files.Clip(**{**row, 'crop': tuple(row['crop'])})


def total(slices: Sequence[Slice]) -> int:
  """Clips in all."""
  return sum(part.clips for part in slices)


@contextlib.contextmanager
def _named() -> Iterator[None]:
  """Turns an error of the database into one for people."""
  try:
    yield
  except sqlite3.Error as e:
    raise OSError(
        f'the list of clips does not fit a temporary file ({e}); make room, or '
        'name another folder in the variable SQLITE_TMPDIR') from None
