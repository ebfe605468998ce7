"""One style layer of StyleGAN v1 (Karras et al. 2018, section 2).

[Convolution] -> noise -> bias -> leaky ReLU -> instance norm -> style.
"""

from __future__ import annotations

import tensorflow as tf

from earsr_tf.models import layers
from earsr_tf.ops import resample


class StyledLayer(tf.keras.layers.Layer):
  """[Convolution] -> noise -> bias -> leaky ReLU -> AdaIN.

  Attributes:
    conv: `EqualizedConv2D` without bias, or None after the constant input.
    noise: `NoiseInjection`.
    bias: [C].
    style: `StyleModulation`.
  """

  def __init__(
      self, *, in_channels: int | None, out_channels: int, latent_dim: int,
      noise_gain: float, resample_mode: str = 'none',
      product_dtype: str | None = None, name: str | None = None) -> None:
    """Creates the variables.

    Args:
      in_channels: Width of the input; None for a layer without convolution.
      out_channels: Width of the output.
      latent_dim: d of w.
      noise_gain: See `NoiseInjection`.
      resample_mode: See `EqualizedConv2D`; upsampling is followed by a blur.
      product_dtype: Type of convolution and blur; None: of the variables, as
        all else is.
      name: Keras name.
    """
    super().__init__(name=name)
    self._is_upsampling = resample_mode != 'none'
    self.conv = None
    if in_channels is not None:
      self.conv = layers.EqualizedConv2D(
          in_channels=in_channels, out_channels=out_channels, kernel_size=3,
          use_bias=False, resample=resample_mode, product_dtype=product_dtype,
          name='conv')
    self.noise = layers.NoiseInjection(
        channels=out_channels, gain=noise_gain, name='noise')
    self.bias = self.add_weight(
        name='bias', shape=[out_channels], initializer='zeros')
    self.style = layers.StyleModulation(
        channels=out_channels, latent_dim=latent_dim, name='style')
    self.built = True

  def call(
      self, x: tf.Tensor, *, w: tf.Tensor,
      seed: tf.Tensor | None = None,
      rows: tuple[tf.Tensor, int] | None = None) -> tf.Tensor:
    """Applies the layer: [B, H, W, Cin], w [B, d] -> [B, H', W', Cout]."""
    if self.conv is not None:
      x = self.conv(x)
    if self._is_upsampling:
      x = resample.blur(x)
    x = tf.cast(x, self.dtype)
    if seed is not None:
      x = self.noise(x, seed=seed, rows=rows)
    x = layers.leaky_relu(tf.nn.bias_add(x, self.bias))
    return self.style(x, w=w)
