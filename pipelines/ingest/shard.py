"""One shard: decode its clips, write their records in order (Beam).

A clip whose picture or voice cannot be used costs a row of rejects, not a run;
so does a fault of ours that one clip brings out. A shard that is written is
noted beside the plan: a run that comes after an interrupted one keeps it.

All shards that a process makes at a time share its workers: at the end of one
shard they go on with another, and while a decoder runs what came out of the
last is encoded.
"""

from __future__ import annotations

import collections
from concurrent import futures
import contextlib
import dataclasses
import errno
import os
import threading
import traceback
from typing import Any, Callable, Iterable, Iterator

from absl import logging
import apache_beam as beam
from apache_beam.utils import shared

from earsr_tf import environment
from earsr_tf.data import zip_files
from earsr_tf.media import clip_files
from earsr_tf.media import reader
from earsr_tf.media import still_face
from earsr_tf.media import talking_face
from pipelines.ingest import options as options_lib
from pipelines.ingest import progress
from pipelines.ingest import shard_file
from pipelines.ingest import shard_plan
from pipelines.ingest import storage

# The machine's fault rather than a clip's: the shard is made again later.
_EXHAUSTED = (
    errno.ENOMEM, errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOSPC,
    errno.EDQUOT)

Options = options_lib.Options


def decode(
    clip: clip_files.Clip, split: str, options: Options) -> bytes:
  """Decodes a clip into a serialised record.

  Raises:
    MediaError: If its picture or its voice cannot be used.
  """
  return _decode(clip, split, options, contextlib.nullcontext())[0]


def _decode(
    clip: clip_files.Clip, split: str, options: Options,
    turn: contextlib.AbstractContextManager[Any]) -> tuple[bytes, int]:
  """A serialised record and the number of its frames; decoded in its turn."""
  from earsr_tf.data import records
  wanted, voice = options.wanted(), b''
  with turn:
    if clip.has_voice:
      frames, sound = talking_face.read(clip, wanted)
      voice = reader.encode_wav(sound)
    else:
      frames = [still_face.read(clip, wanted.size, wanted.finder)]
  return records.encode(records.ClipRecord(
      speaker=clip.speaker, video=clip.video, clip=clip.clip, split=split,
      gender=clip.gender, age=clip.age,
      frames=[reader.encode_png(f) for f in frames],
      voice=voice)), len(frames)


class _Workers:
  """Threads of a process, and turns for those of them that decode."""

  def __init__(self, *, count: int):
    """Takes how many may decode at a time."""
    self.turn = threading.Semaphore(count)
    self.pool = futures.ThreadPoolExecutor(2 * count)


class WriteShard(beam.DoFn):
  """Makes one shard file of a slice of the plan, whole, or keeps it.

  What became of it stays in its note: of a million clips the names alone, as
  elements of a pipeline, would fill half a gigabyte.
  """

  def __init__(self, *, place: shard_file.Place, options: Options):
    """Takes the folders and how to decode."""
    self._place = place
    self._options = options
    self._shared = shared.Shared()
    self._workers: _Workers | None = None
    self._counters = {
        name: beam.metrics.Metrics.counter('ingest', name)
        for name in ('clips', 'rejected', 'shards_kept')}

  def setup(self) -> None:
    """Loads TensorFlow, which encodes the records; finds the workers."""
    environment.load_tensorflow()
    self._workers = self._shared.acquire(
        lambda: _Workers(count=self._options.workers))

  def process(self, element: shard_plan.Slice) -> Iterator[shard_plan.Slice]:
    """Decodes and writes a shard in the order of its slice."""
    with shard_file.noting_failure(self._place, element):
      written = shard_file.find_note(self._place, element)
      if written is None:
        written = self._make(element)
      else:
        self._counters['shards_kept'].inc()
        progress.advance(element.clips)
      self._counters['clips'].inc(written.records)
      self._counters['rejected'].inc(len(written.rejects))
    yield element

  def _make(self, part: shard_plan.Slice) -> shard_file.Written:
    """Decodes and writes."""
    clips = shard_plan.read(self._place.plan, part, self._place.base)
    frames, videos, rejects = collections.Counter(), set(), []
    with shard_file.writing(self._place, part) as file:
      for clip, outcome in self._outcomes(clips, part.split):
        if isinstance(outcome, dict):
          rejects.append(outcome)
        else:
          file.write(outcome[0])
          frames[clip.speaker] += outcome[1]
          videos.add(f'{clip.speaker}/{clip.video}')
        progress.advance()
    written = shard_file.Written(
        part, file.records, file.bytes, file.sha256, dict(frames),
        sorted(videos), rejects)
    shard_file.write_note(self._place, written)
    return written

  def _outcomes(
      self, clips: Iterable[clip_files.Clip], split: str
  ) -> Iterator[tuple[clip_files.Clip, tuple[bytes, int] | dict[str, str]]]:
    """Each clip with its record or reject, in order, decoded in parallel."""
    return _in_order(
        self._workers.pool, lambda clip: self._try(clip, split), clips,
        3 * self._options.workers)

  def _try(
      self, clip: clip_files.Clip, split: str
  ) -> tuple[bytes, int] | dict[str, str]:
    """A record and its frames, or the row that says why there is none."""
    if clip.refused:
      return shard_file.reject(clip, clip.refused, self._place.base)
    try:
      with contextlib.ExitStack() as stack:
        return _decode(dataclasses.replace(clip, **{
            name: stack.enter_context(storage.local_copy(getattr(clip, name)))
            for name in ('frames', 'audio', 'boxes')}), split, self._options,
                       self._workers.turn)
    except reader.MediaError as e:
      return shard_file.reject(
          clip, e.reason, self._place.base, _at_fault(clip, e.path))
    except OSError as e:
      if e.errno in _EXHAUSTED:
        raise
      return shard_file.reject(clip, f'cannot be read ({e})', self._place.base)
    except Exception as e:  # noqa: BLE001
      at = traceback.extract_tb(e.__traceback__)[-1]
      reason = (f'brings out a fault: {type(e).__name__} at '
                f'{os.path.basename(at.filename)}:{at.lineno}: {e}')
      logging.warning('%s %s', clip.key, reason)
      return shard_file.reject(clip, reason, self._place.base)


def _at_fault(clip: clip_files.Clip, path: str) -> str:
  """The file of a clip that `path` is, or is a copy of."""
  if zip_files.is_member(clip.frames):
    return clip.frames
  if not storage.is_remote(clip.frames):
    return path
  names = {os.path.basename(p): p for p in (clip.audio, clip.boxes)}
  return names.get(os.path.basename(path), clip.frames)


def _in_order(
    pool: futures.Executor, function: Callable[[Any], Any],
    items: Iterable[Any], ahead: int) -> Iterator[tuple[Any, Any]]:
  """Items with results, in order; at most `ahead` of them are in memory."""
  waiting = collections.deque()
  try:
    for item in items:
      waiting.append((item, pool.submit(function, item)))
      if len(waiting) > ahead:
        item, future = waiting.popleft()
        yield item, future.result()
    while waiting:
      item, future = waiting.popleft()
      yield item, future.result()
  finally:  # of a shard that fails nothing more is decoded
    for _, future in waiting:
      future.cancel()
