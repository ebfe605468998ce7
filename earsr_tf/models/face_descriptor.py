"""A descriptor of faces, trained on people whom no data set holds.

What VGG-Face is to the paper's judges (section 4.4) and VGG to its losses: a
network that has seen enough people to know what stays when light, camera and
pose change. Two come with the package, made by `tools/pretrain_judge` from
SyntheticVox's people of two worlds of their own: `JUDGE` is read by judges
only, `FEATURES` by the losses of training only.
"""

from __future__ import annotations

import pathlib
from typing import Mapping

import numpy as np
import tensorflow as tf

from earsr_tf.ops import resample
from earsr_tf.ops import shapes

JUDGE, FEATURES = 'judge', 'features'
SIDE = 64
WIDTH = 256
# Width and stride of the 3x3 convolutions.
CONVOLUTIONS = (
    (24, 2), (48, 2), (48, 1), (96, 2), (96, 1), (144, 2), (144, 1))


class FaceDescriptor(tf.keras.Model):
  """3x3 convolutions and one dense layer; batch norms are folded in."""

  def __init__(
      self, *, weights: Mapping[str, np.ndarray],
      name: str = 'face_descriptor'):
    """Takes trained weights.

    Args:
      weights: 'kernel_0' ... [3, 3, i, o] and 'bias_0' ... [o] of
        `CONVOLUTIONS`, 'kernel_dense' [n, 256] and 'bias_dense' [256].
      name: Keras name.
    """
    super().__init__(name=name)
    self._weights = {
        key: tf.constant(value, tf.float32) for key, value in weights.items()}
    self.built = True

  def call(self, image_high: tf.Tensor) -> tf.Tensor:
    """Describes faces.

    Args:
      image_high: [B, S, S, 3] float32 in [-1, 1], S a multiple of 64.

    Returns:
      [B, 256] float32; two faces are alike by the cosine of theirs.
    """
    return self.activations(image_high)[-1]

  def activations(self, image_high: tf.Tensor) -> list[tf.Tensor]:
    """[B, s, s, C] of each convolution, then the code [B, 256]."""
    size = image_high.shape[1]
    shapes.assert_shape(image_high, [None, size, size, 3], 'image_high')
    x, found = image_high, []
    if size != SIDE:
      x = resample.downsample_box(x, size // SIDE)
    for number, (_, stride) in enumerate(CONVOLUTIONS):
      x = tf.nn.conv2d(x, self._weights[f'kernel_{number}'], stride, 'SAME')
      x = tf.nn.relu(x + self._weights[f'bias_{number}'])
      found.append(x)
    x = tf.reshape(x, [-1, int(np.prod(x.shape[1:]))])
    return [*found, tf.linalg.matmul(x, self._weights['kernel_dense'])
            + self._weights['bias_dense']]


def load(name: str) -> FaceDescriptor:
  """A descriptor that comes with this package: `JUDGE` or `FEATURES`."""
  path = pathlib.Path(__file__).with_name(f'face_descriptor_{name}.npz')
  with np.load(path) as weights:
    return FaceDescriptor(weights=dict(weights))
