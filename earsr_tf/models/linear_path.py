"""The linear way from an encoder's input to the code, beside its layers.

Found in closed form before the first step (`stages/linear_start.py`) and kept;
what the layers add starts at zero, so an encoder never falls below its linear
floor, and what instance norms remove (brightness, colour) has a way around
them. Ours, not the paper's: `model.linear_base`.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from earsr_tf.ops import shapes


class LinearPath(tf.keras.layers.Layer):
  """code = x kernel + bias, every value of every row on its own.

  Attributes:
    kernel: [in_features, L * d], not trainable.
    bias: [L * d], not trainable.
  """

  def __init__(
      self, *, in_features: int, num_styles: int, latent_dim: int,
      name: str = 'linear') -> None:
    """Creates the variables, all zero until `fill`.

    Args:
      in_features: Width of the input.
      num_styles: L of the code.
      latent_dim: d of the code.
      name: Keras name.
    """
    super().__init__(name=name, autocast=False)
    self._in_features = in_features
    self._code_shape = [num_styles, latent_dim]
    num_values = num_styles * latent_dim
    self.kernel = self.add_weight(
        name='kernel', shape=[in_features, num_values], initializer='zeros',
        trainable=False)
    self.bias = self.add_weight(
        name='bias', shape=[num_values], initializer='zeros', trainable=False)
    self.built = True

  def call(self, x: tf.Tensor) -> tf.Tensor:
    """Applies it: [B, in_features] -> code [B, L, d]."""
    shapes.assert_shape(x, [None, self._in_features], f'{self.name} input')
    return tf.reshape(
        tf.matmul(x, self.kernel) + self.bias, [-1, *self._code_shape])

  def fill(self, kernel: np.ndarray, bias: np.ndarray) -> None:
    """Takes what a regression found, same shapes as the variables."""
    self.kernel.assign(kernel.astype(np.float32))
    self.bias.assign(bias.astype(np.float32))
