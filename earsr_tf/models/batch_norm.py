"""Batch norm whose moving averages are assigned by the training step.

Keras' own assigns them inside the forward pass, also of a step that is skipped.
"""

from __future__ import annotations

import tensorflow as tf

_EPSILON = 1e-5
_SHARE = 0.1  # of a batch in the moving averages

Moves = list[tuple[tf.Variable, tf.Tensor]]


class BatchNorm(tf.keras.layers.Layer):
  """Batch norm as PyTorch's: epsilon 1e-5, a tenth of each batch is kept.

  Attributes:
    gamma: [channels], scale; begins as 1.
    beta: [channels], offset; begins as 0.
    moving_mean: [channels], what inference subtracts.
    moving_variance: [channels], what inference divides by, unbiased.
  """

  def __init__(self, *, channels: int, name: str) -> None:
    """Creates the variables.

    Args:
      channels: Width of the feature map, its last axis.
      name: Keras name.
    """
    super().__init__(name=name, autocast=False)

    def vector(part: str, value: str, is_trained: bool) -> tf.Variable:
      """A variable for each channel."""
      return self.add_weight(name=part, shape=[channels], initializer=value,
                             trainable=is_trained)
    self.gamma = vector('gamma', 'ones', True)
    self.beta = vector('beta', 'zeros', True)
    self.moving_mean = vector('moving_mean', 'zeros', False)
    self.moving_variance = vector('moving_variance', 'ones', False)
    self.built = True

  def call(self, x: tf.Tensor) -> tf.Tensor:
    """Normalises [B, H, W, channels] by the moving averages."""
    return self._normalize(x, self.moving_mean, self.moving_variance)

  def by_batch(self, x: tf.Tensor) -> tuple[tf.Tensor, Moves]:
    """Normalises by the batch's own mean and variance, as in training.

    Args:
      x: [B, H, W, channels], more than one value a channel.

    Returns:
      The normalised map, and what the moving averages are to become.
    """
    mean, variance = tf.nn.moments(x, [0, 1, 2])
    count = tf.cast(tf.size(x) / x.shape[-1], x.dtype)
    unbiased = variance * count / (count - 1.0)
    moves = [(kept, kept + _SHARE * (new - kept)) for kept, new in (
        (self.moving_mean, mean), (self.moving_variance, unbiased))]
    return self._normalize(x, mean, variance), moves

  def _normalize(self, x: tf.Tensor, mean: tf.Tensor, variance: tf.Tensor
                 ) -> tf.Tensor:
    return tf.nn.batch_normalization(
        x, mean, variance, self.beta, self.gamma, _EPSILON)
