"""StyleGAN v1's discriminator (Karras et al. 2018; 2017, appendix A)."""

from __future__ import annotations

import tensorflow as tf

from earsr_tf.models import layers
from earsr_tf.models import minibatch_stddev
from earsr_tf.models import synthesis
from earsr_tf.ops import resample
from earsr_tf.ops import shapes

# The authors' perceptual taps: outputs of the blocks of these sides.
_TAP_SIDE = 64
_NUM_TAPS = 2


class DiscriminatorBlock(tf.keras.layers.Layer):
  """Convolution, then blur and strided convolution; halves the side.

  Attributes:
    conv: 3x3 `EqualizedConv2D`.
    conv_down: 3x3 `EqualizedConv2D` that downsamples.
  """

  def __init__(
      self, *, in_channels: int, out_channels: int,
      product_dtype: str | None = None, name: str | None = None) -> None:
    """Creates the variables.

    Args:
      in_channels: Width of the input.
      out_channels: Width of the output.
      product_dtype: Type of convolutions, blur and result; None: of the
        variables.
      name: Keras name.
    """
    super().__init__(name=name, autocast=False)
    self.conv = layers.EqualizedConv2D(
        in_channels=in_channels, out_channels=in_channels, kernel_size=3,
        product_dtype=product_dtype, name='conv')
    self.conv_down = layers.EqualizedConv2D(
        in_channels=in_channels, out_channels=out_channels, kernel_size=3,
        resample='down', product_dtype=product_dtype, name='conv_down')
    self.built = True

  def call(self, x: tf.Tensor) -> tf.Tensor:
    """Applies the block: [B, s, s, Cin] -> [B, s / 2, s / 2, Cout]."""
    x = layers.leaky_relu(self.conv(x))
    return layers.leaky_relu(self.conv_down(resample.blur(x)))


class Discriminator(tf.keras.Model):
  """Maps images to logits of being real.

  Attributes:
    image_size: Side of the largest image.
    from_rgbs: {side: 1x1 `EqualizedConv2D`}.
    blocks: {side: `DiscriminatorBlock`} for sides above 4.
    head_conv: Convolution after the mini-batch statistics at 4x4.
    head_dense: First dense layer.
    head_logit: Last dense layer.
  """

  def __init__(
      self, *, image_size: int = 128, fmap_base: int = 8192,
      fmap_max: int = 512, stddev_group: int = 4,
      product_dtype: str | None = None, name: str = 'discriminator') -> None:
    """Creates the variables.

    Args:
      image_size: Side of the largest image, a power of two.
      fmap_base: See `synthesis.feature_maps`.
      fmap_max: See `synthesis.feature_maps`.
      stddev_group: See `MinibatchStddev`.
      product_dtype: Type of convolutions, of what lies between them and of
        matrix products; None: of the variables, as mini-batch statistics and
        outputs are.
      name: Keras name.

    Raises:
      ValueError: If `image_size` is not a power of two >= 4.
    """
    super().__init__(name=name)
    self.image_size = image_size
    all_sides = synthesis.sides(image_size)
    widths = {s: synthesis.feature_maps(s, fmap_base, fmap_max)
              for s in [all_sides[0] // 2, *all_sides]}
    self.from_rgbs = {}
    self.blocks = {}
    for side in all_sides:
      # Keras tracks dictionaries with string keys only.
      self.from_rgbs[str(side)] = layers.EqualizedConv2D(
          in_channels=3, out_channels=widths[side], kernel_size=1,
          product_dtype=product_dtype, name=f'from_rgb_{side}')
      if side > all_sides[0]:
        self.blocks[str(side)] = DiscriminatorBlock(
            in_channels=widths[side], out_channels=widths[side // 2],
            product_dtype=product_dtype, name=f'block_{side}')
    self._stddev = minibatch_stddev.MinibatchStddev(
        group_size=stddev_group, name='minibatch_stddev')
    head = widths[all_sides[0]]
    out = widths[all_sides[0] // 2]
    self.head_conv = layers.EqualizedConv2D(
        in_channels=head + 1, out_channels=head, kernel_size=3,
        product_dtype=product_dtype, name='head_conv')
    self.head_dense = layers.EqualizedDense(
        in_features=head * all_sides[0] ** 2, out_features=out,
        product_dtype=product_dtype, name='head_dense')
    self.head_logit = layers.EqualizedDense(
        in_features=out, out_features=1, gain=1.0,
        product_dtype=product_dtype, name='head_logit')
    self.built = True

  def call(
      self, image: tf.Tensor, *, resolution: int | None = None,
      alpha: tf.Tensor | float = 1.0) -> tf.Tensor:
    """Scores images.

    Args:
      image: [B, r, r, 3] float32 in [-1, 1].
      resolution: r; None means `image_size`.
      alpha: [] in [0, 1], how far resolution r has faded in.

    Returns:
      Logits, [B, 1] float32; positive means real.

    Raises:
      ValueError: If the shape or resolution does not fit, or the batch is no
        multiple of the mini-batch-deviation group.
    """
    resolution = self._check(image, resolution)
    is_fading = tf.is_tensor(alpha) or alpha != 1.0
    x = self._from_rgb(image, resolution)
    for side in reversed(synthesis.sides(resolution)[1:]):
      x = self.blocks[str(side)](x)
      if side == resolution and is_fading:
        old = self._from_rgb(resample.downsample_box(image), side // 2)
        x = old + (x - old) * tf.cast(alpha, x.dtype)
    x = self._stddev(tf.cast(x, self.dtype))
    x = layers.leaky_relu(self.head_conv(x))
    x = tf.reshape(x, [-1, x.shape[1] * x.shape[2] * x.shape[3]])
    return self.head_logit(layers.leaky_relu(self.head_dense(x)))

  def activations(
      self, image: tf.Tensor, resolution: int | None = None
  ) -> list[tf.Tensor]:
    """Feature maps for a perceptual loss (the authors' modified D_basic).

    Args:
      image: [B, r, r, 3] float32 in [-1, 1].
      resolution: r, at least 16; None means `image_size`.

    Returns:
      Outputs of the blocks of sides 64 and 32, [B, 32, 32, C] and
      [B, 16, 16, C'], or of the first two blocks below resolution 64.

    Raises:
      ValueError: If the shape or resolution does not fit.
    """
    resolution = self._check(image, resolution)
    taps = [s for s in reversed(synthesis.sides(resolution)[1:])
            if s <= _TAP_SIDE][:_NUM_TAPS]
    if len(taps) < _NUM_TAPS:
      raise ValueError(
          'Discriminator features need a resolution of at least 16; got '
          f'{resolution}.')
    maps = []
    x = self._from_rgb(image, resolution)
    for side in reversed(synthesis.sides(resolution)[1:]):
      x = self.blocks[str(side)](x)
      if side in taps:
        maps.append(tf.cast(x, self.dtype))
      if side == taps[-1]:
        break
    return maps

  def _from_rgb(self, image: tf.Tensor, side: int) -> tf.Tensor:
    return layers.leaky_relu(self.from_rgbs[str(side)](image))

  def _check(self, image: tf.Tensor, resolution: int | None) -> int:
    resolution = synthesis.check_resolution(resolution, self.image_size)
    shapes.assert_shape(image, [None, resolution, resolution, 3], 'image')
    return resolution
