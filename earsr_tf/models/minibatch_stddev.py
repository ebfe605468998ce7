"""Statistics of the mini-batch, which StyleGAN's discriminator reads."""

from __future__ import annotations

import tensorflow as tf


class MinibatchStddev(tf.keras.layers.Layer):
  """Appends one channel: the mean standard deviation within a group.

  Groups are contiguous (a named deviation: StyleGAN strides them), so that a
  replica's result does not depend on how many replicas there are.
  """

  def __init__(self, *, group_size: int, name: str | None = None) -> None:
    """Stores the group size.

    Args:
      group_size: Images per group; smaller batches form one group.
      name: Keras name.
    """
    super().__init__(name=name)
    self._group_size = group_size
    self.built = True

  def call(self, x: tf.Tensor) -> tf.Tensor:
    """Appends the channel: [B, H, W, C] -> [B, H, W, C + 1].

    Args:
      x: B must be a multiple of min(group size, B).

    Returns:
      [B, H, W, C + 1].

    Raises:
      ValueError: If a statically known B is no such multiple.
    """
    _, height, width, channels = x.shape
    batch = x.shape[0]
    checks = []
    if batch is None:
      batch = tf.shape(x)[0]
      group = tf.minimum(self._group_size, batch)
      checks = [tf.debugging.assert_equal(
          batch % group, 0, 'batch must be a multiple of the group size')]
    else:
      group = min(self._group_size, batch)
      if group and batch % group:
        raise ValueError(
            f'The batch must be a multiple of stddev_group ({group}); got '
            f'{batch} images. Change the batch size or model.stddev_group.')
    with tf.control_dependencies(checks):
      grouped = tf.reshape(x, [-1, group, height, width, channels])
    centered = grouped - tf.reduce_mean(grouped, axis=1, keepdims=True)
    variance = tf.reduce_mean(tf.square(centered), axis=1)
    deviation = tf.reduce_mean(
        tf.sqrt(variance + 1e-8), axis=[1, 2, 3])  # [B / group]
    deviation = tf.reshape(tf.repeat(deviation, group), [-1, 1, 1, 1])
    return tf.concat(
        [x, deviation * tf.ones_like(x[..., :1])], axis=-1)
