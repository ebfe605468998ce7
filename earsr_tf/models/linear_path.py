"""The linear way from an encoder's input to the code, beside its layers.

Found in closed form before the first step (`stages/linear_start.py`) and kept;
what the layers add starts at zero, so an encoder never falls below its linear
floor, and what instance norms remove (brightness, colour) has a way around
them. Ours, not the paper's: `model.linear_base`.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from earsr_tf.ops import latent
from earsr_tf.ops import shapes


class LinearPath(tf.keras.layers.Layer):
  """code = arrange(x kernel + bias).

  Attributes:
    kernel: [in_features, K], not trainable.
    bias: [K], not trainable.
    leading: Values of a code that all its rows share.
  """

  def __init__(
      self, *, in_features: int, num_styles: int, latent_dim: int,
      leading: int, name: str = 'linear') -> None:
    """Creates the variables, all zero until `assign`.

    Args:
      in_features: Width of the input.
      num_styles: L of the code.
      latent_dim: d of the code.
      leading: Values that all rows of a code share.
      name: Keras name.
    """
    super().__init__(name=name, autocast=False)
    self.leading = leading
    self._in_features, self._num_styles = in_features, num_styles
    num_values = leading + num_styles * (latent_dim - leading)
    self.kernel = self.add_weight(
        name='kernel', shape=[in_features, num_values], initializer='zeros',
        trainable=False)
    self.bias = self.add_weight(
        name='bias', shape=[num_values], initializer='zeros', trainable=False)
    self.built = True

  def call(self, x: tf.Tensor) -> tf.Tensor:
    """Applies it: [B, in_features] -> code [B, L, d]."""
    shapes.assert_shape(x, [None, self._in_features], f'{self.name} input')
    return latent.arrange(
        tf.matmul(x, self.kernel) + self.bias, self._num_styles, self.leading)

  def assign(self, kernel: np.ndarray, bias: np.ndarray) -> None:
    """Takes what a regression found, same shapes as the variables."""
    self.kernel.assign(kernel.astype(np.float32))
    self.bias.assign(bias.astype(np.float32))
