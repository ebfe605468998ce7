"""Per-image normalisation of feature maps."""

from __future__ import annotations

import tensorflow as tf

from earsr_tf.ops import shapes


def instance_norm(
    x: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor,
    epsilon: float) -> tf.Tensor:
  """y = (x - mean) / sqrt(variance + epsilon) * scale + offset.

  Mean and variance are taken over the pixels of one channel of one image.

  Args:
    x: [B, H, W, C] floating point.
    scale: [C] or [B, 1, 1, C].
    offset: [C] or [B, 1, 1, C].
    epsilon: Added to the variance; 1e-6 in the encoders, 1e-8 in StyleGAN.

  Returns:
    [B, H, W, C].

  Raises:
    ValueError: If `x` is not rank 4.
  """
  shapes.assert_shape(x, [None, None, None, None], 'feature map')
  mean, variance = tf.nn.moments(x, axes=[1, 2], keepdims=True)  # [B,1,1,C]
  gain = tf.math.rsqrt(variance + epsilon) * scale
  # Folded into two passes over the map instead of three.
  return x * gain + (offset - mean * gain)
