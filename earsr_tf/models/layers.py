"""Layers of StyleGAN; every variable is created on construction.

Equalised layers, noise and styles of StyleGAN v1 (Karras et al. 2018).
"""

from __future__ import annotations

import math

import tensorflow as tf
import tensorflow_addons as tfa

from earsr_tf.ops import convolution
from earsr_tf.ops import normalization
from earsr_tf.ops import shapes

LEAKY_SLOPE = 0.2
GAIN_LEAKY = math.sqrt(2.0)
STYLE_EPSILON = 1e-8


def leaky_relu(x: tf.Tensor) -> tf.Tensor:
  """max(x, 0.2 x); Keras' own default slope would be 0.3.

  Args:
    x: Any shape, floating point.

  Returns:
    Same shape.
  """
  return tf.nn.leaky_relu(x, LEAKY_SLOPE)


def encoder_norm(channels: int) -> tfa.layers.InstanceNormalization:
  """The encoders' instance norm, as tf.contrib's: epsilon 1e-6.

  Args:
    channels: Width of the feature map, its last axis.

  Returns:
    The layer with scale (1) and offset (0) created.
  """
  norm = tfa.layers.InstanceNormalization(axis=-1, epsilon=1e-6)
  norm.build([None, None, None, channels])
  return norm


def folded(weight: tf.Tensor, dtype: str | None = None) -> tf.Variable:
  """A kernel or bias for inference alone, as its layer uses it.

  Args:
    weight: Any shape.
    dtype: Type of the products it goes into; None: its own.

  Returns:
    A new variable.
  """
  return tf.Variable(
      tf.cast(weight, dtype or weight.dtype), trainable=False, name='folded')


class EqualizedDense(tf.keras.layers.Layer):
  """y = x (W s) + b m, with W ~ N(0, 1) / m and s = gain m / sqrt(fan-in).

  Attributes:
    kernel: [in_features, out_features].
    bias: [out_features].
  """

  def __init__(
      self, *, in_features: int, out_features: int,
      gain: float = GAIN_LEAKY, lr_multiplier: float = 1.0,
      product_dtype: str | None = None, name: str | None = None) -> None:
    """Creates the variables.

    Args:
      in_features: Width of the input.
      out_features: Width of the output.
      gain: sqrt(2) before a leaky ReLU, else 1.
      lr_multiplier: m; 0.01 in the mapping network.
      product_dtype: Type of the matrix product; None: of the variables. The
        result has the type of the variables.
      name: Keras name.
    """
    super().__init__(name=name, autocast=False)
    self._in_features = in_features
    self._product_dtype = product_dtype
    self._lr_multiplier = lr_multiplier
    self._scale = lr_multiplier * convolution.equalized_scale(
        [in_features, out_features], gain)
    self.kernel = self.add_weight(
        name='kernel', shape=[in_features, out_features],
        initializer=tf.keras.initializers.RandomNormal(
            stddev=1.0 / lr_multiplier))
    self.bias = self.add_weight(
        name='bias', shape=[out_features], initializer='zeros')
    self._is_folded = False
    self.built = True

  def call(self, x: tf.Tensor) -> tf.Tensor:
    """Applies the layer: [B, in_features] -> [B, out_features]."""
    shapes.assert_shape(x, [None, self._in_features], f'{self.name} input')
    kernel, bias = self.kernel, self.bias
    if not self._is_folded:
      kernel, bias = kernel * self._scale, bias * self._lr_multiplier
    y = convolution.product(x, kernel, self._product_dtype or self.dtype)
    return tf.cast(y, bias.dtype) + bias

  def fold(self) -> None:
    """Scales kernel and bias once and for all; see `super_resolver.fold`."""
    if not self._is_folded:
      self.kernel = folded(self.kernel * self._scale, self._product_dtype)
      self.bias = folded(self.bias * self._lr_multiplier)
      self._is_folded = True


