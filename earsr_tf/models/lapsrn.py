"""LapSRN, a comparator (Lai et al. 2017; authors' init_LapSRN_model)."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from earsr_tf.models import layers
from earsr_tf.ops import convolution
from earsr_tf.ops import shapes

_FIRST_DEVIATION = 1e-3
_BILINEAR = np.outer([0.25, 0.75, 0.75, 0.25], [0.25, 0.75, 0.75, 0.25])


class LapSRN(tf.keras.Model):
  """Doubles the side level by level: bilinear plus a learned residual.

  One channel in and out, the luma. Two branches, whose weights no levels share:
  of features, and of the image, which the features' residuals are added to.

  Attributes:
    first: 3x3 convolution to the features.
    levels: The `_Level`s, coarse to fine.
  """

  def __init__(
      self, *, low_res_size: int, factor: int, filters: int = 64,
      depth: int = 5, bias_rate: float = 0.1, name: str = 'lapsrn') -> None:
    """Creates the variables.

    Args:
      low_res_size: Side s of the input.
      factor: Of the sides, a power of two >= 2.
      filters: Width of the features.
      depth: 3x3 convolutions of a level.
      bias_rate: Learning rate of biases over that of kernels.
      name: Keras name.

    Raises:
      ValueError: If `factor` is not a power of two >= 2.
    """
    super().__init__(name=name)
    num_levels = shapes.doublings(factor)
    self._low_res_size = low_res_size
    self.first = _Convolution(
        in_channels=1, out_channels=filters, deviation=_FIRST_DEVIATION,
        bias_rate=bias_rate, name='first')
    self.levels = [
        _Level(filters=filters, depth=depth, bias_rate=bias_rate,
               name=f'level_{number}')
        for number in range(num_levels)]
    self.built = True

  def call(self, luma: tf.Tensor) -> list[tf.Tensor]:
    """Enlarges the luma.

    Args:
      luma: [B, s, s, 1] float32, Y of `ops.ycbcr`.

    Returns:
      The image after each level: [B, 2 s, 2 s, 1], ..., [B, f s, f s, 1].

    Raises:
      ValueError: If the shape does not fit.
    """
    side = self._low_res_size
    shapes.assert_shape(luma, [None, side, side, 1], 'luma')
    features, image, images = layers.leaky_relu(self.first(luma)), luma, []
    for level in self.levels:
      features, image = level(features, image)
      images.append(image)
    return images

  def decayed(self) -> list[tf.Tensor]:
    """Weights and biases as they are used, for the weight decay."""
    convolutions = [self.first, *(
        c for level in self.levels for c in level.convolutions)]
    return [*(c.kernel for c in convolutions), *(c.bias for c in convolutions),
            *(level.upsampling for level in self.levels)]


class _Level(tf.keras.layers.Layer):
  """One doubling.

  Attributes:
    convolutions: `depth` of the features, the transposed one, the residual's.
    upsampling: [4, 4, 1, 1], of the image; begins as bilinear.
  """

  def __init__(self, *, filters: int, depth: int, bias_rate: float,
               name: str) -> None:
    super().__init__(name=name, autocast=False)
    deviation = math.sqrt(2.0 / (9 * filters))
    self.convolutions = [
        _Convolution(
            in_channels=filters, out_channels=out_channels,
            deviation=deviation, bias_rate=bias_rate, doubles=doubles,
            name=part)
        for part, out_channels, doubles in (
            *((f'conv_{i}', filters, False) for i in range(depth)),
            ('up', filters, True), ('residual', 1, False))]
    self.upsampling = self.add_weight(
        name='upsampling', shape=[4, 4, 1, 1],
        initializer=tf.keras.initializers.Constant(
            _BILINEAR.reshape(4, 4, 1, 1)))
    self.built = True

  def call(self, features: tf.Tensor, image: tf.Tensor
           ) -> tuple[tf.Tensor, tf.Tensor]:
    """Features [B, s, s, n] and image [B, s, s, 1] of twice the side."""
    *convolutions, residual = self.convolutions
    for conv in convolutions:
      features = layers.leaky_relu(conv(features))
    return features, residual(features) + convolution.transposed_conv2d(
        image, self.upsampling)


class _Convolution(tf.keras.layers.Layer):
  """3x3 convolution, or transposed one, whose bias moves more slowly.

  A bias that is `scale` times its variable moves by scale^2 of what SGD would
  move it by itself, momentum and weight decay included.

  Attributes:
    kernel: [3, 3, in, out]; transposed: [3, 3, out, in].
  """

  def __init__(self, *, in_channels: int, out_channels: int, deviation: float,
               bias_rate: float, name: str, doubles: bool = False) -> None:
    super().__init__(name=name, autocast=False)
    self._doubles = doubles
    self._bias_scale = math.sqrt(bias_rate)
    channels = [in_channels, out_channels]
    self.kernel = self.add_weight(
        name='kernel', shape=[3, 3, *(channels[::-1] if doubles else channels)],
        initializer=tf.keras.initializers.RandomNormal(stddev=deviation))
    self.slow_bias = self.add_weight(
        name='slow_bias', shape=[out_channels], initializer='zeros')
    self.built = True

  @property
  def bias(self) -> tf.Tensor:
    """[out_channels], what is added."""
    return self._bias_scale * self.slow_bias

  def call(self, x: tf.Tensor) -> tf.Tensor:
    """[B, s, s, in] -> [B, s, s, out], or twice the side."""
    apply = (convolution.transposed_conv2d if self._doubles
             else convolution.conv2d)
    return convolution.add_bias(apply(x, self.kernel), self.bias)
