"""Regularisers: R1 of the discriminator, the anchor of Eq. (2), decay."""

from __future__ import annotations

from typing import Callable, Sequence

import tensorflow as tf

from earsr_tf.ops import shapes


def r1_penalty(
    discriminator: Callable[[tf.Tensor], tf.Tensor],
    image_high: tf.Tensor) -> tf.Tensor:
  """R1 = 1/2 ||grad_x D(x)||^2 per image (Mescheder et al. 2018, Eq. 9).

  Args:
    discriminator: Maps [B, H, W, 3] to logits [B, 1].
    image_high: Real images, [B, H, W, 3] float32 in [-1, 1]; the gradient is
      per unit of that range.

  Returns:
    [B] float32, non-negative; multiply by gamma in the stage's weights.

  Raises:
    ValueError: If `image_high` is not rank 4 or not floating point.
  """
  shapes.assert_shape(image_high, [None, None, None, None], 'image_high')
  shapes.assert_floating(image_high, 'image_high')
  with tf.GradientTape(watch_accessed_variables=False) as tape:
    tape.watch(image_high)
    # The sum over images is exact: no term of one image's score but the
    # mini-batch deviation depends on another image, as in StyleGAN.
    score = tf.reduce_sum(discriminator(image_high))
  gradient = tape.gradient(score, image_high)
  return 0.5 * tf.reduce_sum(tf.square(gradient), axis=[1, 2, 3])


def weight_distance(
    variables: Sequence[tf.Variable], anchors: Sequence[tf.Variable],
    reduction: str = 'sum') -> tf.Tensor:
  """|G_init - G|_2^2 of Eq. (2).

  Args:
    variables: The weights that move.
    anchors: Their first values, in the same order.
    reduction: 'sum' or 'mean' over all entries; the paper does not say.

  Returns:
    [] float32, non-negative.

  Raises:
    ValueError: If the lists or shapes differ, or the reduction is unknown.
  """
  if reduction not in ('sum', 'mean'):
    raise ValueError(
        f"reduction must be 'sum' or 'mean'; got {reduction!r}.")
  if not variables or len(variables) != len(anchors):
    raise ValueError(
        'variables and anchors must be equally long and not empty; got '
        f'{len(variables)} and {len(anchors)}.')
  for variable, anchor in zip(variables, anchors):
    shapes.assert_shape(anchor, variable.shape.as_list(), 'anchor')
  total = tf.add_n([
      tf.reduce_sum(tf.math.squared_difference(v, a))
      for v, a in zip(variables, anchors)])
  if reduction == 'sum':
    return total
  return total / float(sum(v.shape.num_elements() for v in variables))


def weight_decay(variables: Sequence[tf.Tensor | tf.Variable]) -> tf.Tensor:
  """Half the sum of squares, whose gradient is the weights themselves.

  As a term of the loss it is what MatConvNet and PyTorch call weight decay:
  they add the weights, times a number, to the gradients.

  Args:
    variables: The weights, not empty.

  Returns:
    [] float32, non-negative.
  """
  return tf.add_n([tf.nn.l2_loss(tf.convert_to_tensor(v)) for v in variables])
