"""Shards -> batches, in an order that is a function of (seed, images consumed).

A frame and a 4 s segment of the voice are drawn independently from the same
clip (paper, section 3.3), keyed by (seed, position in the stream). Nothing has
a state: a resume makes the same stream from `start_images` on, and reads at
most one shard twice. Data that fit are decoded once and kept in memory; the
batches are the same.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Mapping, Sequence

import tensorflow as tf

from earsr_tf.data import audio
from earsr_tf.data import examples as examples_lib
from earsr_tf.data import image
from earsr_tf.data import keys
from earsr_tf.data import manifest as manifest_lib
from earsr_tf.data import mixing
from earsr_tf.data import mixture as mixture_lib
from earsr_tf.data import records
from earsr_tf.data import stream
from earsr_tf.data import target_files as targets_lib

MEMORY_BYTES = 512 << 20


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


def data_info(data: mixture_lib.Data) -> DataInfo:
  """Reads what is in data; see `manifest.read_manifest` for errors."""
  mixture = mixture_lib.of(data)
  return DataInfo(mixture.all_speakers, mixture.records(), mixture.sha256)


class TrainingData:
  """Data of a stage: one endless dataset after another, decoded once.

  A stage makes a dataset for each of its phases. Data that fit are decoded
  for the first of them and kept as long as this object lives.
  """

  def __init__(
      self,
      *,
      data: mixture_lib.Data,
      splits: Sequence[str],
      inputs: Sequence[str],
      targets: Sequence[targets_lib.Targets] = (),
      memory_bytes: int = MEMORY_BYTES):
    """Checks what is wanted; nothing is read yet.

    Args:
      data: Folder of shards, its manifest, or several with weights.
      splits: Splits to read, e.g. ('d_pre', 'd_rest').
      inputs: Batch entries wanted, names from `keys`; only these are decoded.
      targets: Where those of them that are targets are kept.
      memory_bytes: Data that need no more are decoded once and kept.

    Raises:
      DataError: If the data are missing, damaged or empty.
      ValueError: If an input is unknown.
    """
    self._data = mixture_lib.of(data)
    self._splits = tuple(splits)
    self._wanted = examples_lib.Wanted(
        self._data, tuple(inputs),
        tuple(t for t in targets if t.name in inputs))
    self._beside = [t.files for t in self._wanted.targets]
    self._is_kept = (
        self._wanted.bytes_in_memory(self._splits) <= memory_bytes)

  def batches(
      self, *, batch_size: int, seed: int, start_images: int = 0,
      training: bool = True, mirror: bool = False,
      share: stream.Share | None = None) -> tf.data.Dataset:
    """Endless batches.

    Args:
      batch_size: Global batch.
      seed: Order and draws follow from it.
      start_images: Images consumed before; the stream continues there.
      training: False keeps the stored order; the draws stay.
      mirror: Flips each image left to right with probability 1/2.
      share: The rows of each global batch that are wanted; None: all.

    Returns:
      Dataset of dicts with the inputs and `keys.INDEX`, batches of
      `batch_size` or `share.size`.

    Raises:
      DataError: If the data are damaged.
      ValueError: If images are mirrored but their targets are not.
    """
    if mirror and self._wanted.targets:
      raise ValueError('targets belong to images that are not mirrored')
    draw = functools.partial(examples_lib.draw, seed=seed, mirror=mirror)
    stored = self._stored(seed, start_images, training)
    if share:
      stored = share.keep(stored, start_images, batch_size)

    if self._is_kept:
      content = self._content
      examples = stored.map(
          stream.as_is(lambda index, row: draw(
              examples_lib.kept(content, row), index=index)),
          num_parallel_calls=2)
    else:
      examples = stored.map(
          stream.as_is(lambda index, parts: draw(examples_lib.stored(
              examples_lib.parse(parts, self._wanted),
              self._data.image_size), index=index)),
          num_parallel_calls=2)
    return _finish(examples, share.size if share else batch_size,
                   drop_remainder=True)

  def _stored(self, seed: int, start: int, shuffle: bool) -> tf.data.Dataset:
    """Endless (position, row or parts) in the order of training."""
    parts, first = [], 0
    for order in mixing.orders(
        self._data, self._splits, beside=self._beside, seed=seed, start=start,
        shuffle=shuffle):
      parts.append(order.rows(first) if self._is_kept else order.from_shards())
      first += int(order.sizes.sum())
    return mixing.mixed(parts, self._data.weights, seed=seed, start=start)

  @functools.cached_property
  def _content(self) -> dict[str, tf.Tensor]:
    """All records, decoded, padded to the longest: [records, ...] each."""
    total = sum(s.records for m in self._data.manifests
                for s in m.shards(self._splits))
    whole = _all_stored(self._data, self._splits, self._beside).map(
        stream.as_is(lambda *parts: examples_lib.load(parts, self._wanted)),
        num_parallel_calls=2).padded_batch(
            total, drop_remainder=True).with_options(_options())
    with stream.explained(self._data.data_dir):
      # Fewer records than stated are none: never train on fewer.
      return whole.get_single_element()


def make_dataset(
    data: mixture_lib.Data,
    *,
    splits: Sequence[str],
    inputs: Sequence[str],
    targets: Sequence[targets_lib.Targets] = (),
    memory_bytes: int = MEMORY_BYTES,
    **options: int | bool) -> tf.data.Dataset:
  """One dataset of `TrainingData`; see there for all arguments."""
  return TrainingData(
      data=data, splits=splits, inputs=inputs, targets=targets,
      memory_bytes=memory_bytes).batches(**options)


def make_eval_dataset(
    data: mixture_lib.Data,
    *,
    splits: Sequence[str],
    inputs: Sequence[str],
    batch_size: int,
    frames_per_clip: int = 1,
    seed: int = 0) -> tf.data.Dataset:
  """One pass in stored order; the last batch may be smaller.

  Args:
    data: Folder of shards, its manifest, or several, one after the other.
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
  mixture = mixture_lib.of(data)
  wanted = examples_lib.Wanted(mixture, tuple(inputs))
  clips = _all_stored(mixture.holding(splits), splits)
  if frames_per_clip > 1:
    clips = clips.flat_map(
        stream.as_is(lambda r: tf.data.Dataset.from_tensors((r,)).repeat(
            frames_per_clip)))

  @stream.as_is
  def read(
      index: tf.Tensor, parts: tuple[tf.Tensor, ...]) -> dict[str, tf.Tensor]:
    """One example of a stored record."""
    return examples_lib.draw(
        examples_lib.stored(
            examples_lib.parse(parts, wanted), mixture.image_size),
        index=index, seed=seed, per_clip=frames_per_clip)

  examples = clips.enumerate().map(read, num_parallel_calls=2)
  return _finish(examples, batch_size, drop_remainder=False)


