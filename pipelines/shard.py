"""One shard: decode its clips, write their records in order (Beam).

A clip whose picture or voice cannot be used costs a row of rejects, not a run.
"""

from __future__ import annotations

import collections
import contextlib
from concurrent import futures
import dataclasses
import hashlib
import json
import os
import pathlib
import time
from typing import Any, Callable, Iterable, Iterator

from absl import logging
import apache_beam as beam
import imageio_ffmpeg
import PIL

from earsr_tf import environment
from earsr_tf.data import dataset as dataset_lib
from earsr_tf.data import manifest as manifest_lib
from earsr_tf.data import media

_LOG_SECONDS = 5.0


@dataclasses.dataclass(frozen=True)
class Options:
  """How clips become shards.

  Attributes:
    frames_per_clip: Frames kept of a clip, spread over it.
    image_size: Their side in pixels.
    max_seconds: Length kept of a voice.
    shards: Files per split; fixed, so that a new clip moves no other.
    workers: Clips decoded at a time.
    open_share: Share of speakers that is open-set; None: the dataset's.
    open_speakers: Speakers whose names begin so are open-set in any case.
    subset: Only clips whose path below the input begins so; () takes all.
    overwrite: Replaces finished data in the output folder.
  """
  frames_per_clip: int = 8
  image_size: int = 128
  max_seconds: float = 20.0
  shards: int = 4
  workers: int = os.cpu_count() or 1
  open_share: float | None = None
  open_speakers: tuple[str, ...] = ()
  subset: tuple[str, ...] = ()
  overwrite: bool = False

  def fingerprint(self) -> str:
    """'sha1:...' of everything that shapes the bytes of a record."""
    content = json.dumps({
        'format': manifest_lib.FORMAT,
        'frames_per_clip': self.frames_per_clip,
        'image_size': self.image_size,
        'max_seconds': self.max_seconds,
        'ffmpeg': os.path.basename(imageio_ffmpeg.get_ffmpeg_exe()),
        'pillow': PIL.__version__}, sort_keys=True)
    return f'sha1:{hashlib.sha1(content.encode()).hexdigest()}'


@dataclasses.dataclass(frozen=True)
class Written:
  """What a shard has become."""
  split: str
  shard: dict[str, Any] | None  # None: every clip of it was refused
  speakers: tuple[str, ...]
  rejects: tuple[dict[str, str], ...]


def decode(clip: dataset_lib.Clip, split: str, options: Options) -> bytes:
  """Decodes a clip into a serialised record.

  Raises:
    MediaError: If its picture or its voice cannot be used.
  """
  from earsr_tf.data import records  # pylint: disable=g-import-not-at-top
  voice = media.read_voice(clip.audio or clip.frames, options.max_seconds)
  frames = media.read_frames(
      clip.frames, options.frames_per_clip, options.image_size)
  return records.encode(records.ClipRecord(
      speaker=clip.speaker, video=clip.video, clip=clip.clip, split=split,
      gender=clip.gender, age=clip.age,
      frames=[media.encode_png(f) for f in frames],
      voice=media.encode_wav(voice)))


class WriteShard(beam.DoFn):
  """((split, number), clips) -> one shard file, written whole."""

  def __init__(
      self, *, input_dir: str, output_dir: str, options: Options,
      total: int):
    """Takes the folders, how to decode, and the number of clips in all."""
    self._input_dir = input_dir
    self._output_dir = pathlib.Path(output_dir)
    self._options = options
    self._total = total
    self._done = 0
    self._logged = 0.0
    self._clips = beam.metrics.Metrics.counter('ingest', 'clips')
    self._rejected = beam.metrics.Metrics.counter('ingest', 'rejected')

  def setup(self) -> None:
    """Loads TensorFlow, which encodes the records."""
    environment.load_tensorflow()

  def process(
      self, element: tuple[tuple[str, int], Iterable[dataset_lib.Clip]]
  ) -> Iterator[Written]:
    """Decodes and writes a shard in the order of the hashes of its keys."""
    (split, number), group = element
    clips = sorted(group, key=lambda c: dataset_lib.name_hash(c.key))
    name = f'{split}-{number:05d}-of-{self._options.shards:05d}.tfrecord'
    partial = self._output_dir / f'{name}.partial'
    speakers, rejects, count = set(), [], 0
    with _writer(partial) as writer:
      for clip, outcome in self._outcomes(clips, split):
        if isinstance(outcome, bytes):
          writer.write(outcome)
          speakers.add(clip.speaker)
          count += 1
        else:
          rejects.append(outcome)
        self._report()
    self._clips.inc(count)
    self._rejected.inc(len(rejects))
    shard = None
    if count:
      shard = {'file': name, 'records': count, 'bytes': partial.stat().st_size,
               'sha256': _sha256(partial)}
      os.replace(partial, self._output_dir / name)
    else:
      partial.unlink()
    yield Written(split, shard, tuple(sorted(speakers)), tuple(rejects))

  def _outcomes(
      self, clips: list[dataset_lib.Clip], split: str
  ) -> Iterator[tuple[dataset_lib.Clip, bytes | dict[str, str]]]:
    """Each clip with its record or reject, in order, decoded in parallel."""
    workers = self._options.workers
    with futures.ThreadPoolExecutor(workers) as pool:
      yield from zip(clips, _in_order(
          pool, lambda c: self._try(c, split), clips, 2 * workers))

  def _try(
      self, clip: dataset_lib.Clip, split: str) -> bytes | dict[str, str]:
    """A record, or the row of rejects.jsonl that says why there is none."""
    try:
      return decode(clip, split, self._options)
    except media.MediaError as e:
      return {'clip': clip.key, 'reason': e.reason,
              'file': os.path.relpath(e.path, self._input_dir)}

  def _report(self) -> None:
    """Counts a clip; says so now and then."""
    self._done += 1
    if time.monotonic() - self._logged >= _LOG_SECONDS:
      self._logged = time.monotonic()
      logging.info('prepare: %d of %d clips', self._done, self._total)


@contextlib.contextmanager
def _writer(path: pathlib.Path) -> Iterator[Any]:
  """A TFRecord writer; TensorFlow is imported where the work is done."""
  import tensorflow as tf  # pylint: disable=g-import-not-at-top
  try:
    with tf.io.TFRecordWriter(str(path)) as writer:
      yield writer
  except tf.errors.OpError as e:  # a full disk, for one
    raise OSError(f'{path}: cannot be written ({e.message})') from None


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


def _sha256(path: pathlib.Path) -> str:
  """Checksum of a file."""
  with open(path, 'rb') as f:
    return hashlib.file_digest(f, 'sha256').hexdigest()
