"""Keras files laid out as keras-vggface's and deepface's, but narrow."""

from __future__ import annotations

import pathlib

import numpy as np
import tensorflow as tf

_BLOCKS = ((2, 2), (3, 2), (4, 3), (5, 3), (6, 3))  # width, convolutions


def keras_vggface(path: pathlib.Path, has_top: bool = True) -> tf.keras.Model:
  """Writes what rcmalli_vggface_tf_vgg16.h5 is; returns fc7's (or pool5's)."""
  x = image = tf.keras.Input([224, 224, 3])
  for block, (width, count) in enumerate(_BLOCKS, start=1):
    for part in range(1, count + 1):
      x = tf.keras.layers.Conv2D(
          width, 3, activation='relu', padding='same',
          name=f'conv{block}_{part}')(x)
    x = tf.keras.layers.MaxPooling2D(2, 2, name=f'pool{block}')(x)
  out = x
  if has_top:
    x = tf.keras.layers.Flatten(name='flatten')(x)
    for name, width in (('fc6', 8), ('fc7', 7)):
      x = tf.keras.layers.Dense(width, name=name)(x)
      x = out = tf.keras.layers.Activation('relu', name=f'{name}_relu')(x)
    x = tf.keras.layers.Dense(5, name='fc8')(x)
    x = tf.keras.layers.Activation('softmax', name='fc8_softmax')(x)
  return _write(path, tf.keras.Model(image, x), tf.keras.Model(image, out))


def deepface(path: pathlib.Path, outputs: int) -> tf.keras.Model:
  """Writes what age_model_weights.h5 is (101); returns its softmax."""
  x = image = tf.keras.Input([224, 224, 3])
  for width, count in _BLOCKS:
    for _ in range(count):
      x = tf.keras.layers.ZeroPadding2D(1)(x)
      x = tf.keras.layers.Conv2D(width, 3, activation='relu')(x)
    x = tf.keras.layers.MaxPooling2D(2, 2)(x)
  for side, width in ((7, 8), (1, 7)):
    x = tf.keras.layers.Conv2D(width, side, activation='relu')(x)
    x = tf.keras.layers.Dropout(0.5)(x)
  x = tf.keras.layers.Conv2D(outputs, 1, name='predictions')(x)
  x = tf.keras.layers.Flatten()(x)
  x = tf.keras.layers.Activation('softmax')(x)
  model = tf.keras.Model(image, x)
  return _write(path, model, model)


def bgr(image: np.ndarray, *, subtracts_mean: bool) -> np.ndarray:
  """What these networks are fed of [B, S, S, 3] RGB in [-1, 1]."""
  image = tf.image.resize(image, [224, 224]).numpy()[..., ::-1]
  if subtracts_mean:
    return (image + 1.0) * 127.5 - np.array([93.5940, 104.7624, 129.1863])
  return (image + 1.0) / 2.0


def _write(path: pathlib.Path, stored: tf.keras.Model,
           read: tf.keras.Model) -> tf.keras.Model:
  random = np.random.default_rng(len(path.name))
  stored.set_weights([
      (random.normal(size=w.shape) * (2.0 / np.prod(w.shape[:-1])) ** 0.5
       if w.ndim > 1 else random.normal(size=w.shape, scale=0.1))
      for w in stored.get_weights()])
  stored.save_weights(str(path))
  return read
