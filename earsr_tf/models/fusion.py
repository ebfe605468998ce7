"""F, the fusion of both codes (paper, section 3.4; Eq. 5)."""

from __future__ import annotations

import tensorflow as tf

from earsr_tf.models import blocks
from earsr_tf.models import layers
from earsr_tf.models import linear_path
from earsr_tf.ops import shapes


class Fusion(tf.keras.Model):
  """z_f = z_l + F(z_l, z_a): dense layers on the concatenated codes.

  Attributes:
    dense_layers: The `Dense` layers; leaky ReLU between them.
    linear: `LinearPath` from `linear_inputs`, or None; its code is added.
  """

  def __init__(
      self, *, num_styles: int = 12, latent_dim: int = 512,
      hidden: int = 6144, num_layers: int = 3, has_residual: bool = True,
      last_initializer: str = 'glorot_uniform',
      has_linear_path: bool = False,
      product_dtype: str | None = None, name: str = 'fusion') -> None:
    """Creates the variables.

    Args:
      num_styles: L of the codes.
      latent_dim: d of the codes.
      hidden: Width of the hidden layers.
      num_layers: Dense layers; 1 is F_1 of Table 1 (e).
      has_residual: Whether E_l's code is added to the output (Eq. 5).
      last_initializer: Keras initializer of the last layer's kernel; with
        'zeros', z_f begins as z_l (plus the linear path's code).
      has_linear_path: Whether a `LinearPath` goes beside the layers.
      product_dtype: Type of the matrix products; None: of the variables, as
        all else is.
      name: Keras name.

    Raises:
      ValueError: If `num_layers` is not positive.
    """
    super().__init__(name=name)
    if num_layers < 1:
      raise ValueError(f'num_layers must be positive; got {num_layers}.')
    self._code_shape = [num_styles, latent_dim]
    self._flat = num_styles * latent_dim
    self._has_residual = has_residual
    widths = [2 * self._flat, *[hidden] * (num_layers - 1), self._flat]
    self.dense_layers = [
        blocks.Dense(
            in_features=widths[i], out_features=widths[i + 1],
            product_dtype=product_dtype,
            initializer=(last_initializer if i == num_layers - 1
                         else 'glorot_uniform'), name=f'dense_{i}')
        for i in range(num_layers)]
    self.linear = linear_path.LinearPath(
        in_features=2 * self._flat, num_styles=num_styles,
        latent_dim=latent_dim) if has_linear_path else None
    self.built = True

  def call(self, code_low: tf.Tensor, code_audio: tf.Tensor) -> tf.Tensor:
    """Fuses codes.

    Args:
      code_low: E_l's code, [B, L, d] float32.
      code_audio: E_a's code, [B, L, d] float32.

    Returns:
      Fused code in Z+, [B, L, d] float32.

    Raises:
      ValueError: If a shape does not fit.
    """
    shape = [None, *self._code_shape]
    shapes.assert_shape(code_low, shape, 'code_low')
    shapes.assert_shape(code_audio, shape, 'code_audio')
    inputs = x = self.linear_inputs(code_low, code_audio)
    for dense in self.dense_layers[:-1]:
      x = layers.leaky_relu(dense(x))
    code = tf.reshape(self.dense_layers[-1](x), [-1, *self._code_shape])
    if self.linear is not None:
      code += self.linear(inputs)
    return code_low + code if self._has_residual else code

  def linear_inputs(
      self, code_low: tf.Tensor, code_audio: tf.Tensor) -> tf.Tensor:
    """What the layers read: both codes, [B, 2 * L * d]."""
    return tf.concat(
        [tf.reshape(code_low, [-1, self._flat]),
         tf.reshape(code_audio, [-1, self._flat])], axis=1)
