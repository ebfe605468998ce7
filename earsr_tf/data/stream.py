"""The order of records: a function of (seed, position), with no state.

An epoch is a permutation of the shards, keyed by (seed, epoch); inside a shard
the records are permuted by a key of (seed, position of its first record). The
same order is served from the shards, one in memory at a time, or as numbers
of records that are in memory. Files beside the shards are read along.
"""

from __future__ import annotations

import contextlib
import dataclasses
from typing import Iterator, Mapping, Sequence

import numpy as np
import tensorflow as tf

from earsr_tf.data import manifest as manifest_lib

# Independent streams of draws; folded into the seed.
SHARDS, RECORDS, FRAME, SEGMENT, MIRROR, MIXTURE = range(6)
READ_BYTES = 1 << 24  # measured: half the time of the default buffer
# No function of the datasets needs AutoGraph: half a second saved for each.
as_is = tf.autograph.experimental.do_not_convert

FOREVER = 1 << 40  # epochs


def key(seed: int, draw: int, number: tf.Tensor) -> tf.Tensor:
  """[2] int32 key of a stateless draw: (seed, draw) with `number` folded in."""
  base = np.array([seed & 0x7fffffff, draw], np.int32)
  return tf.random.experimental.stateless_fold_in(base, number)


def stored(
    manifest: manifest_lib.Manifest, splits: Sequence[str],
    beside: Sequence[Mapping[str, str]] = ()) -> tf.data.Dataset:
  """One pass over the records in stored order.

  Args:
    manifest: The data.
    splits: Splits to go through.
    beside: For each kind of files beside the shards: sha256 of a shard -> path.

  Returns:
    A tuple of [] strings for each record: itself, then one of each kind.

  Raises:
    DataError: If a split is unknown or all are empty.
  """
  paths = _paths(manifest, splits, beside)
  return _zipped([list(paths[:, i]) for i in range(paths.shape[1])])


@contextlib.contextmanager
def explained(data_dir: str) -> Iterator[None]:
  """Turns what TensorFlow says of damaged shards into a sentence.

  Args:
    data_dir: Folder of the shards that are read inside.

  Raises:
    DataError: If a record is damaged or a shard has fewer than stated.
  """
  try:
    yield
  except tf.errors.DataLossError:
    reason = 'a record is damaged'
  except tf.errors.InvalidArgumentError as e:
    if 'Dataset was empty' not in str(e):  # see `Order.from_shards`
      raise
    reason = 'a shard has fewer records than the manifest says'
  else:
    return
  raise manifest_lib.DataError(
      f'{data_dir}: {reason}; python -m tools.verify_data {data_dir} names '
      'it; prepare the data again')


@dataclasses.dataclass(frozen=True)
class Share:
  """What one of several workers reads of every global batch.

  Attributes:
    first: Its first row ...
    stop: ... and the first that is no longer its own.
    size: Rows of the batches that it gets: those of one replica.
  """
  first: int
  stop: int
  size: int

  def keep(self, examples: tf.data.Dataset, start: int, batch_size: int
           ) -> tf.data.Dataset:
    """Those of endless (position, ...) that are its own.

    Args:
      examples: In order of position.
      start: Position at which the first global batch begins.
      batch_size: Global batch.
    """
    @as_is
    def is_own(position: tf.Tensor, *_: tf.Tensor) -> tf.Tensor:
      """Whether the row at `position` is one of this share."""
      row = (position - start) % batch_size
      return (row >= self.first) & (row < self.stop)

    return examples.filter(is_own)


