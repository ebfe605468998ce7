"""l_feat of Eqs. (1) and (2): distance of frozen features."""

from __future__ import annotations

from typing import Sequence

import tensorflow as tf

from earsr_tf.losses import reconstruction
from earsr_tf.ops import shapes


def feature_distance(
    features_a: Sequence[tf.Tensor], features_b: Sequence[tf.Tensor],
    norm: str = 'l1', reduction: str = 'mean') -> tf.Tensor:
  """Mean over layers of the mean absolute (or squared) difference.

  Args:
    features_a: One [B, H, W, C] map per layer.
    features_b: Same shapes.
    norm: 'l1' or 'l2'; the paper does not say.
    reduction: 'mean', or 'sum' over each map and over layers.

  Returns:
    [B] float32, non-negative.

  Raises:
    ValueError: If the lists or shapes differ, or the norm or reduction is
      unknown.
  """
  if norm not in ('l1', 'l2'):
    raise ValueError(f"norm must be 'l1' or 'l2'; got {norm!r}.")
  if not features_a or len(features_a) != len(features_b):
    raise ValueError(
        'features_a and features_b must be equally long and not empty; got '
        f'{len(features_a)} and {len(features_b)}.')
  distance = tf.abs if norm == 'l1' else tf.square
  layers = []
  for index, (a, b) in enumerate(zip(features_a, features_b)):
    shapes.assert_shape(b, a.shape.as_list(), f'features_b[{index}]')
    shapes.assert_shape(a, [None] * 4, f'features_a[{index}]')
    layers.append(reconstruction.reduce(distance(a - b), reduction))
  return tf.add_n(layers) / (len(layers) if reduction == 'mean' else 1.0)
