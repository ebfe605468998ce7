"""Stage 2: Eq. (2), encoder and generator tuned together.

  min_{E_h, G} L_pre-train + lambda_t |G_init - G|_2^2

lambda_t starts at `finetune.lambda_t` and is halved as soon as the overall
loss stops improving (section 3.2).
"""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf.data import keys
from earsr_tf.losses import regularizers
from earsr_tf.stages import indicators
from earsr_tf.stages import invert
from earsr_tf.stages import networks as networks_lib
from earsr_tf.stages import phases
from earsr_tf.stages import stage as stage_lib


def _terms(config: config_lib.Config) -> stage_lib.TermsFunction:
  autoencoding = invert.autoencoding_terms(
      config, has_detail=config.finetune.detail_weight > 0)

  def terms(networks, batch, clock):
    """L_pre-train and |G_init - G|^2 of Eq. (2), [B] each."""
    pretrain = autoencoding(networks, batch, clock)
    distance = regularizers.weight_distance(
        networks['generator'].trainable_variables,
        networks['generator_init'].trainable_variables,
        config.finetune.anchor_reduction)
    return {**pretrain,
            'weight_distance': tf.broadcast_to(
                distance, tf.shape(pretrain['l1']))}
  return terms


def _weights(tune: config_lib.FinetuneConfig
             ) -> dict[str, float | stage_lib.HalveOnPlateau]:
  weights = {
      'l1': tune.l1_weight, 'feature': tune.feature_weight,
      'weight_distance': stage_lib.HalveOnPlateau(
          tune.lambda_t, tune.plateau_images, tune.plateau_tolerance,
          tune.plateau_smoothing, 'lambda_t', '|G - G_init|^2')}
  if tune.detail_weight:
    weights['detail'] = tune.detail_weight
  return weights


def _observe(networks: stage_lib.Networks, batch: stage_lib.Batch,
             clock: stage_lib.Clock) -> dict[str, tf.Tensor]:
  del batch, clock
  return indicators.delta_norms(
      networks['generator'], networks['generator_init'])


def _build(config: config_lib.Config) -> stage_lib.Networks:
  networks = {**invert.build(config),
              'generator_init': networks_lib.generator(config.model)}
  if not config.finetune.tunes_mapping:
    for name in ('generator', 'generator_init'):
      networks[name].mapping.trainable = False
  return networks


def stage(config: config_lib.Config) -> stage_lib.Stage:
  """Eq. (2): trains E_h and G; phi and G_init are frozen."""
  tune = config.finetune
  adam = phases.main_adam(config)
  adam['generator'] = dataclasses.replace(
      adam['main'], rate_scale=tune.generator_rate_scale)
  return stage_lib.Stage(
      name='finetune',
      equation='Eq. (2)',
      inputs=(keys.IMAGE_HIGH,),
      splits=('d_pre', 'd_rest'),
      build=lambda: _build(config),
      restores={'image_encoder': 'invert/image_encoder',
                'generator': 'generator/generator_ema',
                'generator_init': 'generator/generator_ema',
                **invert.feature_source(config)},
      updates=(stage_lib.Update(
          'finetune', ('image_encoder', 'generator'), _terms(config),
          _weights(tune),
          own_optimizers={'generator': 'generator'}),),
      phases=phases.make(config, 'finetune'),
      adam=adam,
      outputs=('image_encoder', 'generator'),
      preview=invert.preview(config, 'now'),
      first_previews={'now': 'fixed_G'},
      observe=_observe,
      mirror=config.invert.mirror_augment,
      decay=config.optimizer.decay,
      reads=('invert',))
