"""Layers of the encoders and F; every variable is created on construction.

`ConvBlock` is the authors' convolution -> norm -> leaky ReLU.
"""

from __future__ import annotations

import tensorflow as tf

from earsr_tf.models import layers
from earsr_tf.ops import convolution
from earsr_tf.ops import shapes


class ConvBlock(tf.keras.layers.Layer):
  """Convolution -> (instance norm) -> leaky ReLU 0.2, the authors' block.

  A normalised convolution has no bias.

  Attributes:
    kernel: [k, k, in_channels, out_channels].
    bias: [out_channels], or None where there is a norm.
    norm: Instance norm with scale and offset, or None.
  """

  def __init__(
      self, *, in_channels: int, out_channels: int, kernel_size: int,
      stride: int, use_norm: bool, initializer: str = 'glorot_uniform',
      product_dtype: str | None = None, name: str | None = None) -> None:
    """Creates the variables.

    Args:
      in_channels: Width of the input.
      out_channels: Width of the output.
      kernel_size: k; the padding is SAME.
      stride: 1 or 2.
      use_norm: Whether the convolution is instance-normalised.
      initializer: Keras initializer of the kernel.
      product_dtype: Type of the convolution, and of the result if there is no
        norm; None: of the variables, as a norm and what follows it are.
      name: Keras name.
    """
    super().__init__(name=name, autocast=False)
    self._stride = stride
    self._product_dtype = product_dtype
    self.kernel = self.add_weight(
        name='kernel',
        shape=[kernel_size, kernel_size, in_channels, out_channels],
        initializer=initializer)
    self.norm = layers.encoder_norm(out_channels) if use_norm else None
    self.bias = None if use_norm else self.add_weight(
        name='bias', shape=[out_channels], initializer='zeros')
    self.built = True

  def call(self, x: tf.Tensor) -> tf.Tensor:
    """Applies the block: [B, H, W, Cin] -> [B, ceil(H / s), ..., Cout]."""
    return layers.leaky_relu(self.linear(x))

  def fold(self) -> None:
    """Casts the kernel once and for all; see `super_resolver.fold`."""
    if self._product_dtype is not None:
      self.kernel = layers.folded(self.kernel, self._product_dtype)

  def linear(self, x: tf.Tensor) -> tf.Tensor:
    """The block before its activation, same shapes as `call`."""
    x = convolution.conv2d(
        tf.cast(x, self._product_dtype or self.dtype), self.kernel,
        self._stride)
    if self.norm is None:
      return convolution.add_bias(x, self.bias)
    return self.norm(tf.cast(x, self.dtype))


class Dense(tf.keras.layers.Layer):
  """y = x W + b, built on construction.

  Attributes:
    kernel: [in_features, out_features].
    bias: [out_features].
  """

  def __init__(
      self, *, in_features: int, out_features: int,
      initializer: str = 'glorot_uniform', product_dtype: str | None = None,
      name: str | None = None) -> None:
    """Creates the variables.

    Args:
      in_features: Width of the input.
      out_features: Width of the output.
      initializer: Keras initializer of the kernel.
      product_dtype: Type of the matrix product; None: of the variables. The
        result has the type of the variables.
      name: Keras name.
    """
    super().__init__(name=name, autocast=False)
    self._in_features = in_features
    self._product_dtype = product_dtype
    self.kernel = self.add_weight(
        name='kernel', shape=[in_features, out_features],
        initializer=initializer)
    self.bias = self.add_weight(
        name='bias', shape=[out_features], initializer='zeros')
    self.built = True

  def call(self, x: tf.Tensor) -> tf.Tensor:
    """Applies the layer: [B, in_features] -> [B, out_features]."""
    shapes.assert_shape(x, [None, self._in_features], f'{self.name} input')
    y = convolution.product(
        x, self.kernel, self._product_dtype or self.dtype)
    return tf.nn.bias_add(tf.cast(y, self.bias.dtype), self.bias)

  def fold(self) -> None:
    """Casts the kernel once and for all; see `super_resolver.fold`."""
    if self._product_dtype is not None:
      self.kernel = layers.folded(self.kernel, self._product_dtype)
