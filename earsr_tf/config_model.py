"""Sizes of all networks: section `model` of the configuration."""

from __future__ import annotations

import dataclasses
import math


@dataclasses.dataclass(frozen=True)
class ModelConfig:
  """Sizes of all networks (paper supplement; authors' networks.py).

  Attributes:
    image_size: Side of `image_high` in pixels, a power of two.
    low_res_size: Side of `image_low` in pixels.
    latent_dim: Width of z and w.
    mapping_layers: Dense layers of the mapping network.
    mapping_lr_multiplier: Learning-rate multiplier of the mapping network.
    fmap_base: Feature maps at resolution r are fmap_base * 2 / r, ...
    fmap_max: ... at most this many.
    noise_gain: Scale of the synthesis noise inputs (1 is StyleGAN v1).
    rgb_output: 'fade' (StyleGAN v1: the last ToRGB alone, cross-faded while
      growing) or 'skip' (sum of upsampled ToRGBs, zero-initialised).
    stddev_group: Group size of the mini-batch standard deviation.
    image_encoder_filters: First width of E_h; doubles at each stride.
    image_encoder_max_filters: Largest width of E_h.
    low_res_filters: First width of E_l; triples at each stride.
    low_res_max_filters: Largest width of E_l.
    low_res_hidden: Width of E_l's hidden dense layer.
    low_res_norm: Norm of E_l: 'instance' (the authors') or 'none'.
    encoder_init: Keras initializer of E_h, E_l and E_a's convolutions.
    audio_filters: First width of E_a; doubles at each second stride.
    audio_max_filters: Largest width of E_a.
    audio_hidden: Width of E_a's hidden dense layer.
    fusion_hidden: Width of F's hidden layers.
    fusion_layers: Dense layers of F; 1 is F_1 of Table 1 (e).
    fusion_init: Keras initializer of F's last layer.
    fusion_residual: Whether F's output is added to E_l's code (Eq. 5).
    low_res_stretch: Whether every image's contrast is stretched to [0, 255]
      before it is reduced, as the authors' library call does.
    code_norm: 'none' (the authors') or 'unit': each code row is scaled to
      length sqrt(latent_dim), which the mapping's pixel norm ignores anyway.
    classifier_filters: First width of the attribute classifiers.
    classifier_side: Side to which they reduce an image first, and have no norm;
      0: none, and instance norm.
    consistency: Correction of G's picture of E_l's and F's codes towards
      `image_low`, in training and as what evaluation and export do unless
      told otherwise: 'off' (the paper), 'exact' or a number of
      back-projection steps; see `ops/consistency`.
    linear_base: Side of the picture that is linear in the code, on which G
      adds what is not; 0 (the paper): G has none. See docs/configuration.md.
    linear_leading: Values of a code that all its rows share, if `linear_base`.
    voice_memory: People whose voices and faces E_a remembers, in place of a
      linear path; 0 (the paper): none. See docs/configuration.md.
  """
  image_size: int = 128
  low_res_size: int = 8
  latent_dim: int = 512
  mapping_layers: int = 8
  mapping_lr_multiplier: float = 0.01
  fmap_base: int = 8192
  fmap_max: int = 512
  noise_gain: float = 1.0
  rgb_output: str = 'fade'
  stddev_group: int = 4
  image_encoder_filters: int = 64
  image_encoder_max_filters: int = 1024
  low_res_filters: int = 128
  low_res_max_filters: int = 1024
  low_res_hidden: int = 6144
  low_res_norm: str = 'instance'
  encoder_init: str = 'glorot_uniform'
  audio_filters: int = 64
  audio_max_filters: int = 2048
  audio_hidden: int = 8192
  fusion_hidden: int = 6144
  fusion_layers: int = 3
  fusion_init: str = 'glorot_uniform'
  fusion_residual: bool = True
  low_res_stretch: bool = False
  code_norm: str = 'none'
  classifier_filters: int = 32
  classifier_side: int = 0
  consistency: str = 'off'
  linear_base: int = 0
  linear_leading: int = 0
  voice_memory: int = 0

  @property
  def num_styles(self) -> int:
    """Style inputs of the synthesis network: 12 at 128x128."""
    return 2 * int(math.log2(self.image_size)) - 2

  @property
  def num_values(self) -> int:
    """Values of a code that differ: its rows share the leading ones."""
    return self.linear_leading + self.num_styles * (
        self.latent_dim - self.linear_leading)
