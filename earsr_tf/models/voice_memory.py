"""The voices of D and their faces, beside E_a's layers.

A voice is compared with those of all known people, and the answer is a mean of
their faces' codes, each weighted by how near its voice is. A known voice gets
its own face, a stranger's one of faces that sound alike. The linear path that
this takes the place of answers with nearly one face for all. Found in closed
form before the first step and kept. Ours, not the paper's:
`model.voice_memory`.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from earsr_tf.ops import shapes

DIRECTIONS = 30  # in which voices are compared
# Weights fall with this power of the squared distance: relative to that of the
# nearest voice, so that a stranger, far from everybody, gets a broad mean.
_POWER = 6.0


class VoiceMemory(tf.keras.layers.Layer):
  """code = sum_p w_p c_p, w_p ~ |u - u_p|^(-2 power) of known people p.

  u = (x - mean) directions is where a voice is.

  Attributes:
    mean: [in_features], and ...
    directions: [in_features, `DIRECTIONS`], of the discriminant.
    voices: [N, `DIRECTIONS`], u_p of person p.
    faces: [N, L * d], c_p: the mean code of the person's faces.
    is_known: [N] 1 for a person that is there, 0 for an empty place.
  """

  def __init__(
      self, *, in_features: int, places: int, num_styles: int,
      latent_dim: int, name: str = 'memory') -> None:
    """Creates the variables, all zero until `fill`.

    Args:
      in_features: Width of the input.
      places: N; person p of the data has place p, if it is below N.
      num_styles: L of the code.
      latent_dim: d of the code.
      name: Keras name.
    """
    super().__init__(name=name, autocast=False)
    self._in_features = in_features
    self._code_shape = [num_styles, latent_dim]

    def weight(name: str, *shape: int) -> tf.Variable:
      """A variable that no optimizer sees."""
      return self.add_weight(
          name=name, shape=shape, initializer='zeros', trainable=False)
    self.mean = weight('mean', in_features)
    self.directions = weight('directions', in_features, DIRECTIONS)
    self.voices = weight('voices', places, DIRECTIONS)
    self.faces = weight('faces', places, num_styles * latent_dim)
    self.is_known = weight('is_known', places)
    self.built = True

  def call(self, x: tf.Tensor, without: tf.Tensor | None = None) -> tf.Tensor:
    """Recalls faces.

    Args:
      x: [B, in_features] float32.
      without: [B] int32, the person whom each row must not remember, as if
        the voice were a stranger's; -1: nobody. None: nobody in any row.

    Returns:
      Code [B, L, d] float32.

    Raises:
      ValueError: If the shape does not fit.
    """
    shapes.assert_shape(x, [None, self._in_features], f'{self.name} input')
    where = tf.matmul(x - self.mean, self.directions)
    distance = tf.reduce_sum(tf.square(
        where[:, tf.newaxis] - self.voices[tf.newaxis]), axis=-1)
    is_asked = self.is_known[tf.newaxis] > 0.0
    if without is not None:
      places = tf.range(tf.shape(self.is_known)[0], dtype=without.dtype)
      is_asked &= places[tf.newaxis] != without[:, tf.newaxis]
    logits = -_POWER * tf.math.log(distance + 1e-6)
    weights = tf.nn.softmax(tf.where(is_asked, logits, -1e9))
    return tf.reshape(tf.matmul(weights, self.faces), [-1, *self._code_shape])

  def fill(self, *, mean: np.ndarray, directions: np.ndarray,
           voices: np.ndarray, faces: np.ndarray, is_known: np.ndarray
           ) -> None:
    """Takes what was found.

    Args:
      mean: As of the attribute.
      directions: [in_features, K]; the first `DIRECTIONS` are taken, those
        that are missing are 0.
      voices: [N, K], likewise.
      faces: As of the attribute.
      is_known: [N] bool.
    """
    count = min(directions.shape[1], DIRECTIONS)
    missing = [[0, 0], [0, DIRECTIONS - count]]
    self.mean.assign(mean)
    self.directions.assign(np.pad(directions[:, :count], missing))
    self.voices.assign(np.pad(voices[:, :count], missing))
    self.faces.assign(faces)
    self.is_known.assign(is_known.astype(np.float32))
