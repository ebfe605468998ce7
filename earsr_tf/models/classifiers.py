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
from earsr_tf.ops import shapes

_KERNEL_SIZE = 3
_LAST_SIDE = 4
_MAX_GROWTH = 8
# The age head starts at the mean and scale of adult ages, in years.
_AGE_MEAN = 40.0
_AGE_SCALE = 15.0


class AttributeClassifier(tf.keras.Model):
  """Identity, gender and age of a face image.

  Strided convolutions with instance norm down to 4x4, one hidden dense layer,
  one linear head per attribute. No dropout and no batch statistics: results
  depend on nothing but weights and input.

  Attributes:
    blocks: The `ConvBlock`s, first to last.
    hidden: `Dense` with a leaky ReLU.
    speaker_head: `Dense` to num_speakers.
    gender_head: `Dense` to 2.
    age_head: `Dense` to 1.
  """

  def __init__(
      self, *, image_size: int = 128, filters: int = 32,
      num_speakers: int, name: str = 'attribute_classifier') -> None:
    """Creates the variables.

    Args:
      image_size: Side S of the input, a power of two >= 8.
      filters: Width of the first convolution; doubles up to 8 times itself.
      num_speakers: N, identities to tell apart.
      name: Keras name.

    Raises:
      ValueError: If `image_size` or `num_speakers` is invalid.
    """
    super().__init__(name=name)
    num_strides = int(math.log2(max(image_size, 1))) - 2
    if num_strides < 1 or _LAST_SIDE * 2 ** num_strides != image_size:
      raise ValueError(
          f'image_size must be a power of two >= 8; got {image_size}.')
    if num_speakers < 1:
      raise ValueError(f'num_speakers must be positive; got {num_speakers}.')
    self._image_size = image_size
    self.blocks = []
    previous = 3
    for scale in range(num_strides):
      width = filters * min(2 ** scale, _MAX_GROWTH)
      self.blocks.append(blocks.ConvBlock(
          in_channels=previous, out_channels=width,
          kernel_size=_KERNEL_SIZE, stride=2, use_norm=scale > 0,
          name=f'conv_{scale}'))
      previous = width
    self._flat = previous * _LAST_SIDE ** 2
    width = filters * _MAX_GROWTH
    self.hidden = blocks.Dense(
        in_features=self._flat, out_features=width, name='hidden')
    self.speaker_head = blocks.Dense(
        in_features=width, out_features=num_speakers, name='speaker')
    self.gender_head = blocks.Dense(
        in_features=width, out_features=2, name='gender')
    self.age_head = blocks.Dense(
        in_features=width, out_features=1, name='age')
    self.built = True

  def call(self, image_high: tf.Tensor) -> dict[str, tf.Tensor]:
    """Classifies images.

    Args:
      image_high: [B, S, S, 3] float32 in [-1, 1].

    Returns:
      'speaker_logits' [B, N], 'gender_logits' [B, 2] (female, male) and
      'age' [B] in years, float32.

    Raises:
      ValueError: If the shape does not fit.
    """
    shapes.assert_shape(
        image_high, [None, self._image_size, self._image_size, 3],
        'image_high')
    x = image_high
    for block in self.blocks:
      x = block(x)
    x = layers.leaky_relu(self.hidden(tf.reshape(x, [-1, self._flat])))
    return {
        'speaker_logits': self.speaker_head(x),
        'gender_logits': self.gender_head(x),
        'age': _AGE_MEAN + _AGE_SCALE * self.age_head(x)[:, 0],
    }
