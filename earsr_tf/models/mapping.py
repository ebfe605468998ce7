"""StyleGAN v1's mapping network z -> w (Karras et al. 2018, section 2)."""

from __future__ import annotations

import tensorflow as tf

from earsr_tf.models import layers
from earsr_tf.ops import latent
from earsr_tf.ops import shapes


class Mapping(tf.keras.Model):
  """w = f(z): pixel norm, then dense layers, each with a leaky ReLU.

  Attributes:
    dense_layers: The `EqualizedDense` layers, first to last.
  """

  def __init__(
      self, *, latent_dim: int, num_layers: int = 8,
      lr_multiplier: float = 0.01, name: str = 'mapping') -> None:
    """Creates the variables.

    Args:
      latent_dim: d of z and w.
      num_layers: Dense layers (8 in StyleGAN).
      lr_multiplier: Learning-rate multiplier (0.01 in StyleGAN).
      name: Keras name.
    """
    super().__init__(name=name)
    self._latent_dim = latent_dim
    self.dense_layers = [
        layers.EqualizedDense(
            in_features=latent_dim, out_features=latent_dim,
            lr_multiplier=lr_multiplier, name=f'dense_{i}')
        for i in range(num_layers)]
    self.built = True

  def call(self, z: tf.Tensor) -> tf.Tensor:
    """Maps latents.

    Args:
      z: [N, d] float32; only its direction matters.

    Returns:
      w, [N, d] float32.

    Raises:
      ValueError: If the shape does not fit.
    """
    shapes.assert_shape(z, [None, self._latent_dim], 'z')
    x = latent.pixel_norm(z)
    for dense in self.dense_layers:
      x = layers.leaky_relu(dense(x))
    return x
