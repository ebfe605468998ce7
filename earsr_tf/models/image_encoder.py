"""E_h, the reference encoder that inverts G (paper, section 3.2; Eq. 1)."""

from __future__ import annotations

import math

import tensorflow as tf

from earsr_tf.models import blocks
from earsr_tf.models import linear_base
from earsr_tf.models import linear_path
from earsr_tf.ops import shapes

_KERNEL_SIZE = 4
_LAST_SIDE = 4


class ImageEncoder(tf.keras.Model):
  """z_plus = E_h(image_high): 4x4 convolutions down to 4x4, then dense.

  The first convolution has a bias, the others an instance norm. The width
  doubles with each stride.

  Attributes:
    blocks: The `ConvBlock`s, first to last.
    head: `Dense` to num_styles * latent_dim.
    linear: `LinearPath` from the pixels of a linear base, or None; with it
      `head` starts at zero.
  """

  def __init__(
      self, *, image_size: int = 128, filters: int = 64,
      max_filters: int = 1024, num_styles: int = 12, latent_dim: int = 512,
      initializer: str = 'glorot_uniform', base_side: int = 0,
      product_dtype: str | None = None,
      name: str = 'image_encoder') -> None:
    """Creates the variables.

    Args:
      image_size: Side S of the input, a power of two >= 8.
      filters: Width of the first convolution.
      max_filters: Largest width.
      num_styles: L of the code.
      latent_dim: d of the code.
      initializer: Keras initializer of the convolutions; Glorot uniform is
        the authors'. He normal keeps the scale of narrow nets without norm.
      base_side: Side of the generator's linear base; 0: none.
      product_dtype: Type of convolutions and matrix products; None: of the
        variables, as norms and the code are.
      name: Keras name.

    Raises:
      ValueError: If `image_size` is not a power of two >= 8.
    """
    super().__init__(name=name)
    num_strides = int(math.log2(max(image_size, 1))) - 2
    if num_strides < 1 or _LAST_SIDE * 2 ** num_strides != image_size:
      raise ValueError(
          f'image_size must be a power of two >= 8; got {image_size}.')
    self._image_size = image_size
    self._code_shape = [num_styles, latent_dim]
    self.blocks = [blocks.ConvBlock(
        in_channels=3, out_channels=filters, kernel_size=_KERNEL_SIZE,
        stride=1, use_norm=False, initializer=initializer,
        product_dtype=product_dtype, name='conv_0')]
    width = filters
    for scale in range(num_strides):
      previous, width = width, min(2 * width, max_filters)
      for stride, in_channels in ((2, previous), (1, width)):
        self.blocks.append(blocks.ConvBlock(
            in_channels=in_channels, out_channels=width,
            kernel_size=_KERNEL_SIZE, stride=stride,
            use_norm=True, initializer=initializer,
            product_dtype=product_dtype,
            name=f'conv_{scale + 1}_{2 - stride}'))
    self._flat = width * _LAST_SIDE ** 2
    self.head = blocks.Dense(
        in_features=self._flat, out_features=num_styles * latent_dim,
        initializer='zeros' if base_side else 'glorot_uniform',
        product_dtype=product_dtype, name='head')
    self._base_side = base_side
    self.linear = linear_path.LinearPath(
        in_features=3 * base_side ** 2, num_styles=num_styles,
        latent_dim=latent_dim) if base_side else None
    self.built = True

  def call(self, image_high: tf.Tensor) -> tf.Tensor:
    """Encodes images.

    Args:
      image_high: [B, S, S, 3] float32 in [-1, 1].

    Returns:
      Code in Z+, [B, L, d] float32.

    Raises:
      ValueError: If the shape does not fit.
    """
    shapes.assert_shape(
        image_high, [None, self._image_size, self._image_size, 3],
        'image_high')
    x = image_high
    for block in self.blocks:
      x = block(x)
    x = self.head(tf.reshape(x, [-1, self._flat]))
    code = tf.reshape(x, [-1, *self._code_shape])
    if self.linear is None:
      return code
    return code + self.linear(linear_base.pixels(image_high, self._base_side))
