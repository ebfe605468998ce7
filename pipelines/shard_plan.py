"""The list of all clips as a file, shard by shard.

A shard's clips are one slice of lines in it, so that a worker reads no more
than its own and the size of a pipeline does not depend on the number of clips.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import os
from typing import Iterable, Sequence

from earsr_tf.data import dataset as dataset_lib
from pipelines import storage

Job = tuple[tuple[str, int], dataset_lib.Clip]  # ((split, shard number), clip)

_FIELDS = ('speaker', 'video', 'clip', 'frames', 'audio', 'boxes', 'gender',
           'age', 'fps', 'refused')
_PATHS = ('frames', 'audio', 'boxes')


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


def write(
    jobs: Iterable[Job], path: str, *, base: str, shards: int,
    fingerprint: str) -> list[Slice]:
  """Writes a plan.

  Args:
    jobs: The clips with their places, in any order.
    path: Where to write it.
    base: Folder of the input; paths below it are written relative to it, so
      that a tree may move between an interrupted run and the next.
    shards: Shards per split.
    fingerprint: Of everything but the clips that shapes a record's bytes.

  Returns:
    Its slices, in order of split and number; clips in the order of the hashes
    of their keys.
  """
  jobs = sorted(jobs, key=lambda job: (
      job[0], dataset_lib.name_hash(job[1].key)))
  slices, start = [], 0
  with storage.open_write(path) as f:
    for (split, number), group in itertools.groupby(jobs, lambda job: job[0]):
      lines = [_line(clip, base) for _, clip in group]
      content = b''.join(lines)
      f.write(content)
      digest = hashlib.sha256(fingerprint.encode() + b'\n' + content)
      slices.append(Slice(
          split, f'{split}-{number:05d}-of-{shards:05d}.tfrecord', start,
          len(content), len(lines), digest.hexdigest()))
      start += len(content)
  return slices


def read(path: str, part: Slice, base: str) -> list[dataset_lib.Clip]:
  """The clips of a slice, in order."""
  with storage.open_read(path) as f:
    f.seek(part.start)
    lines = f.read(part.size).splitlines()
  return [_clip(line, base) for line in lines]


def relative(path: str, base: str) -> str:
  """A path below `base` without it; other paths as they are."""
  return path.removeprefix(base.rstrip('/') + '/')


def _line(clip: dataset_lib.Clip, base: str) -> bytes:
  """One line of JSON."""
  row = [getattr(clip, name) for name in _FIELDS]
  for name in _PATHS:
    i = _FIELDS.index(name)
    row[i] = relative(row[i], base)
  return json.dumps(row, separators=(',', ':')).encode() + b'\n'


def _clip(line: bytes, base: str) -> dataset_lib.Clip:
  """The clip of a line."""
  row = dict(zip(_FIELDS, json.loads(line)))
  for name in _PATHS:
    path = row[name]
    if path and not os.path.isabs(path) and not storage.is_remote(path):
      row[name] = storage.join(base, path)
  return dataset_lib.Clip(**row)


def total(slices: Sequence[Slice]) -> int:
  """Clips in all."""
  return sum(part.clips for part in slices)
