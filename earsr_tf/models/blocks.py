"""Layers of the encoders and F; every variable is created on construction.

`ConvBlock` is the authors' convolution -> norm -> leaky ReLU, with the
instance norm that the generator's styles use too, at another epsilon.
"""

from __future__ import annotations

import tensorflow as tf

from earsr_tf.models import layers
from earsr_tf.ops import convolution
from earsr_tf.ops import normalization
from earsr_tf.ops import shapes

_NORM_EPSILON = 1e-6


class ConvBlock(tf.keras.layers.Layer):
  """Convolution -> (instance norm) -> leaky ReLU 0.2, the authors' block.

  A normalised convolution has no bias. Weights start Glorot uniform.

  Attributes:
    kernel: [k, k, in_channels, out_channels].
    bias: [out_channels]; the norm's offset where there is a norm.
    scale: [out_channels], the norm's scale, or None without a norm.
  """

  def __init__(
      self, *, in_channels: int, out_channels: int, kernel_size: int,
      stride: int, use_norm: bool, name: str | None = None) -> None:
    """Creates the variables.

    Args:
      in_channels: Width of the input.
      out_channels: Width of the output.
      kernel_size: k; the padding is SAME.
      stride: 1 or 2.
      use_norm: Whether the convolution is instance-normalised.
      name: Keras name.
    """
    super().__init__(name=name)
    self._stride = stride
    self.kernel = self.add_weight(
        name='kernel',
        shape=[kernel_size, kernel_size, in_channels, out_channels],
        initializer='glorot_uniform')
    self.scale = self.add_weight(
        name='scale', shape=[out_channels],
        initializer='ones') if use_norm else None
    self.bias = self.add_weight(
        name='bias', shape=[out_channels], initializer='zeros')
    self.built = True

  def call(self, x: tf.Tensor) -> tf.Tensor:
    """Applies the block: [B, H, W, Cin] -> [B, ceil(H / s), ..., Cout]."""
    x = convolution.conv2d(x, self.kernel, self._stride)
    if self.scale is None:
      x = tf.nn.bias_add(x, self.bias)
    else:
      x = normalization.instance_norm(
          x, self.scale, self.bias, _NORM_EPSILON)
    return layers.leaky_relu(x)


class Dense(tf.keras.layers.Layer):
  """y = x W + b, Glorot uniform, built on construction.

  Attributes:
    kernel: [in_features, out_features].
    bias: [out_features].
  """

  def __init__(
      self, *, in_features: int, out_features: int,
      name: str | None = None) -> None:
    """Creates the variables.

    Args:
      in_features: Width of the input.
      out_features: Width of the output.
      name: Keras name.
    """
    super().__init__(name=name)
    self._in_features = in_features
    self.kernel = self.add_weight(
        name='kernel', shape=[in_features, out_features],
        initializer='glorot_uniform')
    self.bias = self.add_weight(
        name='bias', shape=[out_features], initializer='zeros')
    self.built = True

  def call(self, x: tf.Tensor) -> tf.Tensor:
    """Applies the layer: [B, in_features] -> [B, out_features]."""
    shapes.assert_shape(x, [None, self._in_features], f'{self.name} input')
    return tf.nn.bias_add(tf.matmul(x, self.kernel), self.bias)