class Order:
  """Which record comes at which position.

  Attributes:
    files: [shards, 1 + kinds] paths: shards, then what lies beside them.
    sizes: [shards] int64, records of each.
  """

  def __init__(
      self, *, manifest: manifest_lib.Manifest, splits: Sequence[str],
      beside: Sequence[Mapping[str, str]] = (), seed: int, start: int,
      shuffle: bool):
    """Makes the order.

    Args:
      manifest: The data.
      splits: Splits to go through.
      beside: As of `stored`.
      seed: The order follows from it.
      start: First position wanted.
      shuffle: False: the stored order in every epoch.

    Raises:
      DataError: If a split is unknown or all are empty.
    """
    self.files = _paths(manifest, splits, beside)
    self.sizes = np.array(
        [s.records for s in manifest.shards(splits)], np.int64)
    self._seed = seed
    self._start = start
    self._shuffle = shuffle

  def from_shards(self) -> tf.data.Dataset:
    """Endless (position [] int64, parts): a tuple of strings, as `stored`."""
    kinds = self.files.shape[1]

    @as_is
    def read(
        shard: tf.Tensor, first: tf.Tensor
    ) -> tuple[tf.Tensor, tuple[tf.Tensor, ...]]:
      """A visit: positions and records, in the order of the epoch."""
      files, size = tf.gather(self.files, shard), tf.gather(self.sizes, shard)
      # The stated number, or an error: never train on fewer records.
      content = _zipped([files[i] for i in range(kinds)]).batch(
          size, drop_remainder=True).get_single_element()
      position, order = self._inside(shard, first)
      return position, tuple(tf.gather(part, order) for part in content)

    # One shard is read ahead while another is consumed.
    return self._visits().map(read).prefetch(1).unbatch()

  def rows(self, first: int = 0) -> tf.data.Dataset:
    """Endless (position [] int64, row [] int64 among all stored records).

    Args:
      first: Row of the first of these records.
    """
    offsets = first + np.cumsum(self.sizes) - self.sizes

    @as_is
    def number(
        shard: tf.Tensor, first: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
      """A visit: positions and rows among all stored records."""
      position, order = self._inside(shard, first)
      return position, tf.gather(offsets, shard) + order

    return self._visits().map(number).unbatch()

  def _visits(self) -> tf.data.Dataset:
    """Endless (shard [] int32, position of its first record [] int64)."""
    total = int(self.sizes.sum())

    @as_is
    def epoch_shards(epoch: tf.Tensor) -> tf.data.Dataset:
      """Visits of an epoch, without those before the start."""
      order = tf.range(len(self.sizes))
      if self._shuffle:
        order = tf.random.experimental.stateless_shuffle(
            order, key(self._seed, SHARDS, epoch))
      sizes = tf.gather(self.sizes, order)
      first = epoch * total + tf.cumsum(sizes, exclusive=True)
      wanted = first + sizes > self._start
      return tf.data.Dataset.from_tensor_slices((order[wanted], first[wanted]))

    epochs = tf.data.Dataset.range(self._start // total, FOREVER)
    return epochs.flat_map(epoch_shards)

  def _inside(
      self, shard: tf.Tensor, first: tf.Tensor
  ) -> tuple[tf.Tensor, tf.Tensor]:
    """Positions and record numbers of a visit, without those before start."""
    size = tf.gather(self.sizes, shard)
    order = tf.range(size)
    if self._shuffle:
      order = tf.random.experimental.stateless_shuffle(
          order, key(self._seed, RECORDS, first))
    skip = tf.maximum(self._start - first, 0)
    return first + tf.range(skip, size), order[skip:]


def _paths(
    manifest: manifest_lib.Manifest, splits: Sequence[str],
    beside: Sequence[Mapping[str, str]]) -> np.ndarray:
  """[shards, 1 + kinds] paths."""
  return np.array([
      [f'{manifest.data_dir}/{s.file}', *(kind[s.sha256] for kind in beside)]
      for s in manifest.shards(splits)])


def _zipped(files: Sequence[tf.Tensor | list[str]]) -> tf.data.Dataset:
  """Records that belong together; ends with the shortest."""
  return tf.data.Dataset.zip(tuple(
      tf.data.TFRecordDataset(f, buffer_size=READ_BYTES) for f in files))
