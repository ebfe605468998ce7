"""Small attribute classifiers C_i, C_g, C_a (paper, section 4.4).

One convolutional trunk with three heads, trained on real images only. It
stands in for the paper's VGG-Face and DEX networks; its numbers are
comparable within this project alone.
"""

from __future__ import annotations

import math

import tensorflow as tf

from earsr_tf.models import blocks
from earsr_tf.models import layers
from earsr_tf.ops import resample
from earsr_tf.ops import shapes

_KERNEL_SIZE = 3
_LAST_SIDE = 4
_MAX_GROWTH = 8
_MAX_FEATURES = 256
# Sharpness of the softmax over cosines (NormFace, Wang et al. 2017).
_COSINE_SCALE = 16.0
# The age head starts at the mean and scale of adult ages, in years.
_AGE_MEAN = 40.0
_AGE_SCALE = 15.0


class AttributeClassifier(tf.keras.Model):
  """Identity, gender and age of a face image.

  Strided convolutions down to 4x4, one dense layer of features, one head per
  attribute. Speakers are told apart by the cosines of the features to a
  direction each, so that people the network was not trained on can be named by
  the features of other pictures of them. No dropout and no batch statistics:
  results depend on nothing but weights and input.

  Attributes:
    blocks: The `ConvBlock`s, first to last.
    hidden: `Dense` to the features.
    speaker_head: [features, num_speakers], a direction per column.
    gender_head: `Dense` to 2.
    age_head: `Dense` to 1.
  """

  def __init__(
      self, *, image_size: int = 128, side: int = 0, filters: int = 32,
      use_norm: bool = True, num_speakers: int,
      name: str = 'attribute_classifier') -> None:
    """Creates the variables.

    Args:
      image_size: Side S of the images.
      side: Side to which they are reduced first, a power of two >= 8 and at
        most S; 0: S.
      filters: Width of the first convolution; doubles up to 8 times itself.
      use_norm: Whether all convolutions but the first are instance-normalised.
      num_speakers: N, identities to tell apart.
      name: Keras name.

    Raises:
      ValueError: If a size or `num_speakers` is invalid.
    """
    super().__init__(name=name)
    self.side = side or image_size
    num_strides = int(math.log2(max(self.side, 1))) - 2
    if num_strides < 1 or _LAST_SIDE * 2 ** num_strides != self.side:
      raise ValueError(
          f'side must be a power of two >= 8; got {self.side}.')
    if image_size % self.side:
      raise ValueError(
          f'image_size {image_size} is no multiple of side {self.side}.')
    if num_speakers < 1:
      raise ValueError(f'num_speakers must be positive; got {num_speakers}.')
    self._image_size = image_size
    self.blocks = []
    previous = 3
    for scale in range(num_strides):
      width = filters * min(2 ** scale, _MAX_GROWTH)
      self.blocks.append(blocks.ConvBlock(
          in_channels=previous, out_channels=width,
          kernel_size=_KERNEL_SIZE, stride=2, use_norm=use_norm and scale > 0,
          initializer='glorot_uniform' if use_norm else 'he_normal',
          name=f'conv_{scale}'))
      previous = width
    self._flat = previous * _LAST_SIDE ** 2
    width = min(filters * _MAX_GROWTH, _MAX_FEATURES)
    self.hidden = blocks.Dense(
        in_features=self._flat, out_features=width, name='hidden')
    self.speaker_head = self.add_weight(
        name='speaker', shape=[width, num_speakers],
        initializer='random_normal')
    self.gender_head = blocks.Dense(
        in_features=width, out_features=2, name='gender')
    self.age_head = blocks.Dense(
        in_features=width, out_features=1, name='age')
    self.built = True

  def call(self, image_high: tf.Tensor) -> dict[str, tf.Tensor]:
    """Classifies images.

    Args:
      image_high: [B, S, S, 3] float32 in [-1, 1], or reduced to `side`.

    Returns:
      'features' [B, E] of length 1, 'speaker_logits' [B, N], 'gender_logits'
      [B, 2] (female, male) and 'age' [B] in years, float32.

    Raises:
      ValueError: If the shape does not fit.
    """
    if image_high.shape[1] != self.side:
      shapes.assert_shape(
          image_high, [None, self._image_size, self._image_size, 3],
          'image_high')
      image_high = resample.downsample_box(
          image_high, self._image_size // self.side)
    x = image_high
    for block in self.blocks:
      x = block(x)
    x = self.hidden(tf.reshape(x, [-1, self._flat]))
    features = tf.math.l2_normalize(x, axis=-1)
    x = layers.leaky_relu(x)
    return {
        'features': features,
        'speaker_logits': _COSINE_SCALE * tf.linalg.matmul(
            features, tf.math.l2_normalize(self.speaker_head, axis=0)),
        'gender_logits': self.gender_head(x),
        'age': _AGE_MEAN + _AGE_SCALE * self.age_head(x)[:, 0],
    }
