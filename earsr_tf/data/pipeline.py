"""Shards -> batches, in an order that is a function of (seed, images consumed).

A frame and a 4 s segment of the voice are drawn independently from the same
clip (paper, section 3.3), keyed by (seed, position in the stream). Nothing has
a state: a resume makes the same stream from `start_images` on, and reads at
most one shard twice. Data that fit are decoded once and kept in memory; the
batches are the same.
"""

from __future__ import annotations

import dataclasses
from typing import Callable, Sequence

import numpy as np
import tensorflow as tf

from earsr_tf.data import audio
from earsr_tf.data import image
from earsr_tf.data import keys
from earsr_tf.data import manifest as manifest_lib
from earsr_tf.data import records
from earsr_tf.data import stream

MEMORY_BYTES = 512 << 20
_COUNT = 'count'  # number of frames of a clip; the rest is padding


@dataclasses.dataclass(frozen=True)
class DataInfo:
  """What training must know about prepared data.

  Attributes:
    speakers: All speakers, sorted; `keys.SPEAKER` indexes this.
    records: Split name -> number of clips.
    manifest_sha256: Names this very data.
  """
  speakers: tuple[str, ...]
  records: dict[str, int]
  manifest_sha256: str


@dataclasses.dataclass(frozen=True)
class _Picked:
  """A record on its way into a batch: entries, and how to get a frame."""
  entries: dict[str, tf.Tensor]
  count: tf.Tensor
  frame: Callable[[tf.Tensor], tf.Tensor] | None


def data_info(data_dir: str, make_command: str = '') -> DataInfo:
  """Reads what is in `data_dir`; see `manifest.read_manifest` for errors."""
  manifest = manifest_lib.read_manifest(data_dir, make_command)
  return DataInfo(
      speakers=manifest.all_speakers,
      records={k: sum(s.records for s in v)
               for k, v in manifest.splits.items()},
      manifest_sha256=manifest.sha256)


def make_dataset(
    data: str | manifest_lib.Manifest,
    *,
    splits: Sequence[str],
    inputs: Sequence[str],
    batch_size: int,
    seed: int,
    start_images: int = 0,
    training: bool = True,
    mirror: bool = False,
    memory_bytes: int = MEMORY_BYTES) -> tf.data.Dataset:
  """Endless batches.

  Args:
    data: Folder of shards, or its manifest.
    splits: Splits to read, e.g. ('d_pre', 'd_rest').
    inputs: Batch entries wanted, names from `keys`; only these are decoded.
    batch_size: Global batch.
    seed: Order and draws follow from it.
    start_images: Images consumed before; the stream continues there.
    training: False keeps the stored order; the draws stay.
    mirror: Flips each image left to right with probability 1/2.
    memory_bytes: Data that need no more are decoded once and kept.

  Returns:
    Dataset of dicts with `inputs` and `keys.INDEX`, batches of `batch_size`.

  Raises:
    DataError: If the data are missing, damaged or empty.
    ValueError: If an input is unknown.
  """
  manifest = _manifest(data)
  inputs = _checked(inputs)
  order = stream.Order(
      manifest=manifest, splits=splits, seed=seed, start=start_images,
      shuffle=training)

  if _bytes_in_memory(manifest, splits, inputs) <= memory_bytes:
    examples = order.from_memory(lambda r: _load(r, inputs, manifest)).map(
        lambda index, row, entries: _draw(
            _kept(entries, row), index=index, seed=seed, mirror=mirror),
        num_parallel_calls=2)
  else:
    examples = order.from_shards().map(
        lambda index, record: _draw(
            _stored(_entries(record, inputs, manifest), manifest.image_size),
            index=index, seed=seed, mirror=mirror),
        num_parallel_calls=2)
  return _finish(examples, batch_size, drop_remainder=True)


def make_eval_dataset(
    data: str | manifest_lib.Manifest,
    *,
    splits: Sequence[str],
    inputs: Sequence[str],
    batch_size: int,
    frames_per_clip: int = 1,
    seed: int = 0) -> tf.data.Dataset:
  """One pass in stored order; the last batch may be smaller.

  Args:
    data: Folder of shards, or its manifest.
    splits: Splits to read, in this order.
    inputs: Batch entries wanted, names from `keys`.
    batch_size: Largest batch.
    frames_per_clip: How often each clip occurs in a row; its frames are
      spread over the clip, its segments drawn anew.
    seed: Frames and segments follow from (seed, position in the pass).

  Returns:
    Dataset of dicts with `inputs` and `keys.INDEX`.

  Raises:
    DataError: If the data are missing, damaged or empty.
    ValueError: If an input is unknown.
  """
  manifest = _manifest(data)
  inputs = _checked(inputs)
  files = [f'{manifest.data_dir}/{s.file}' for s in manifest.shards(splits)]
  clips = tf.data.TFRecordDataset(files, buffer_size=stream.READ_BYTES)
  if frames_per_clip > 1:
    clips = clips.flat_map(
        lambda r: tf.data.Dataset.from_tensors(r).repeat(frames_per_clip))

  def read(index: tf.Tensor, serialized: tf.Tensor) -> dict[str, tf.Tensor]:
    entries = _entries(serialized, inputs, manifest)
    return _draw(
        _stored(entries, manifest.image_size), index=index, seed=seed,
        per_clip=frames_per_clip)

  examples = clips.enumerate().map(read, num_parallel_calls=2)
  return _finish(examples, batch_size, drop_remainder=False)


