"""E_l, the encoder of the 8x8 image (paper, section 3.3; Eq. 3)."""

from __future__ import annotations

import math

import tensorflow as tf

from earsr_tf.models import blocks
from earsr_tf.models import layers
from earsr_tf.models import linear_path
from earsr_tf.ops import shapes

_KERNEL_SIZE = 3
_CONVS_PER_SCALE = 3
_NUM_SCALES = 3


class LowResEncoder(tf.keras.Model):
  """z_plus = E_l(image_low): three scales of three convolutions, then dense.

  The first convolution has a bias, the others an instance norm. The width
  triples with each stride.

  Attributes:
    blocks: The nine `ConvBlock`s, first to last.
    hidden: `Dense` with a leaky ReLU.
    head: `Dense` to num_styles * latent_dim.
    linear: `LinearPath` from the pixels, or None; with it `head` starts at
      zero.
  """

  def __init__(
      self, *, low_res_size: int = 8, filters: int = 128,
      max_filters: int = 1024, hidden: int = 6144, num_styles: int = 12,
      latent_dim: int = 512, norm: str = 'instance',
      initializer: str = 'glorot_uniform', has_linear_path: bool = False,
      name: str = 'low_res_encoder') -> None:
    """Creates the variables.

    Args:
      low_res_size: Side s of the input, a multiple of 4.
      filters: Width of the first convolution.
      max_filters: Largest width.
      hidden: Width of the hidden dense layer.
      num_styles: L of the code.
      latent_dim: d of the code.
      norm: 'instance' (the authors') or 'none': instance norm over the last
        2x2 maps removes most of the image's global brightness.
      initializer: Keras initializer of the convolutions; Glorot uniform is
        the authors'. He normal keeps the scale of narrow nets without norm.
      has_linear_path: Whether a `LinearPath` goes beside the layers.
      name: Keras name.

    Raises:
      ValueError: If `low_res_size` or `norm` is invalid.
    """
    super().__init__(name=name)
    if low_res_size < 4 or low_res_size % 4:
      raise ValueError(
          f'low_res_size must be a multiple of 4; got {low_res_size}.')
    if norm not in ('instance', 'none'):
      raise ValueError(f"norm must be 'instance' or 'none'; got {norm!r}.")
    self._low_res_size = low_res_size
    self._code_shape = [num_styles, latent_dim]
    self.blocks = []
    previous, width = 3, filters
    for scale in range(_NUM_SCALES):
      for part in range(_CONVS_PER_SCALE):
        self.blocks.append(blocks.ConvBlock(
            in_channels=previous, out_channels=width,
            kernel_size=_KERNEL_SIZE,
            stride=2 if scale and not part else 1,
            use_norm=norm == 'instance' and bool(self.blocks),
            initializer=initializer,
            name=f'conv_{scale}_{part}'))
        previous = width
      width = min(3 * width, max_filters)
    self._flat = previous * (low_res_size // 4) ** 2
    self.hidden = blocks.Dense(
        in_features=self._flat, out_features=hidden, name='hidden')
    self.head = blocks.Dense(
        in_features=hidden, out_features=num_styles * latent_dim,
        initializer='zeros' if has_linear_path else 'glorot_uniform',
        name='head')
    self.linear = linear_path.LinearPath(
        in_features=3 * low_res_size ** 2, num_styles=num_styles,
        latent_dim=latent_dim) if has_linear_path else None
    self.built = True

  def call(self, image_low: tf.Tensor) -> tf.Tensor:
    """Encodes low-resolution images.

    Args:
      image_low: [B, s, s, 3] float32 in [-1, 1].

    Returns:
      Code in Z+, [B, L, d] float32.

    Raises:
      ValueError: If the shape does not fit.
    """
    size = self._low_res_size
    shapes.assert_shape(image_low, [None, size, size, 3], 'image_low')
    x = image_low
    for block in self.blocks:
      x = block(x)
    x = layers.leaky_relu(self.hidden(tf.reshape(x, [-1, self._flat])))
    code = tf.reshape(self.head(x), [-1, *self._code_shape])
    if self.linear is None:
      return code
    return code + self.linear(linear_inputs(image_low))


def linear_inputs(image_low: tf.Tensor) -> tf.Tensor:
  """What the linear path reads: [B, s, s, 3] -> [B, s * s * 3]."""
  return tf.reshape(
      image_low, [-1, math.prod(image_low.shape[1:])])
