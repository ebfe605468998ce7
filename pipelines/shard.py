"""One shard: decode its clips, write their records in order (Beam).

A clip whose picture or voice cannot be used costs a row of rejects, not a run;
so does a fault of ours that one clip brings out. A shard that is written is
noted beside the plan: a run that comes after an interrupted one keeps it.
"""

from __future__ import annotations

import collections
import contextlib
from concurrent import futures
import dataclasses
import errno
import os
import traceback
from typing import Any, Callable, Iterable, Iterator

from absl import logging
import apache_beam as beam

from earsr_tf import environment
from earsr_tf.data import dataset as dataset_lib
from earsr_tf.data import media
from earsr_tf.data import talking_face
from pipelines import ingest_options
from pipelines import progress
from pipelines import shard_file
from pipelines import shard_plan
from pipelines import storage

# The machine's fault rather than a clip's: the shard is made again later.
_EXHAUSTED = (
    errno.ENOMEM, errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOSPC,
    errno.EDQUOT)

Options = ingest_options.Options


def decode(
    clip: dataset_lib.Clip, split: str, options: Options) -> bytes:
  """Decodes a clip into a serialised record.

  Raises:
    MediaError: If its picture or its voice cannot be used.
  """
  return _decode(clip, split, options)[0]


def _decode(
    clip: dataset_lib.Clip, split: str, options: Options) -> tuple[bytes, int]:
  """A serialised record and the number of its frames."""
  from earsr_tf.data import records  # pylint: disable=g-import-not-at-top
  frames, voice = talking_face.read(clip, options.wanted())
  return records.encode(records.ClipRecord(
      speaker=clip.speaker, video=clip.video, clip=clip.clip, split=split,
      gender=clip.gender, age=clip.age,
      frames=[media.encode_png(f) for f in frames],
      voice=media.encode_wav(voice))), len(frames)


class WriteShard(beam.DoFn):
  """Slice of the plan -> one shard file, written whole, or kept."""

  def __init__(self, *, place: shard_file.Place, options: Options):
    """Takes the folders and how to decode."""
    self._place = place
    self._options = options
    self._counters = {
        name: beam.metrics.Metrics.counter('ingest', name)
        for name in ('clips', 'rejected', 'shards_kept')}

  def setup(self) -> None:
    """Loads TensorFlow, which encodes the records."""
    environment.load_tensorflow()

  def process(self, element: shard_plan.Slice) -> Iterator[shard_file.Written]:
    """Decodes and writes a shard in the order of its slice."""
    written = shard_file.read_note(self._place, element)
    if written is None:
      written = self._make(element)
    else:
      self._counters['shards_kept'].inc()
      progress.advance(element.clips)
    self._counters['clips'].inc(written.records)
    self._counters['rejected'].inc(len(written.rejects))
    yield written

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
    return shard_file.write_note(self._place, shard_file.Written(
        part, file.records, file.bytes, file.sha256, dict(frames),
        sorted(videos), rejects))

  def _outcomes(
      self, clips: list[dataset_lib.Clip], split: str
  ) -> Iterator[tuple[dataset_lib.Clip, tuple[bytes, int] | dict[str, str]]]:
    """Each clip with its record or reject, in order, decoded in parallel."""
    workers = self._options.workers
    with futures.ThreadPoolExecutor(workers) as pool:
      yield from zip(clips, _in_order(
          pool, lambda c: self._try(c, split), clips, 4 * workers))

  def _try(
      self, clip: dataset_lib.Clip, split: str
  ) -> tuple[bytes, int] | dict[str, str]:
    """A record and its frames, or the row that says why there is none."""
    if clip.refused:
      return shard_file.reject(clip, clip.refused, self._place.base)
    try:
      with contextlib.ExitStack() as stack:
        return _decode(dataclasses.replace(clip, **{
            name: stack.enter_context(storage.local_copy(getattr(clip, name)))
            for name in ('frames', 'audio', 'boxes')}), split, self._options)
    except media.MediaError as e:
      return shard_file.reject(
          clip, e.reason, self._place.base, _at_fault(clip, e.path))
    except OSError as e:
      if e.errno in _EXHAUSTED:
        raise
      return shard_file.reject(clip, f'cannot be read ({e})', self._place.base)
    except Exception as e:  # pylint: disable=broad-exception-caught
      at = traceback.extract_tb(e.__traceback__)[-1]
      reason = (f'brings out a fault: {type(e).__name__} at '
                f'{os.path.basename(at.filename)}:{at.lineno}: {e}')
      logging.warning('%s %s', clip.key, reason)
      return shard_file.reject(clip, reason, self._place.base)


def _at_fault(clip: dataset_lib.Clip, path: str) -> str:
  """The file of a clip that `path` is, or is a copy of."""
  if not storage.is_remote(clip.frames):
    return path
  names = {os.path.basename(p): p for p in (clip.audio, clip.boxes)}
  return names.get(os.path.basename(path), clip.frames)


def _in_order(
    pool: futures.Executor, function: Callable[[Any], Any],
    items: Iterable[Any], ahead: int) -> Iterator[Any]:
  """Results in order, with at most `ahead` of them waiting in memory."""
  waiting = collections.deque()
  for item in items:
    waiting.append(pool.submit(function, item))
    if len(waiting) > ahead:
      yield waiting.popleft().result()
  while waiting:
    yield waiting.popleft().result()
