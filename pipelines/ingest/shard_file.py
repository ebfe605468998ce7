"""The file of one shard, the note that it is finished, and rows of rejects."""

from __future__ import annotations

from concurrent import futures
import contextlib
import dataclasses
import json
import os
import tempfile
import traceback
from typing import Any, Iterator, Sequence

from earsr_tf.media import clip_files
from pipelines.ingest import shard_plan
from pipelines.ingest import storage

_READERS = 16
_FAILED = '.failed.json'


@dataclasses.dataclass(frozen=True)
class Place:
  """Where a run reads and writes.

  Attributes:
    base: Folder of the input.
    output: Folder of the shards.
    plan: Path of the plan.
    notes: Folder of the notes about finished shards.
  """
  base: str
  output: str
  plan: str
  notes: str


@dataclasses.dataclass(frozen=True)
class Written:
  """What a shard has become.

  Attributes:
    part: The slice of the plan that it was made of.
    records: Records in it; with none there is no file.
    bytes: Length of the file.
    sha256: Of the file.
    frames: Speaker -> frames of its records as decoded.
    videos: '<speaker>/<video>' of its records, sorted.
    rejects: Rows for rejects-*.jsonl.
  """
  part: shard_plan.Slice
  records: int
  bytes: int
  sha256: str
  frames: dict[str, int]
  videos: list[str]
  rejects: list[dict[str, str]]


class File:
  """A shard in the making; its length and checksum once it is written."""

  def __init__(self, *, writer: Any):
    """Takes TensorFlow's writer."""
    self._writer = writer
    self.records = 0
    self.bytes = 0
    self.sha256 = ''

  def write(self, record: bytes) -> None:
    """Appends a record."""
    self._writer.write(record)
    self.records += 1


@contextlib.contextmanager
def writing(place: Place, part: shard_plan.Slice) -> Iterator[File]:
  """Writes a shard under a temporary name and puts it in its place, whole."""
  import tensorflow as tf
  path = storage.join(place.output, part.file)
  with contextlib.ExitStack() as stack:
    partial = f'{path}.partial'
    if storage.is_remote(path):
      folder = stack.enter_context(tempfile.TemporaryDirectory(prefix='earsr_'))
      partial = os.path.join(folder, part.file)
    try:
      with tf.io.TFRecordWriter(partial) as writer:
        file = File(writer=writer)
        yield file
    except tf.errors.OpError as e:  # a full disk, for one
      raise OSError(f'{partial}: cannot be written ({e.message})') from None
    if file.records:
      file.bytes = os.path.getsize(partial)
      file.sha256 = storage.sha256(partial)
      storage.publish(partial, path)
    else:
      os.unlink(partial)
      storage.delete([path])  # of an earlier run


def note_path(place: Place, part: shard_plan.Slice) -> str:
  """Where it is noted that a shard is finished."""
  return storage.join(place.notes, f'{part.file}.json')


def find_note(place: Place, part: shard_plan.Slice) -> Written | None:
  """What an interrupted run has made of this very slice, if it is whole."""
  try:
    digest, written = _note(place, part)
    is_same = digest == part.digest and (
        not written.records or written.sha256 == storage.sha256(
            storage.join(place.output, part.file)))
  except (OSError, ValueError, KeyError, TypeError):
    return None
  return written if is_same else None


def read_note(place: Place, part: shard_plan.Slice) -> Written:
  """What this run has made of a slice."""
  return _note(place, part)[1]


def read_notes(
    place: Place, parts: Sequence[shard_plan.Slice]) -> Iterator[Written]:
  """The notes of slices in turn, a few at a time: they may lie far away."""
  with futures.ThreadPoolExecutor(_READERS) as pool:
    for start in range(0, len(parts), _READERS):
      yield from pool.map(
          lambda part: read_note(place, part), parts[start:start + _READERS])


def write_note(
    place: Place, written: Written, *, is_kept: bool = True) -> None:
  """Notes what a shard has become; a later run makes it anew unless `is_kept`.
  """
  values = dataclasses.asdict(written)
  del values['part']
  with storage.open_write(note_path(place, written.part)) as f:
    f.write(json.dumps({
        'digest': written.part.digest if is_kept else '',
        'written': values}).encode())


@contextlib.contextmanager
def noting_failure(place: Place, part: shard_plan.Slice) -> Iterator[None]:
  """Notes beside the plan why a shard could not be made, and goes on.

  Beam's own handling of exceptions puts them into a second output, which not
  every runner keeps apart from the first.
  """
  path = storage.join(place.notes, part.file + _FAILED)
  try:
    yield
  except Exception as e:  # noqa: BLE001
    with storage.open_write(path) as f:
      f.write(json.dumps({
          'file': part.file, 'text': str(e),
          'trace': traceback.format_exc()}).encode())
  else:
    storage.delete([path])  # a runner may have tried before


def failures(place: Place, files: Any) -> list[dict[str, str]]:
  """What `noting_failure` has noted in this run: `file`, `text`, `trace`."""
  return [json.loads(files.read(storage.join(place.notes, name)))
          for name in files.walk(place.notes, 1) if name.endswith(_FAILED)]


def reject(
    clip: clip_files.Clip, reason: str, base: str,
    path: str = '') -> dict[str, str]:
  """A row of rejects: the clip, the file at fault, and why."""
  file = shard_plan.relative(path or clip.frames, base)
  return {'clip': clip.key, 'reason': reason,
          'file': file.encode('utf-8', 'backslashreplace').decode()}


def _note(place: Place, part: shard_plan.Slice) -> tuple[str, Written]:
  """The digest that a note is for, and what it says."""
  with storage.open_read(note_path(place, part)) as f:
    values = json.load(f)
  return values['digest'], Written(part, **values['written'])