def _manifest(data: str | manifest_lib.Manifest) -> manifest_lib.Manifest:
  """The manifest itself, or that of a folder."""
  if isinstance(data, manifest_lib.Manifest):
    return data
  return manifest_lib.read_manifest(str(data))


def _checked(inputs: Sequence[str]) -> tuple[str, ...]:
  """The inputs, if all of them exist."""
  for name in inputs:
    if name not in keys.ALL:
      raise ValueError(
          f'unknown input {name!r}; data provide {", ".join(keys.ALL)}')
  return tuple(inputs)


def _bytes_in_memory(
    manifest: manifest_lib.Manifest, splits: Sequence[str],
    inputs: Sequence[str]) -> int:
  """What decoded frames and encoded voices would take."""
  shards = manifest.shards(splits)
  total = 0
  if keys.IMAGE_HIGH in inputs:
    clip_bytes = manifest.frames_per_clip * manifest.image_size**2 * 3
    total += clip_bytes * sum(s.records for s in shards)
  if keys.WAVEFORM in inputs:
    total += sum(s.bytes for s in shards)
  return total


def _entries(
    serialized: tf.Tensor, inputs: Sequence[str],
    manifest: manifest_lib.Manifest) -> dict[str, tf.Tensor]:
  """Parses a record; the speaker's name becomes its number."""
  entries = records.parse(serialized, inputs)
  if keys.SPEAKER in entries:
    same = tf.equal(np.array(manifest.all_speakers), entries[keys.SPEAKER])
    entries[keys.SPEAKER] = tf.argmax(same, output_type=tf.int32)
  return entries


def _load(
    serialized: tf.Tensor, inputs: Sequence[str],
    manifest: manifest_lib.Manifest) -> dict[str, tf.Tensor]:
  """What is kept in memory of a record: as `_entries`, with decoded frames."""
  entries = _entries(serialized, inputs, manifest)
  if records.FRAMES in entries:
    entries[_COUNT] = tf.size(entries[records.FRAMES])
    entries[records.FRAMES] = tf.map_fn(
        lambda f: image.decode_frame(f, manifest.image_size),
        entries[records.FRAMES], fn_output_signature=tf.uint8)
  return entries or {_COUNT: tf.constant(0)}


def _kept(entries: dict[str, tf.Tensor], row: tf.Tensor) -> _Picked:
  """One record out of all that are in memory."""
  found = {k: v[row] for k, v in entries.items()
           if k not in (records.FRAMES, _COUNT)}
  if records.FRAMES not in entries:
    return _Picked(found, tf.constant(0), None)
  frames = entries[records.FRAMES]
  return _Picked(
      found, entries[_COUNT][row],
      lambda n: tf.gather_nd(frames, [tf.cast(row, tf.int32), n]))


def _stored(entries: dict[str, tf.Tensor], image_size: int) -> _Picked:
  """One record as it was parsed."""
  if records.FRAMES not in entries:
    return _Picked(entries, tf.constant(0), None)
  found = dict(entries)
  frames = found.pop(records.FRAMES)
  return _Picked(
      found, tf.size(frames),
      lambda n: image.decode_frame(frames[n], image_size))


def _uniform(key: tf.Tensor, bound: tf.Tensor | int) -> tf.Tensor:
  """[] int32 in [0, bound)."""
  return tf.random.stateless_uniform(
      [], key, minval=0, maxval=bound, dtype=tf.int32)


def _draw(
    picked: _Picked,
    *,
    index: tf.Tensor,
    seed: int,
    mirror: bool = False,
    per_clip: int = 1) -> dict[str, tf.Tensor]:
  """Draws a frame and a segment; they stay integers until they are batched."""
  example = {keys.INDEX: index, **picked.entries}
  if picked.frame is not None:
    count = picked.count
    drawn = _uniform(stream.key(seed, stream.FRAME, index // per_clip), count)
    step = tf.maximum(count // per_clip, 1)
    turn = tf.cast(index % per_clip, tf.int32)
    picture = picked.frame((drawn + turn * step) % count)
    if mirror:
      flip = _uniform(stream.key(seed, stream.MIRROR, index), 2) > 0
      # Both `tf.where` and a slice of step -1 cost ten times this.
      picture = tf.cond(
          flip, lambda: tf.reverse(picture, [1]), lambda: picture)
    example[keys.IMAGE_HIGH] = picture
  if records.VOICE in example:
    example[keys.WAVEFORM] = audio.draw_voice(
        example.pop(records.VOICE), stream.key(seed, stream.SEGMENT, index))
  return example


def _finish(
    examples: tf.data.Dataset, batch_size: int, *,
    drop_remainder: bool) -> tf.data.Dataset:
  """Batches, converts to float, sets options."""

  def convert(batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    batch = dict(batch)
    if keys.IMAGE_HIGH in batch:
      batch[keys.IMAGE_HIGH] = image.to_float(batch[keys.IMAGE_HIGH])
    if keys.WAVEFORM in batch:
      batch[keys.WAVEFORM] = audio.to_float(batch[keys.WAVEFORM])
    return batch

  options = tf.data.Options()
  options.deterministic = True
  options.experimental_distribute.auto_shard_policy = (
      tf.data.experimental.AutoShardPolicy.DATA)
  # Training needs the cores; a private pool keeps decoding out of its way.
  options.threading.private_threadpool_size = 2
  options.threading.max_intra_op_parallelism = 1
  return examples.batch(batch_size, drop_remainder=drop_remainder).map(
      convert, num_parallel_calls=2).prefetch(2).with_options(options)
