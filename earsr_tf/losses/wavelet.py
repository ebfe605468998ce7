"""Losses of Wavelet-SRNet (Huang et al. 2017; authors' networks.py)."""

from __future__ import annotations

import tensorflow as tf

from earsr_tf.losses import reconstruction
from earsr_tf.ops import shapes

_COLOURS = 3


def half_squared_error(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
  """Half the sum of squared differences of an image.

  Args:
    a: [B, ...] floating point, rank >= 2.
    b: Same shape.

  Returns:
    [B], non-negative.

  Raises:
    ValueError: If the shapes differ.
  """
  shapes.assert_shape(b, a.shape.as_list(), 'b')
  return 0.5 * reconstruction.reduce(tf.math.squared_difference(a, b), 'sum')


def texture(predicted: tf.Tensor, target: tf.Tensor, ratio: float = 1.2
            ) -> tf.Tensor:
  """What keeps details from fading: mean of max(ratio |y|^2 - |x|^2, 0).

  |x|^2 is the sum over the colours of a coefficient.

  Args:
    predicted: Coefficients x, [B, h, w, n * 3], colour-minor.
    target: Coefficients y, same shape.
    ratio: The authors' alpha; above 1, as means are weaker than what they
      average.

  Returns:
    [B], non-negative: the mean over places and coefficients.

  Raises:
    ValueError: If the shapes differ or do not hold whole colours.
  """
  shapes.assert_shape(predicted, [None, None, None, None], 'predicted')
  shapes.assert_shape(target, predicted.shape.as_list(), 'target')
  height, width, values = predicted.shape[1:]
  if values % _COLOURS:
    raise ValueError(f'predicted must have a multiple of {_COLOURS} channels; '
                     f'got {predicted.shape}.')
  x, y = (tf.reduce_sum(tf.square(tf.reshape(
      c, [-1, height, width, values // _COLOURS, _COLOURS])), axis=-1)
          for c in (predicted, target))
  return reconstruction.reduce(tf.nn.relu(ratio * y - x), 'mean')
