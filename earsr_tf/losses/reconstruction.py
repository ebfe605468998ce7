"""Pixel and code distances of Eqs. (1)-(5)."""

from __future__ import annotations

import tensorflow as tf

from earsr_tf.ops import shapes


def l1(a: tf.Tensor, b: tf.Tensor, reduction: str = 'mean') -> tf.Tensor:
  """Mean (or sum of the) absolute difference per image.

  The paper's |.|_1 leaves sum or mean open; with lambda = 40 on 192 values
  against 6144 of the code, only means balance.

  Args:
    a: [B, ...] floating point, rank >= 2.
    b: Same shape.
    reduction: 'mean' or 'sum' over all axes but the first.

  Returns:
    [B] float32, non-negative, in units of the input.

  Raises:
    ValueError: If the shapes differ, the rank is below 2, or the reduction
      is unknown.
  """
  shapes.assert_shape(b, a.shape.as_list(), 'b')
  shapes.assert_floating(a, 'a')
  if a.shape.rank < 2:
    raise ValueError(f'a must have rank >= 2; got shape {a.shape}.')
  return reduce(tf.abs(a - b), reduction)


def reduce(x: tf.Tensor, reduction: str) -> tf.Tensor:
  """Mean or sum over all axes but the first.

  Args:
    x: [B, ...] floating point.
    reduction: 'mean' or 'sum'.

  Returns:
    [B].

  Raises:
    ValueError: If the reduction is unknown.
  """
  if reduction not in ('mean', 'sum'):
    raise ValueError(
        f"reduction must be 'mean' or 'sum'; got {reduction!r}.")
  axes = list(range(1, x.shape.rank))
  if reduction == 'sum':
    return tf.reduce_sum(x, axis=axes)
  return tf.reduce_mean(x, axis=axes)
