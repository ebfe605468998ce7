"""StyleGAN v1's synthesis network w -> image (Karras et al. 2018, section 2).

Two style layers per resolution from 4x4 up.
"""

from __future__ import annotations

import math

import tensorflow as tf

from earsr_tf.models import layers
from earsr_tf.models import styled_layer
from earsr_tf.ops import resample
from earsr_tf.ops import shapes

# From this side on StyleGAN upsamples with its fused, mirrored kernel.
FUSED_SIDE = 128
# ToRGB layers of 'skip' start at zero above this side.
_FIRST_TRAINED_SIDE = 8
_LOWEST_SIDE = 4


def feature_maps(side: int, fmap_base: int, fmap_max: int) -> int:
  """Channels at a resolution: min(fmap_base * 2 / side, fmap_max).

  Args:
    side: Resolution, a power of two.
    fmap_base: 8192 in StyleGAN.
    fmap_max: 512 in StyleGAN.

  Returns:
    Channels; at least 1.
  """
  return max(min(2 * fmap_base // side, fmap_max), 1)


def sides(image_size: int) -> list[int]:
  """Resolutions of a network: 4, 8, ... image_size.

  Args:
    image_size: A power of two, at least 4.

  Returns:
    The sides in ascending order.

  Raises:
    ValueError: If `image_size` is not a power of two or below 4.
  """
  exponent = int(math.log2(image_size)) if image_size > 0 else 0
  if image_size < _LOWEST_SIDE or 2 ** exponent != image_size:
    raise ValueError(
        f'The image size must be a power of two >= 4; got {image_size}.')
  return [2 ** e for e in range(2, exponent + 1)]


def check_resolution(resolution: int | None, image_size: int) -> int:
  """Resolves an optional resolution.

  Args:
    resolution: A side, or None for `image_size`.
    image_size: Largest side of the network.

  Returns:
    The side.

  Raises:
    ValueError: If the network has no such side.
  """
  if resolution is None:
    return image_size
  if resolution not in sides(image_size):
    raise ValueError(
        f'resolution must be one of {sides(image_size)}; got {resolution}.')
  return resolution


class Synthesis(tf.keras.Model):
  """image = g(w_1 ... w_L, noise).

  Attributes:
    image_size: Side of the largest image.
    num_styles: L = 2 log2(image_size) - 2.
    constant: [1, 4, 4, C], the learned input, starts at one; at random
      beside a base: instance norm makes nothing of a constant map.
    styled_layers: The L `StyledLayer`s, two per resolution.
    to_rgbs: One 1x1 `EqualizedConv2D` per resolution.
    base_ins: Side -> 1x1 `EqualizedConv2D`: the base as features there.
  """

  def __init__(
      self, *, image_size: int, latent_dim: int, fmap_base: int = 8192,
      fmap_max: int = 512, noise_gain: float = 1.0,
      rgb_output: str = 'fade', base_side: int = 0,
      product_dtype: str | None = None, name: str = 'synthesis') -> None:
    """Creates the variables.

    Args:
      image_size: Side of the largest image, a power of two.
      latent_dim: d of w.
      fmap_base: See `feature_maps`.
      fmap_max: See `feature_maps`.
      noise_gain: Scale of the noise inputs; 1 in StyleGAN.
      rgb_output: 'fade': StyleGAN v1, the ToRGB of the current resolution,
        cross-faded with the previous one's while growing. 'skip': the sum of
        all ToRGBs, upsampled; those above 8x8 start at zero.
      base_side: Side of the picture that `call` is given, on which the rest
        is added (see `models/linear_base`), all ToRGBs starting at zero; 0:
        there is none.
      product_dtype: Type of the convolutions; None: of the variables, as all
        else is.
      name: Keras name.

    Raises:
      ValueError: If `image_size`, `rgb_output` or `base_side` is invalid.
    """
    super().__init__(name=name)
    _check_output(rgb_output, base_side, image_size)
    self.image_size = image_size
    self.num_styles = 2 * len(sides(image_size))
    self._latent_dim = latent_dim
    self._rgb_output = rgb_output
    self._base_side = base_side
    widths = [feature_maps(s, fmap_base, fmap_max) for s in sides(image_size)]
    self.constant = self.add_weight(
        name='constant', shape=[1, _LOWEST_SIDE, _LOWEST_SIDE, widths[0]],
        initializer=(tf.keras.initializers.RandomNormal(stddev=1.0)
                     if base_side else 'ones'))
    self.styled_layers = []
    self.to_rgbs, previous = [], None
    for side, width in zip(sides(image_size), widths):
      for part, in_channels in enumerate((previous, width)):
        self.styled_layers.append(styled_layer.StyledLayer(
            in_channels=in_channels, out_channels=width,
            latent_dim=latent_dim, noise_gain=noise_gain,
            resample_mode=_resample_mode(side, part),
            product_dtype=product_dtype, name=f'styled_{side}_{part}'))
      self.to_rgbs.append(layers.EqualizedConv2D(
          in_channels=width, out_channels=3, kernel_size=1, gain=1.0,
          product_dtype=product_dtype, is_zero_initialized=(
              rgb_output == 'skip' and (
                  base_side > 0 or side > _FIRST_TRAINED_SIDE)),
          name=f'to_rgb_{side}'))
      previous = width
    self.base_ins = {  # Keras tracks dictionaries with string keys only.
        str(side): layers.EqualizedConv2D(
            in_channels=3, gain=1.0, kernel_size=1, use_bias=False,
            out_channels=width, product_dtype=product_dtype,
            name=f'base_in_{side}')
        for side, width in zip(sides(image_size), widths)
        if _LOWEST_SIDE < side <= base_side}
    self.built = True

  def call(
      self, w_plus: tf.Tensor, *, base: tf.Tensor | None = None,
      resolution: int | None = None, alpha: tf.Tensor | float = 1.0,
      noise_seed: tf.Tensor | None = None,
      noise_rows: tuple[tf.Tensor, int] | None = None) -> tf.Tensor:
    """Renders images.

    Args:
      w_plus: [B, L, d] float32; lower resolutions use the first styles.
      base: [B, base_side, base_side, 3] float32, if there is one.
      resolution: Side r of the images; None means `image_size`.
      alpha: [] in [0, 1], how far resolution r has faded in.
      noise_seed: [2] int32; None renders without noise, as the authors do
        outside of the generator's training.
      noise_rows: See `NoiseInjection.call`.

    Returns:
      [B, r, r, 3] float32, nominally in [-1, 1], not clipped.

    Raises:
      ValueError: If a shape or the resolution does not fit.
    """
    shapes.assert_shape(
        w_plus, [None, self.num_styles, self._latent_dim], 'w_plus')
    resolution = check_resolution(resolution, self.image_size)
    x = tf.tile(self.constant, [tf.shape(w_plus)[0], 1, 1, 1])
    styles, maps = tf.unstack(w_plus, axis=1), []  # L x [B, d]
    for index, layer in enumerate(
        self.styled_layers[:2 * len(sides(resolution))]):
      seed = None if noise_seed is None else (
          tf.random.experimental.stateless_fold_in(noise_seed, index))
      x = layer(x, w=styles[index], seed=seed, rows=noise_rows)
      if index % 2:
        if str(x.shape[1]) in self.base_ins:
          x += tf.cast(self.base_ins[str(x.shape[1])](
              self._reduced(base, x.shape[1])), x.dtype)
        maps.append(x)
    if self._rgb_output == 'skip':
      return self._sum_rgb(maps, alpha, base)
    return self._fade_rgb(maps, alpha)

  def _reduced(self, base: tf.Tensor, side: int) -> tf.Tensor:
    return resample.downsample_box(base, self._base_side // side)

  def _to_rgb(self, maps: list[tf.Tensor], index: int) -> tf.Tensor:
    return tf.cast(self.to_rgbs[index](maps[index]), self.dtype)

  def _sum_rgb(
      self, maps: list[tf.Tensor], alpha: tf.Tensor | float,
      base: tf.Tensor | None) -> tf.Tensor:
    base_side = min(self._base_side, maps[-1].shape[1])
    rgb = None
    for index in range(len(maps)):
      rgb, old = self._to_rgb(maps, index), rgb
      side = rgb.shape[1]
      if 0 < index == len(maps) - 1 and not _is_one(alpha):
        rgb *= alpha
      # Smooth, or the blocks of every coarser image would show in the sum.
      if index and self._base_side:
        rgb += resample.resize_bicubic(old, side, side)
      elif index:
        rgb += tf.image.resize(old, [side, side], 'bilinear')
      if base_side == side:
        rgb += self._reduced(base, side)
    return rgb

  def _fade_rgb(
      self, maps: list[tf.Tensor], alpha: tf.Tensor | float) -> tf.Tensor:
    rgb = self._to_rgb(maps, len(maps) - 1)
    if len(maps) == 1 or _is_one(alpha):
      return rgb
    old = resample.upsample_nearest(self._to_rgb(maps, len(maps) - 2))
    return old + (rgb - old) * alpha


def _check_output(rgb_output: str, base_side: int, image_size: int) -> None:
  if rgb_output not in ('fade', 'skip'):
    raise ValueError(
        f"rgb_output must be 'fade' or 'skip'; got {rgb_output!r}.")
  if base_side and (
      rgb_output != 'skip' or base_side not in sides(image_size)):
    raise ValueError(
        f"base_side={base_side}: needs rgb_output='skip' and one of "
        f'{sides(image_size)}.')


def _resample_mode(side: int, part: int) -> str:
  """How the first (0) or second (1) convolution of a resolution samples."""
  if part or side == _LOWEST_SIDE:
    return 'none'
  return 'up_fused' if side >= FUSED_SIDE else 'up'


def _is_one(alpha: tf.Tensor | float) -> bool:
  return not tf.is_tensor(alpha) and alpha == 1.0
