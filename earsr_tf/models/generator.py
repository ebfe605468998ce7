"""The StyleGAN v1 generator G: mapping and synthesis (paper, section 3.2).

With `model.linear_base`, which is ours, on a picture linear in the code.
"""

from __future__ import annotations

import tensorflow as tf

from earsr_tf.models import linear_base
from earsr_tf.models import mapping
from earsr_tf.models import synthesis
from earsr_tf.ops import shapes


class Generator(tf.keras.Model):
  """x = G(z_1 ... z_L): each z_j is mapped alone and feeds style layer j.

  Attributes:
    mapping: `Mapping`.
    synthesis: `Synthesis`.
    base: `LinearBase`, or None.
    leading: Values that the rows of a code share, if there is a base.
    w_avg: [d] running mean of w, not trainable; a training step moves it.
    image_size: Side of the largest image.
    num_styles: L.
    latent_dim: d.
  """

  def __init__(
      self, *, image_size: int = 128, latent_dim: int = 512,
      mapping_layers: int = 8, mapping_lr_multiplier: float = 0.01,
      fmap_base: int = 8192, fmap_max: int = 512, noise_gain: float = 1.0,
      rgb_output: str = 'fade', base_side: int = 0, leading: int = 0,
      product_dtype: str | None = None, name: str = 'generator') -> None:
    """Creates the variables.

    Args:
      image_size: Side of the largest image, a power of two.
      latent_dim: d of z and w.
      mapping_layers: See `Mapping`.
      mapping_lr_multiplier: See `Mapping`.
      fmap_base: See `Synthesis`.
      fmap_max: See `Synthesis`.
      noise_gain: See `Synthesis`.
      rgb_output: See `Synthesis`.
      base_side: Side of the linear base; 0: none.
      leading: Values that the rows of a code share, if there is a base.
      product_dtype: See `Synthesis`; not of the mapping network.
      name: Keras name.
    """
    super().__init__(name=name)
    self.mapping = mapping.Mapping(
        latent_dim=latent_dim, num_layers=mapping_layers,
        lr_multiplier=mapping_lr_multiplier)
    self.synthesis = synthesis.Synthesis(
        image_size=image_size, latent_dim=latent_dim, fmap_base=fmap_base,
        fmap_max=fmap_max, noise_gain=noise_gain, rgb_output=rgb_output,
        base_side=base_side, product_dtype=product_dtype)
    self.w_avg = self.add_weight(
        name='w_avg', shape=[latent_dim], initializer='zeros',
        trainable=False)
    self.image_size = image_size
    self.num_styles = self.synthesis.num_styles
    self.latent_dim = latent_dim
    self.leading = leading
    self.base = linear_base.LinearBase(
        side=base_side, num_styles=self.num_styles, latent_dim=latent_dim,
        leading=leading) if base_side else None
    self.built = True

  def styles(self, z_plus: tf.Tensor) -> tf.Tensor:
    """Maps every z_j to w_j.

    Args:
      z_plus: [B, L, d] float32.

    Returns:
      w_plus, [B, L, d] float32.

    Raises:
      ValueError: If the shape does not fit.
    """
    shape = [None, self.num_styles, self.latent_dim]
    shapes.assert_shape(z_plus, shape, 'z_plus')
    rows = tf.reshape(z_plus, [-1, self.latent_dim])  # [B * L, d]
    return tf.reshape(self.mapping(rows), [-1, *shape[1:]])

  def base_picture(self, z_plus: tf.Tensor) -> tf.Tensor | None:
    """The linear base of codes [B, L, d]: [B, s, s, 3], or None."""
    return None if self.base is None else self.base(z_plus)

  def call(
      self, z_plus: tf.Tensor, *, resolution: int | None = None,
      alpha: tf.Tensor | float = 1.0,
      noise_seed: tf.Tensor | None = None) -> tf.Tensor:
    """Renders images from Z+.

    Args:
      z_plus: [B, L, d] float32; row j feeds style layer j.
      resolution: Side r of the images; None means `image_size`.
      alpha: [] in [0, 1], how far resolution r has faded in.
      noise_seed: [2] int32, or None to render without noise.

    Returns:
      [B, r, r, 3] float32, nominally in [-1, 1].

    Raises:
      ValueError: If a shape or the resolution does not fit.
    """
    return self.synthesis(
        self.styles(z_plus), base=self.base_picture(z_plus),
        resolution=resolution, alpha=alpha, noise_seed=noise_seed)
