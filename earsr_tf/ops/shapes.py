"""Static shape checks that fail with one sentence."""

from __future__ import annotations

from typing import Sequence

import tensorflow as tf


def assert_shape(
    x: tf.Tensor, shape: Sequence[int | None], name: str) -> None:
  """Checks a tensor's static shape before anything is computed from it.

  Dimensions that are unknown while tracing are accepted.

  Args:
    x: Any tensor, or anything with a `shape`.
    shape: Expected sizes; None accepts any size.
    name: What to call the tensor in the message.

  Raises:
    ValueError: If the rank or a size differs.
  """
  static = tf.TensorShape(x.shape)
  if not static.is_compatible_with(tf.TensorShape(shape)):
    wanted = ', '.join('any' if s is None else str(s) for s in shape)
    raise ValueError(
        f'{name} must have shape [{wanted}]; got {static.as_list()}.'
        if static.rank is not None else
        f'{name} must have shape [{wanted}]; its rank is unknown.')


def assert_floating(x: tf.Tensor, name: str) -> None:
  """Checks that a tensor is floating point.

  Args:
    x: Any tensor.
    name: What to call the tensor in the message.

  Raises:
    ValueError: If it is not.
  """
  dtype = tf.as_dtype(x.dtype)
  if not dtype.is_floating:
    raise ValueError(f'{name} must be floating point; got {dtype.name}.')


def doublings(factor: int) -> int:
  """How often a side doubles to grow by a factor.

  Args:
    factor: A power of two >= 2.

  Returns:
    Its logarithm, at least 1.

  Raises:
    ValueError: If it is no such number.
  """
  if factor < 2 or factor & (factor - 1):
    raise ValueError(f'factor must be a power of two >= 2; got {factor}.')
  return factor.bit_length() - 1
