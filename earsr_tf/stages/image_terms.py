"""What Eqs. (3) to (5) may compare besides codes: pictures, phi's features.

Beyond the small image of Eqs. (3) and (5) these are terms of the small presets,
with the weight 0 in the paper's.
"""

from __future__ import annotations

import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf.losses import detail
from earsr_tf.losses import reconstruction
from earsr_tf.ops import consistency
from earsr_tf.ops import consistency_mode
from earsr_tf.ops import resample
from earsr_tf.stages import invert
from earsr_tf.stages import networks as networks_lib
from earsr_tf.stages import stage as stage_lib

_Section = (
    config_lib.LowResConfig | config_lib.AudioConfig | config_lib.FusionConfig)


def decode(section: _Section, networks: stage_lib.Networks, z: tf.Tensor,
           resolution: int) -> tf.Tensor:
  """G(z) [B, r, r, 3], or G's linear base if `through_base` and r is its."""
  generator = networks['generator']
  base = generator.base if section.through_base else None
  if base is not None and resolution == base.side:
    return generator.base_picture(z)
  return generator(z, resolution=resolution)


def _corrected(config: config_lib.Config, image: tf.Tensor, x_low: tf.Tensor
              ) -> tf.Tensor:
  """G(z) after `model.consistency`, [B, r, r, 3] as given if that is off."""
  mode = config.model.consistency
  if mode == consistency_mode.OFF:
    return image
  return consistency.correct(
      tf.clip_by_value(image, -1.0, 1.0), x_low, mode)


def output_terms(image: tf.Tensor, x_low: tf.Tensor, x_high: tf.Tensor, *,
                 config: config_lib.Config, networks: stage_lib.Networks,
                 section: _Section) -> dict[str, tf.Tensor]:
  """Terms of Eqs. (3) and (5) on a face G(z), [B] each.

  Those whose weight is 0, as all but the first have in the paper, are left out.

  Args:
    image: G(z), [B, r, r, 3].
    x_low: x^l, [B, s, s, 3].
    x_high: x^h, [B, S, S, 3].
    config: Says whether G(z) is corrected.
    networks: Of the stage, with `features` if they are compared.
    section: Weights and reduction.

  Returns:
    'low_res_l1', |D(G(z)) - x^l|_1; 'image_l1', |G(z) - x^h|_1; 'detail' and
    'feature'. All but the first are of what is served: of G(z) after the
    correction, if any.
  """
  x_low_hat = resample.degrade(image, image.shape[1] // x_low.shape[1])
  x_high = invert.shrink(x_high, image.shape[1])
  served = _corrected(config, image, x_low)
  terms = {'low_res_l1': reconstruction.l1(
      x_low_hat, x_low, section.l1_reduction)}
  if section.image_weight:
    terms['image_l1'] = reconstruction.l1(
        served, x_high, section.l1_reduction)
  if section.detail_weight:
    terms['detail'] = detail.detail_distance(served, x_high)
  if section.feature_weight:
    terms['feature'] = invert.feature_distance(
        config, networks, served, x_high)
  return terms


def output_weights(section: _Section) -> dict[str, float]:
  """The weights of `output_terms`."""
  weights = {'low_res_l1': section.low_res_weight}
  if section.image_weight:
    weights['image_l1'] = section.image_weight
  if section.detail_weight:
    weights['detail'] = section.detail_weight
  if section.feature_weight:
    weights['feature'] = section.feature_weight
  return weights


def features(config: config_lib.Config, section: _Section
             ) -> stage_lib.Networks:
  """phi, if the stage compares features."""
  if not section.feature_weight:
    return {}
  return networks_lib.perceptual_features(config)


def feature_source(config: config_lib.Config, section: _Section
                   ) -> dict[str, str]:
  """Where the weights of `features` come from."""
  return invert.feature_source(config) if section.feature_weight else {}


def reads(section: _Section) -> tuple[str, ...]:
  """Sections besides its own that such a stage depends on: phi's."""
  return ('invert',) if section.feature_weight else ()
