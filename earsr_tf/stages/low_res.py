"""Stage 3a: Eq. (3), the low-resolution encoder on D_pre.

  min_{E_l} sum_i |E_l(x_i^l) - z_i|_1 + lambda |D(G(E_l(x_i^l))) - x_i^l|_1

with z_i = E_h(x_i^h). The paper prints x_i^h in the last term; by dimension
it is x_i^l.
"""

from __future__ import annotations

import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf.data import keys
from earsr_tf.losses import reconstruction
from earsr_tf.models import low_res_encoder
from earsr_tf.ops import latent
from earsr_tf.ops import pixels
from earsr_tf.ops import resample
from earsr_tf.stages import image_terms
from earsr_tf.stages import invert
from earsr_tf.stages import linear_start
from earsr_tf.stages import networks as networks_lib
from earsr_tf.stages import phases
from earsr_tf.stages import stage as stage_lib
from earsr_tf.stages import targets


def image_low(config: config_lib.Config, image_high: tf.Tensor) -> tf.Tensor:
  """x^l = D(x^h), rounded to 8 bit as in serving: [B, 8, 8, 3] in [-1, 1].

  Training, evaluation and the sample pictures have their x^l from here; so
  it is E_l's input and the target of Eqs. (3) and (5), stretched or not.
  """
  factor = image_high.shape[1] // config.model.low_res_size
  if config.model.low_res_stretch:
    image_high = pixels.stretch_contrast(image_high)
  return pixels.quantize(resample.degrade(image_high, factor))


def encode(networks: stage_lib.Networks, x_low: tf.Tensor, code_norm: str
           ) -> tf.Tensor:
  """z^l = E_l(x^l): [B, 8, 8, 3] -> code [B, L, d]."""
  return latent.normalize_code(networks['low_res_encoder'](x_low), code_norm)


def _terms(config: config_lib.Config) -> stage_lib.TermsFunction:
  target = targets.code(config)

  def terms(networks, batch, clock):
    """The terms of Eq. (3), [B] each."""
    x_high = batch[keys.IMAGE_HIGH]
    x_low = image_low(config, x_high)
    z = targets.read(config, target, networks, batch)
    z_low = encode(networks, x_low, config.model.code_norm)
    image = image_terms.decode(
        config.low_res, networks, z_low, clock.resolution)
    return {'code_l1': reconstruction.l1(
        z_low, z, config.low_res.l1_reduction),
            **image_terms.output_terms(
                image, x_low, x_high, config=config, networks=networks,
                section=config.low_res)}
  return terms


def with_mirrored(config: config_lib.Config, networks: stage_lib.Networks,
                  batch: stage_lib.Batch) -> tuple[tf.Tensor, tf.Tensor]:
  """x^h and z of a batch, then of its mirror images: twice the faces.

  Returns:
    [2 B, S, S, 3] and [2 B, L, d].
  """
  x = batch[keys.IMAGE_HIGH]
  z = targets.read(config, targets.code(config), networks, batch)
  x_hat = tf.reverse(x, [2])
  z_hat = invert.encode(networks, x_hat, config.model.code_norm)
  return tf.concat([x, x_hat], axis=0), tf.concat([z, z_hat], axis=0)


def _start(config: config_lib.Config) -> stage_lib.Start:
  """E_l's linear path: ridge regression from the pixels to z_i."""
  def start(networks, batches):
    """Fits it to the first images."""
    def samples(batch):
      """Pixels and code."""
      x_high, z = with_mirrored(config, networks, batch)
      return low_res_encoder.linear_inputs(image_low(config, x_high)), z
    linear_start.fit_path(
        networks['low_res_encoder'].linear, samples, batches,
        networks['generator'].base.sizes())
  return start


def _preview(config: config_lib.Config) -> stage_lib.Preview:
  def images(networks, batch, clock):
    """Pictures [B, S, S, 3] in [-1, 1] by name."""
    del clock
    x_high, norm = batch[keys.IMAGE_HIGH], config.model.code_norm
    x_low = image_low(config, x_high)
    codes = {'E_l': encode(networks, x_low, norm),
             'E_h': invert.encode(networks, x_high, norm)}
    return {
        'low_res': tf.image.resize(x_low, x_high.shape[1:3], method='nearest'),
        **{name: networks['generator'](z) for name, z in codes.items()},
        'truth': x_high}
  return images


def stage(config: config_lib.Config) -> stage_lib.Stage:
  """Eq. (3): trains E_l; E_h and G are frozen."""
  target, has_path = targets.code(config), config.model.linear_base > 0
  return stage_lib.Stage(
      name='low_res',
      equation='Eq. (3)',
      inputs=(keys.IMAGE_HIGH, *targets.cached(config, target),
              *((keys.SPEAKER,) if has_path else ())),
      splits=('d_pre', *(
          ('d_rest',) if config.low_res.on_whole_set else ())),
      build=lambda: {
          'low_res_encoder': networks_lib.low_res_encoder(config.model),
          'image_encoder': networks_lib.image_encoder(config.model),
          'generator': networks_lib.generator(
              config.model, config.training.precision),
          **image_terms.features(config, config.low_res)},
      restores={'image_encoder': 'finetune/image_encoder',
                'generator': 'finetune/generator',
                **image_terms.feature_source(config, config.low_res)},
      updates=(stage_lib.Update(
          'low_res', ('low_res_encoder',), _terms(config),
          {'code_l1': config.low_res.code_weight,
           **image_terms.output_weights(config.low_res)}),),
      phases=phases.make(config, 'low_res'),
      adam=phases.main_adam(config),
      outputs=('low_res_encoder',),
      preview=_preview(config),
      decay=config.optimizer.decay,
      start=_start(config) if has_path else None,
      reads=image_terms.reads(config.low_res),
      start_images=config.low_res.start_images if has_path else 0,
      start_batch=linear_start.batch_size(config.low_res.start_images),
      targets=(target,),
      preview_inputs=(keys.IMAGE_HIGH,))
