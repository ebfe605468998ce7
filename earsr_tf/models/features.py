"""Frozen feature extractors of the perceptual term of Eqs. (1) and (2).

The paper says VGG features; the authors' released discriminator returns its
own activations instead. A third one knows SyntheticVox's faces and needs no
download. None is ever trained.
"""

from __future__ import annotations

import math
import os
from typing import Sequence

import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf.models import discriminator as discriminator_model
from earsr_tf.models import face_descriptor
from earsr_tf.ops import resample
from earsr_tf.ops import shapes

# relu1_2, relu2_2, relu3_3 and relu4_3; the paper does not say which.
VGG16_LAYERS = (
    'block1_conv2', 'block2_conv2', 'block3_conv3', 'block4_conv3')
_VGG16_MEAN_BGR = (103.939, 116.779, 123.68)
_HALF_RANGE = 127.5
_DESCRIPTOR_MAPS = (2, 4, 6)  # the last convolution of each size below 32x32
_REMEDY = (
    'Download vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5 from the '
    'Keras applications page elsewhere and name it with '
    '--set=invert.vgg16_weights=FILE.')


class VGG16Features(tf.keras.Model):
  """Activations of VGG16 (Simonyan & Zisserman 2014), divided by 127.5.

  VGG16 reads pixels in [0, 255]; the division makes distances comparable with
  those of images in [-1, 1].

  Attributes:
    vgg: The Keras model with one output per layer.
  """

  def __init__(
      self, *, weights: str | None = 'imagenet',
      layer_names: Sequence[str] = VGG16_LAYERS,
      name: str = 'vgg16_features') -> None:
    """Builds and freezes VGG16.

    Args:
      weights: 'imagenet' downloads Keras' weights, or reads them from Keras'
        cache; else the path of a Keras weights file without top. None leaves
        random weights and serves tests only.
      layer_names: Keras layers to return, shallow to deep.
      name: Keras name.

    Raises:
      ConfigError: If the weights cannot be had.
    """
    super().__init__(name=name)
    if weights not in ('imagenet', None) and not os.path.isfile(weights):
      raise config_lib.ConfigError(
          f'{weights}: no such VGG16 weights file. {_REMEDY}')
    try:
      base = tf.keras.applications.VGG16(include_top=False, weights=weights)
    except Exception as error:  # Keras wraps urllib errors in Exception.
      raise config_lib.ConfigError(
          f'VGG16 weights {weights!r} cannot be loaded ({error}). {_REMEDY}'
      ) from error
    self.vgg = tf.keras.Model(
        base.input, [base.get_layer(n).output for n in layer_names])
    self.trainable = False
    self.built = True

  def call(self, image: tf.Tensor) -> list[tf.Tensor]:
    """Computes the activations.

    Args:
      image: [B, S, S, 3] float32 RGB in [-1, 1].

    Returns:
      One [B, s, s, C] float32 map per layer.

    Raises:
      ValueError: If the shape does not fit.
    """
    shapes.assert_shape(image, [None, None, None, 3], 'image')
    pixels = (image[..., ::-1] + 1.0) * _HALF_RANGE
    maps = self.vgg(pixels - tf.constant(_VGG16_MEAN_BGR), training=False)
    return [m / _HALF_RANGE for m in (
        maps if isinstance(maps, (list, tuple)) else [maps])]


class DescriptorFeatures(tf.keras.Model):
  """Activations of a face descriptor: how a face looks, and whose it is."""

  def __init__(
      self, *, descriptor: face_descriptor.FaceDescriptor,
      name: str = 'descriptor_features') -> None:
    """Takes a descriptor that no judge reads."""
    super().__init__(name=name)
    self._descriptor = descriptor
    self.trainable = False
    self.built = True

  def call(self, image: tf.Tensor) -> list[tf.Tensor]:
    """Computes the activations.

    Args:
      image: [B, S, S, 3] float32 in [-1, 1]; S is a multiple of 64, or
        smaller: then it is enlarged.

    Returns:
      Maps [B, s, s, C] at 16x16, 8x8 and 4x4, and the code [B, 1, 1, 256]
      with a mean square of 1.
    """
    side = face_descriptor.SIDE
    if image.shape[1] < side:
      image = tf.image.resize(image, [side, side])
    *maps, code = self._descriptor.activations(image)
    code = tf.math.l2_normalize(code, -1) * math.sqrt(face_descriptor.WIDTH)
    return [*(maps[index] for index in _DESCRIPTOR_MAPS),
            code[:, tf.newaxis, tf.newaxis]]


class DiscriminatorFeatures(tf.keras.Model):
  """Activations of the stage-0 discriminator; freezes the one it is given.

  Attributes:
    discriminator: The network whose blocks are read.
  """

  def __init__(
      self, *, discriminator: discriminator_model.Discriminator,
      resolution: int | None = None,
      name: str = 'discriminator_features') -> None:
    """Freezes a discriminator.

    Args:
      discriminator: Restored by the caller.
      resolution: Side at which it was trained, at least 16; larger images are
        box-downsampled to it. None means its image_size.
      name: Keras name.
    """
    super().__init__(name=name)
    self.discriminator = discriminator
    self._resolution = resolution or discriminator.image_size
    self.trainable = False
    self.built = True

  def call(self, image: tf.Tensor) -> list[tf.Tensor]:
    """Computes the activations.

    Args:
      image: [B, S, S, 3] float32 in [-1, 1]; S is a multiple of the
        resolution.

    Returns:
      Two [B, s, s, C] float32 maps; see `Discriminator.activations`.

    Raises:
      ValueError: If the shape does not fit.
    """
    shapes.assert_shape(image, [None, None, None, 3], 'image')
    side = image.shape[1]
    if side is None or side % self._resolution or image.shape[2] != side:
      raise ValueError(
          'image must be square with a side that is a multiple of '
          f'{self._resolution}; got {image.shape}.')
    image = resample.downsample_box(image, side // self._resolution)
    return self.discriminator.activations(image, self._resolution)
