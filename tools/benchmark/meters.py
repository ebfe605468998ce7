"""The two limits of a machine: a large product, and reading a large kernel."""

from __future__ import annotations

from typing import Callable

_MATRIX_SIDE = 4096
_STREAMED_SIDE = 8192  # 268 MB: more than a cache holds

MATRIX_PRODUCT = 'matrix product'
KERNEL_READ = 'kernel read'


def matrix_product() -> dict[str, Callable[[], float]]:
  """A case for `measurement.rounds` that counts GFLOP."""
  import tensorflow as tf
  square = tf.Variable(tf.ones([_MATRIX_SIDE, _MATRIX_SIDE]))
  multiply = tf.function(lambda: tf.reduce_sum(tf.matmul(square, square)))
  return {MATRIX_PRODUCT: lambda: (
      multiply().numpy(), 2e-9 * _MATRIX_SIDE ** 3)[1]}


def both() -> dict[str, Callable[[], float]]:
  """As above, and one that counts GB read."""
  import tensorflow as tf
  kernel = tf.Variable(tf.ones([_STREAMED_SIDE, _STREAMED_SIDE]))
  row = tf.ones([1, _STREAMED_SIDE])
  stream = tf.function(lambda: tf.reduce_sum(tf.matmul(row, kernel)))
  return {**matrix_product(), KERNEL_READ: lambda: (
      stream().numpy(), 4e-9 * _STREAMED_SIDE ** 2)[1]}
