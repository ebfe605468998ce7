"""Wavelet-SRNet, a comparator (Huang et al. 2017; authors' networks.py)."""

from __future__ import annotations

import math
from typing import Callable

import tensorflow as tf

from earsr_tf.models import batch_norm
from earsr_tf.ops import haar
from earsr_tf.ops import shapes

_COLOURS = 3
_STAGES = 5  # of the embedding, each but the first twice as wide
_BLOCKS = 2  # of a stage
_Norm = Callable[[batch_norm.BatchNorm, tf.Tensor], tf.Tensor]


class WaveletSRNet(tf.keras.Model):
  """Coefficients of a Haar packet at the input's resolution.

  A residual embedding, then a head for the means and one for the details of
  each level, coarse to fine; heads are convolved in groups, one a coefficient.

  Attributes:
    first: 3x3 convolution and norm.
    embedding: Residual blocks.
    heads: The `_Head`s.
  """

  def __init__(self, *, low_res_size: int, factor: int, filters: int = 64,
               head_filters: int = 32, name: str = 'wavelet_srnet') -> None:
    """Creates the variables.

    Args:
      low_res_size: Side s of the input.
      factor: Of the sides, a power of two >= 2.
      filters: First width of the embedding; the last is 16 times as wide.
      head_filters: First width of a coefficient in its head.
      name: Keras name.

    Raises:
      ValueError: If `factor` is not a power of two >= 2.
    """
    super().__init__(name=name)
    num_levels = shapes.doublings(factor)
    self._low_res_size = low_res_size
    self.num_levels = num_levels
    self.first = _Convolution(
        in_channels=_COLOURS, out_channels=filters, name='first')
    self.embedding, width = [], filters
    for stage in range(_STAGES):
      previous, width = width, filters * 2 ** stage
      for block in range(_BLOCKS):
        self.embedding.append(_Block(
            in_channels=width if block else previous, out_channels=width,
            name=f'block_{stage}_{block}'))
    self.heads = [
        _Head(in_channels=width, filters=head_filters,
              groups=3 * 4 ** (level - 1) if level else 1, name=f'head_{level}')
        for level in range(self.num_levels + 1)]
    self.built = True

  def call(self, image_low: tf.Tensor) -> tf.Tensor:
    """Predicts coefficients, normalised by moving averages.

    Args:
      image_low: [B, s, s, 3] float32 in [0, 1].

    Returns:
      [B, s, s, 3 * factor^2] float32, of `ops.haar.decompose` of an image in
      [0, 1].

    Raises:
      ValueError: If the shape does not fit.
    """
    return self._predict(image_low, lambda norm, x: norm(x))

  def in_training(self, image_low: tf.Tensor
                  ) -> tuple[tf.Tensor, batch_norm.Moves]:
    """As `call`, but normalised by the batch.

    Returns:
      The coefficients, and what the moving averages are to become.
    """
    moves: batch_norm.Moves = []

    def normalize(norm: batch_norm.BatchNorm, x: tf.Tensor) -> tf.Tensor:
      """By the batch; collects what moves."""
      x, moved = norm.by_batch(x)
      moves.extend(moved)
      return x
    return self._predict(image_low, normalize), moves

  def image(self, coefficients: tf.Tensor) -> tf.Tensor:
    """The image [B, f s, f s, 3] in about [0, 1] of coefficients."""
    return haar.recompose(coefficients, self.num_levels)

  def _predict(self, image_low: tf.Tensor, norm: _Norm) -> tf.Tensor:
    side = self._low_res_size
    shapes.assert_shape(image_low, [None, side, side, _COLOURS], 'image_low')
    x = tf.nn.relu(self.first.normalized(image_low, norm))
    for block in self.embedding:
      x = block.apply(x, norm)
    return tf.concat([head.apply(x, norm) for head in self.heads], axis=-1)


class _Convolution(tf.keras.layers.Layer):
  """Convolution in groups, with a norm of its own or with a bias.

  Attributes:
    kernel: [k, k, in / groups, out]; N(0, 2 / (k^2 out)).
    norm: Batch norm, or None.
    bias: [out], or None where there is a norm.
  """

  def __init__(
      self, *, in_channels: int, out_channels: int, kernel_size: int = 3,
      groups: int = 1, has_norm: bool = True, has_bias: bool = False,
      name: str) -> None:
    super().__init__(name=name, autocast=False)
    self.kernel = self.add_weight(
        name='kernel', shape=[
            kernel_size, kernel_size, in_channels // groups, out_channels],
        initializer=tf.keras.initializers.RandomNormal(
            stddev=math.sqrt(2.0 / (kernel_size ** 2 * out_channels))))
    self.norm = batch_norm.BatchNorm(
        channels=out_channels, name='norm') if has_norm else None
    self.bias = self.add_weight(
        name='bias', shape=[out_channels], initializer='zeros'
    ) if has_bias else None
    self.built = True

  def call(self, x: tf.Tensor) -> tf.Tensor:
    """[B, s, s, in] -> [B, s, s, out], without the norm."""
    x = tf.nn.conv2d(x, self.kernel, 1, 'SAME')
    return x if self.bias is None else tf.nn.bias_add(x, self.bias)

  def normalized(self, x: tf.Tensor, norm: _Norm,
                 skip: tf.Tensor | float = 0.0) -> tf.Tensor:
    """The convolution plus `skip`, normalised."""
    return norm(self.norm, self(x) + skip)


class _Block(tf.keras.layers.Layer):
  """Residual block: the sum is normalised, as in the authors' code."""

  def __init__(self, *, in_channels: int, out_channels: int,
               groups: tuple[int, int] = (1, 1), expands: bool = False,
               name: str) -> None:
    """`groups` of both convolutions; `expands`: 1x1 also at equal widths."""
    super().__init__(name=name, autocast=False)
    self.expand = _Convolution(
        in_channels=in_channels, out_channels=out_channels, kernel_size=1,
        has_norm=False, name='expand'
    ) if expands or in_channels != out_channels else None
    self.conv_1 = _Convolution(
        in_channels=in_channels, out_channels=out_channels, groups=groups[0],
        name='conv_1')
    self.conv_2 = _Convolution(
        in_channels=out_channels, out_channels=out_channels, groups=groups[1],
        name='conv_2')
    self.built = True

  def apply(self, x: tf.Tensor, norm: _Norm) -> tf.Tensor:
    """[B, s, s, in] -> [B, s, s, out]."""
    skip = x if self.expand is None else self.expand(x)
    x = tf.nn.relu(self.conv_1.normalized(x, norm))
    return tf.nn.relu(self.conv_2.normalized(x, norm, skip))


class _Head(tf.keras.layers.Layer):
  """Coefficients of one level: `groups` of them in three colours."""

  def __init__(self, *, in_channels: int, filters: int, groups: int,
               name: str) -> None:
    super().__init__(name=name, autocast=False)
    width = filters * groups
    self.interim = _Block(
        in_channels=in_channels, out_channels=width, groups=(1, groups),
        expands=True, name='interim')
    self.block = _Block(
        in_channels=width, out_channels=2 * width, groups=(groups, groups),
        name='block')
    self.predict = _Convolution(
        in_channels=2 * width, out_channels=_COLOURS * groups, groups=groups,
        has_norm=False, has_bias=True, name='predict')
    self.built = True

  def apply(self, x: tf.Tensor, norm: _Norm) -> tf.Tensor:
    """[B, s, s, in] -> [B, s, s, 3 * groups]."""
    x = self.interim.apply(x, norm)
    return self.predict(self.block.apply(x, norm))