def frames(
    manifest: manifest_lib.Manifest, shard: manifest_lib.Shard,
    batch_size: int, targets: Sequence[targets_lib.Targets] = ()
    ) -> tf.data.Dataset:
  """All frames of a shard, in stored order.

  Args:
    manifest: The data.
    shard: One of its shards.
    batch_size: Largest batch; it may span records.
    targets: Kept targets of the frames that are wanted, too.

  Returns:
    Dataset of (record [B] int64, image_high [B, S, S, 3] in [-1, 1], then
    each target [B, *shape]).
  """
  wanted = examples_lib.Wanted(
      mixture_lib.of(manifest),
      (keys.IMAGE_HIGH, *(t.name for t in targets)), tuple(targets))
  clips = tf.data.Dataset.zip(tuple(
      tf.data.TFRecordDataset(path, buffer_size=stream.READ_BYTES)
      for path in (f'{manifest.data_dir}/{shard.file}',
                   *(t.files[shard.sha256] for t in targets))))

  @stream.as_is
  def split(number: tf.Tensor, parts: tuple[tf.Tensor, ...]
            ) -> tf.data.Dataset:
    """A record -> its frames, still encoded, and their targets."""
    found = examples_lib.parse(parts, wanted)
    pictures = found[records.FRAMES]
    return tf.data.Dataset.from_tensor_slices(
        (tf.fill(tf.shape(pictures), number), pictures,
         *(found[t.name] for t in targets)))

  return clips.enumerate().flat_map(split).map(
      stream.as_is(lambda number, frame, *rest: (
          number, image.decode_frame(frame, manifest.image_size), *rest)),
      num_parallel_calls=2).batch(batch_size).map(
          stream.as_is(lambda number, frame, *rest: (
              number, image.to_float(frame), *rest))).prefetch(
                  2).with_options(_options())


def _all_stored(
    data: mixture_lib.Mixture, splits: Sequence[str],
    beside: Sequence[Mapping[str, str]] = ()) -> tf.data.Dataset:
  """One pass over the records of all folders; see `stream.stored`."""
  parts = [stream.stored(m, splits, beside) for m in data.manifests]
  return functools.reduce(lambda one, two: one.concatenate(two), parts)


def _finish(
    examples: tf.data.Dataset, batch_size: int, *,
    drop_remainder: bool) -> tf.data.Dataset:
  """Batches, converts to float."""

  @stream.as_is
  def convert(batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """uint8 -> [-1, 1] and int16 -> [-1, 1), float32."""
    batch = dict(batch)
    if keys.IMAGE_HIGH in batch:
      batch[keys.IMAGE_HIGH] = image.to_float(batch[keys.IMAGE_HIGH])
    if keys.WAVEFORM in batch:
      batch[keys.WAVEFORM] = audio.to_float(batch[keys.WAVEFORM])
    return batch

  return examples.batch(batch_size, drop_remainder=drop_remainder).map(
      convert, num_parallel_calls=2).prefetch(2).with_options(_options())


def _options() -> tf.data.Options:
  options = tf.data.Options()
  options.deterministic = True
  options.experimental_distribute.auto_shard_policy = (
      tf.data.experimental.AutoShardPolicy.DATA)
  # Training needs the cores; a private pool keeps decoding out of its way.
  options.threading.private_threadpool_size = 2
  options.threading.max_intra_op_parallelism = 1
  # There is nothing to tune, and an iterator is not gone before its tuner
  # wakes up: up to a minute at the end of every phase (measured).
  options.autotune.enabled = False
  return options
