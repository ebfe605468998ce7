"""First weights by data, set once before training and outside any replica.

Data-dependent initialisation (Salimans & Kingma 2016, section 3): what all
inputs have in common would drown what tells them apart.
"""

from __future__ import annotations

import tensorflow as tf

from earsr_tf.models import audio_encoder
from earsr_tf.models import blocks
from earsr_tf.models import layers


def standardize(
    layer: blocks.ConvBlock | blocks.Dense, outputs: tf.Tensor) -> None:
  """Rescales a layer to outputs of mean 0 and variance 1 in each channel.

  Args:
    layer: A layer with a kernel and a bias; both change.
    outputs: [..., channels], what it answers to a batch before its activation.
  """
  outputs = tf.cast(outputs, tf.float32)
  mean, variance = tf.nn.moments(outputs, list(range(outputs.shape.rank - 1)))
  scale = tf.math.rsqrt(variance + 1e-12)
  layer.kernel.assign(layer.kernel * scale)
  layer.bias.assign((layer.bias - mean) * scale)


def start_audio_encoder(
    encoder: audio_encoder.AudioEncoder, spectrogram: tf.Tensor,
    code: tf.Tensor) -> None:
  """Sets E_a's first weights: every channel varies, the mean code fits.

  Without it E_a spends its first thousands of images on the code that all
  faces share; docs/configuration.md has the figures.

  Args:
    encoder: E_a; its weights change.
    spectrogram: [B, 257, 257, 1] float32 in [-1, 1], at least two.
    code: [B, L, d] float32, their targets; less what the linear path says, if
      there is one.
  """
  x = spectrogram
  for block in encoder.blocks:
    standardize(block, block.linear(x))
    x = block(x)
  x = tf.reshape(x, [x.shape[0], -1])
  standardize(encoder.hidden, encoder.hidden(x))
  x = encoder.head(layers.leaky_relu(encoder.hidden(x)))
  encoder.head.bias.assign_add(
      tf.reduce_mean(tf.reshape(code, x.shape) - x, axis=0))