class EqualizedConv2D(tf.keras.layers.Layer):
  """Convolution with an equalised learning rate.

  Attributes:
    kernel: [k, k, in_channels, out_channels].
    bias: [out_channels], or None.
  """

  def __init__(
      self, *, in_channels: int, out_channels: int, kernel_size: int,
      gain: float = GAIN_LEAKY, use_bias: bool = True,
      is_zero_initialized: bool = False, resample: str = 'none',
      product_dtype: str | None = None, name: str | None = None) -> None:
    """Creates the variables.

    Args:
      in_channels: Width of the input.
      out_channels: Width of the output.
      kernel_size: k.
      gain: sqrt(2) before a leaky ReLU, else 1.
      use_bias: Whether a bias is added.
      is_zero_initialized: Whether the kernel starts at zero.
      resample: 'none', 'up' (as nearest upsampling, then convolution),
        'up_fused' (StyleGAN's mirrored fused form) or 'down'.
      product_dtype: Type of the convolution and of the result; None: of the
        variables.
      name: Keras name.

    Raises:
      ValueError: If `resample` is none of these.
    """
    super().__init__(name=name, autocast=False)
    if resample not in ('none', 'up', 'up_fused', 'down'):
      raise ValueError(
          "resample must be 'none', 'up', 'up_fused' or 'down'; got "
          f'{resample!r}.')
    self._resample = resample
    self._product_dtype = product_dtype
    shape = [kernel_size, kernel_size, in_channels, out_channels]
    self._scale = convolution.equalized_scale(shape, gain)
    self.kernel = self.add_weight(
        name='kernel', shape=shape,
        initializer='zeros' if is_zero_initialized else
        tf.keras.initializers.RandomNormal(stddev=1.0))
    self.bias = self.add_weight(
        name='bias', shape=[out_channels],
        initializer='zeros') if use_bias else None
    self._is_folded = False
    self.built = True

  def call(self, x: tf.Tensor) -> tf.Tensor:
    """Applies the layer: [B, H, W, Cin] -> [B, H', W', Cout]."""
    x = tf.cast(x, self._product_dtype or self.dtype)
    kernel = self.kernel if self._is_folded else self._prepared_kernel()
    if self._resample in ('none', 'down'):
      x = convolution.conv2d(x, kernel, 2 if self._resample == 'down' else 1)
    else:
      x = convolution.transposed_conv2d(x, kernel)
    return x if self.bias is None else convolution.add_bias(x, self.bias)

  def fold(self) -> None:
    """Makes `kernel` what the convolution takes: scaled, spread, cast.

    See `super_resolver.fold`.
    """
    if not self._is_folded:
      self.kernel = folded(
          self._prepared_kernel(), self._product_dtype)
      self._is_folded = True

  def _prepared_kernel(self) -> tf.Tensor:
    kernel = self.kernel * self._scale
    if self._resample == 'none':
      return kernel
    if self._resample == 'down':
      return convolution.downsampling_kernel(kernel)
    return convolution.upsampling_kernel(
        kernel, mirrored=self._resample == 'up')


class NoiseInjection(tf.keras.layers.Layer):
  """y = x + gain strength noise, one noise map for all channels.

  Attributes:
    strength: [C], starts at 0.
  """

  def __init__(
      self, *, channels: int, gain: float, name: str | None = None) -> None:
    """Creates the variable.

    Args:
      channels: C.
      gain: Constant factor; 1 in StyleGAN.
      name: Keras name.
    """
    super().__init__(name=name)
    self._gain = gain
    self.strength = self.add_weight(
        name='strength', shape=[channels], initializer='zeros')
    self.built = True

  def call(
      self, x: tf.Tensor, *, seed: tf.Tensor,
      rows: tuple[tf.Tensor, int] | None = None) -> tf.Tensor:
    """Adds N(0, 1) noise that depends on nothing but `seed` and the rows.

    Args:
      x: [B, H, W, C].
      seed: [2] int32.
      rows: Where these images stand in a larger batch, ([B] int32, its size):
        replicas then draw what one device would. None: `x` is the batch.

    Returns:
      [B, H, W, C].
    """
    batch = tf.shape(x)[0] if rows is None else rows[1]
    shape = tf.stack([batch, *tf.unstack(tf.shape(x)[1:3]), 1])
    noise = tf.random.stateless_normal(shape, seed, dtype=x.dtype)
    if rows is not None:
      noise = tf.gather(noise, rows[0])
    return x + noise * (self.strength * self._gain)


class StyleModulation(tf.keras.layers.Layer):
  """AdaIN: instance norm (epsilon 1e-8), then x (s0 + 1) + s1 with s = A w.

  Attributes:
    dense: A, an `EqualizedDense` of gain 1.
  """

  def __init__(
      self, *, channels: int, latent_dim: int,
      name: str | None = None) -> None:
    """Creates the variables.

    Args:
      channels: C of the feature map.
      latent_dim: d of w.
      name: Keras name.
    """
    super().__init__(name=name)
    self._channels = channels
    self.dense = EqualizedDense(
        in_features=latent_dim, out_features=2 * channels, gain=1.0,
        name='dense')
    self.built = True

  def call(self, x: tf.Tensor, *, w: tf.Tensor) -> tf.Tensor:
    """Applies style `w` [B, d] to `x` [B, H, W, C]."""
    style = tf.reshape(self.dense(w), [-1, 2, 1, 1, self._channels])
    return normalization.instance_norm(
        x, style[:, 0] + 1.0, style[:, 1], STYLE_EPSILON)
