"""A picture that is linear in the code: what G adds to is not nothing.

The values of a code are whitened principal components of faces, so that
codes, their decoder and their encoder exist before anything is trained. A
network that begins with it is never below its linear floor. Ours, not the
paper's: `model.linear_base`.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from earsr_tf.ops import latent
from earsr_tf.ops import principal_components
from earsr_tf.ops import resample
from earsr_tf.ops import shapes


def pixels(image: tf.Tensor, side: int) -> tf.Tensor:
  """What a base of side S sees of an image: [B, H, H, 3] -> [B, S * S * 3].

  Args:
    image: H is S times a power of two.
    side: S.

  Returns:
    Means over boxes of H / S pixels, flat.

  Raises:
    ValueError: If H is no multiple of S.
  """
  shapes.assert_shape(image, [None, None, None, 3], 'image')
  if image.shape[1] > side:
    image = resample.downsample_box(image, image.shape[1] // side)
  shapes.assert_shape(image, [None, side, side, 3], 'reduced image')
  return tf.reshape(image, [-1, side * side * 3])


class LinearBase(tf.keras.layers.Layer):
  """picture = mean + sum_k value_k basis_k; in closed form, never trained.

  Attributes:
    side: S of the picture.
    mean: [S, S, 3].
    basis: [K, S, S, 3]: component times its deviation over the faces.
  """

  def __init__(
      self, *, side: int, num_styles: int, latent_dim: int, leading: int,
      name: str = 'linear_base') -> None:
    """Creates the variables, all zero until `fit`.

    Args:
      side: S, a power of two.
      num_styles: L of the code.
      latent_dim: d of the code.
      leading: Values that all rows of a code share.
      name: Keras name.
    """
    super().__init__(name=name, autocast=False)
    self.side = side
    self._num_styles, self._leading = num_styles, leading
    self._num_values = leading + num_styles * (latent_dim - leading)
    self.mean = self.add_weight(
        name='mean', shape=[side, side, 3], initializer='zeros',
        trainable=False)
    self.basis = self.add_weight(
        name='basis', shape=[self._num_values, side, side, 3],
        initializer='zeros', trainable=False)
    self.built = True

  def call(self, z_plus: tf.Tensor) -> tf.Tensor:
    """Decodes: z_plus [B, L, d] -> [B, S, S, 3], nominally in [-1, 1]."""
    values = latent.values_of(z_plus, self._leading)
    flat = tf.matmul(values, tf.reshape(self.basis, [self._num_values, -1]))
    return tf.reshape(flat, [-1, *self.mean.shape]) + self.mean

  def encoder(self) -> tuple[np.ndarray, np.ndarray]:
    """The way back: a code is pixels @ kernel + bias.

    Returns:
      kernel [S * S * 3, L * d] and bias [L * d], float32.
    """
    basis = self.basis.numpy().reshape(self._num_values, -1)
    length = np.sum(np.square(basis, dtype=np.float64), axis=1)[:, np.newaxis]
    to_values = np.divide(
        basis, length, out=np.zeros_like(basis), where=length > 0).T
    kernel = tf.reshape(latent.arrange(
        tf.constant(to_values), self._num_styles, self._leading),
                        [len(to_values), -1]).numpy()
    return kernel, -self.mean.numpy().reshape(-1) @ kernel

  def sizes(self) -> np.ndarray:
    """What a value of the code is worth in the picture, [L * d] float32.

    Lengths of the basis: an error of the code times these is as long as the
    picture's.
    """
    length = tf.norm(tf.reshape(self.basis, [self._num_values, -1]), axis=1)
    return tf.reshape(latent.arrange(
        length[tf.newaxis], self._num_styles, self._leading), [-1]).numpy()

  def fit(self, components: principal_components.Components) -> None:
    """Takes the components of many `pixels`; missing ones stay zero."""
    scaled = components.basis * components.deviation[:, np.newaxis]
    basis = np.zeros([self._num_values, scaled.shape[1]], np.float32)
    basis[:len(scaled)] = scaled[:self._num_values]
    self.mean.assign(components.mean.reshape(self.mean.shape))
    self.basis.assign(basis.reshape(self.basis.shape))

  def copy(self, other: LinearBase) -> None:
    """Takes the mean and the basis of another base of this size."""
    self.mean.assign(other.mean)
    self.basis.assign(other.basis)
