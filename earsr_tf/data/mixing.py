"""Which folder of a mixture comes at which position: stateless, as `stream`.

Every block of sum(weights) positions has exactly its weight of each folder, in
an order keyed by (seed, block); so how many of each came before a position is
known without going through them.
"""

from __future__ import annotations

from typing import Sequence

import numpy as np
import tensorflow as tf

from earsr_tf.data import mixture as mixture_lib
from earsr_tf.data import stream

_SEEDS_APART = 1_000_003


def orders(mixture: mixture_lib.Mixture, splits: Sequence[str], *,
           seed: int, start: int, shuffle: bool,
           beside: Sequence[dict[str, str]] = ()) -> list[stream.Order]:
  """The order of each folder's records, from where it stands at `start`.

  Args:
    mixture: The data.
    splits: Splits to go through.
    seed: All orders follow from it; that of the first folder is the one that it
      has by itself.
    start: First position of the mixture that is wanted.
    shuffle: As of `stream.Order`.
    beside: As of `stream.Order`.
  """
  return [
      stream.Order(
          manifest=manifest, splits=splits, beside=beside,
          seed=seed + number * _SEEDS_APART, start=int(before),
          shuffle=shuffle)
      for number, (manifest, before) in enumerate(zip(
          mixture.manifests, counts(mixture.weights, seed, start)))]


def counts(weights: Sequence[int], seed: int, start: int) -> np.ndarray:
  """[folders] int64: clips of each folder before position `start`."""
  block, rest = divmod(start, sum(weights))
  turns = _block(weights, seed, tf.constant(block, tf.int64)).numpy()
  return block * np.array(weights, np.int64) + np.bincount(
      turns[:rest], minlength=len(weights))


def mixed(parts: Sequence[tf.data.Dataset], weights: Sequence[int], *,
          seed: int, start: int) -> tf.data.Dataset:
  """Endless (position in the mixture [] int64, what the folder's turn gives).

  Args:
    parts: For each folder endless (position in it, something).
    weights: Of the folders.
    seed: As of `orders`.
    start: As of `orders`.
  """
  if len(parts) == 1:
    return parts[0]
  block, rest = divmod(start, sum(weights))
  turns = tf.data.Dataset.range(block, stream.FOREVER).flat_map(
      stream.as_is(lambda number: tf.data.Dataset.from_tensor_slices(
          _block(weights, seed, number)))).skip(rest)
  chosen = tf.data.Dataset.choose_from_datasets(
      [part.map(stream.as_is(lambda _, found: found)) for part in parts],
      turns)
  return tf.data.Dataset.zip(
      (tf.data.Dataset.range(start, stream.FOREVER), chosen))


def _block(weights: Sequence[int], seed: int, number: tf.Tensor) -> tf.Tensor:
  """[sum(weights)] int64: the folder of each position of a block."""
  turns = np.repeat(np.arange(len(weights), dtype=np.int64), weights)
  return tf.random.experimental.stateless_shuffle(
      turns, stream.key(seed, stream.MIXTURE, number))
