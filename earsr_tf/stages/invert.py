"""Stage 1: Eq. (1), a reference encoder that inverts the generator.

  min_{E_h} sum_i |G(E_h(x_i)) - x_i|_1 + lambda_f l_feat(G(E_h(x_i)), x_i)

G is frozen and runs without noise inputs, as at inference.
"""

from __future__ import annotations

from typing import Iterator

import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf.data import keys
from earsr_tf.losses import detail
from earsr_tf.losses import perceptual
from earsr_tf.losses import reconstruction
from earsr_tf.ops import latent
from earsr_tf.ops import resample
from earsr_tf.stages import networks as networks_lib
from earsr_tf.stages import phases
from earsr_tf.stages import stage as stage_lib


def encode(networks: stage_lib.Networks, image_high: tf.Tensor,
           code_norm: str) -> tf.Tensor:
  """z = E_h(x): [B, S, S, 3] in [-1, 1] -> code [B, L, d]."""
  return latent.normalize_code(
      networks['image_encoder'](image_high), code_norm)


def shrink(image_high: tf.Tensor, resolution: int) -> tf.Tensor:
  """x at the phase's resolution, by the generator's box pyramid."""
  while image_high.shape[1] > resolution:
    image_high = resample.downsample_box(image_high)
  return image_high


def feature_distance(config: config_lib.Config, networks: stage_lib.Networks,
                     image_a: tf.Tensor, image_b: tf.Tensor) -> tf.Tensor:
  """l_feat of Eqs. (1) and (2), [B], of images of one shape."""
  phi = networks['features']
  return perceptual.feature_distance(
      phi(image_a), phi(image_b), config.invert.feature_distance,
      config.invert.feature_reduction)


def autoencoding_terms(config: config_lib.Config, has_detail: bool = False
                       ) -> stage_lib.TermsFunction:
  """L_pre-train of Eq. (1): `l1` and `feature`; `detail` if wanted."""
  invert = config.invert

  def terms(networks, batch, clock):
    """L1 and feature distance of x and G(E_h(x)), [B] each."""
    x = batch[keys.IMAGE_HIGH]
    z = encode(networks, x, config.model.code_norm)
    x_hat = networks['generator'](z, resolution=clock.resolution)
    x = shrink(x, clock.resolution)
    found = {'l1': reconstruction.l1(x_hat, x, invert.l1_reduction),
             'feature': feature_distance(config, networks, x_hat, x)}
    if has_detail:
      found['detail'] = detail.detail_distance(x_hat, x)
    return found
  return terms


def preview(config: config_lib.Config, name: str) -> stage_lib.Preview:
  """Faces and their inversions, side by side (Fig. 4).

  Args:
    config: Its `model` says how codes are scaled.
    name: Of the inversions.
  """
  def images(networks, batch, clock):
    """Pictures [B, S, S, 3] in [-1, 1] by name."""
    x = batch[keys.IMAGE_HIGH]
    z = encode(networks, x, config.model.code_norm)
    return {'truth': x, name: networks['generator'](
        z, resolution=clock.resolution)}
  return images


def build(config: config_lib.Config) -> stage_lib.Networks:
  """E_h, G and the perceptual features."""
  m, precision = config.model, config.training.precision
  return {'image_encoder': networks_lib.image_encoder(m, precision),
          'generator': networks_lib.generator(m, precision),
          **networks_lib.perceptual_features(config)}


def feature_source(config: config_lib.Config) -> dict[str, str]:
  """Where D's weights come from, if D provides the features."""
  if config.invert.features == 'discriminator':
    return {'discriminator': 'generator/discriminator'}
  return {}


def _start(networks: stage_lib.Networks,
           batches: Iterator[stage_lib.Batch]) -> None:
  """E_h's linear path undoes G's linear base: its codes are values."""
  del batches
  networks['image_encoder'].linear.fill(
      *networks['generator'].base.encoder())


def stage(config: config_lib.Config) -> stage_lib.Stage:
  """Eq. (1): trains E_h; G and phi are frozen."""
  invert = config.invert
  return stage_lib.Stage(
      name='invert',
      equation='Eq. (1)',
      inputs=(keys.IMAGE_HIGH,),
      splits=('d_pre', 'd_rest'),
      build=lambda: build(config),
      restores={'generator': 'generator/generator_ema',
                **feature_source(config)},
      updates=(stage_lib.Update(
          'invert', ('image_encoder',), autoencoding_terms(config),
          {'l1': invert.l1_weight, 'feature': invert.feature_weight}),),
      phases=phases.make(config, 'invert'),
      adam=phases.main_adam(config),
      outputs=('image_encoder',),
      preview=preview(config, 'fixed_G'),
      mirror=invert.mirror_augment,
      decay=config.optimizer.decay,
      start=_start if config.model.linear_base else None)
