"""Comparator: LapSRN from the 8x8 image (Lai et al. 2017, section 3.2).

  min sum_levels sum_pixels sqrt((y_level - y_hat_level)^2 + 1e-6)

on the luma; chroma is enlarged by bicubic interpolation. The targets of the
lower levels are the face, reduced. Faces are mirrored at random; they are not
cut, turned or scaled as the authors' natural images are.
"""

from __future__ import annotations

import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf.data import keys
from earsr_tf.losses import charbonnier
from earsr_tf.losses import regularizers
from earsr_tf.ops import pixels
from earsr_tf.ops import resample
from earsr_tf.ops import shapes
from earsr_tf.ops import ycbcr
from earsr_tf.stages import low_res
from earsr_tf.stages import networks as networks_lib
from earsr_tf.stages import phases
from earsr_tf.stages import stage as stage_lib


def image_low(config: config_lib.Config, name: str, image_high: tf.Tensor
              ) -> tf.Tensor:
  """What comparator `name` sees: 8x8 as E_l does, or 32x32, 8-bit values."""
  factor = networks_lib.comparator_factor(config.model, name)
  if image_high.shape[1] // factor == config.model.low_res_size:
    return low_res.image_low(config, image_high)
  return pixels.quantize(resample.degrade(image_high, factor))


def super_resolve(network: tf.keras.Model, x_low: tf.Tensor) -> tf.Tensor:
  """The enlarged luma, and chroma by bicubic interpolation.

  Args:
    network: LapSRN.
    x_low: [B, s, s, 3] in [-1, 1].

  Returns:
    [B, S, S, 3], about [-1, 1], not clipped.
  """
  low = ycbcr.from_rgb(x_low)
  luma = network(low[..., :1])[-1]
  chroma = resample.resize_bicubic(low[..., 1:], *luma.shape[1:3])
  return ycbcr.to_rgb(tf.concat([luma, chroma], axis=-1))


def _terms(config: config_lib.Config, name: str) -> stage_lib.TermsFunction:
  def terms(networks, batch, clock):
    """The penalty of each level, and the weights', [B] each."""
    del clock
    x_high = batch[keys.IMAGE_HIGH]
    network = networks['lapsrn']
    x_low = image_low(config, name, x_high)
    found = {}
    for luma in network(ycbcr.from_rgb(x_low)[..., :1]):
      side = luma.shape[1]
      target = x_high if side == x_high.shape[1] else resample.degrade(
          x_high, x_high.shape[1] // side)
      found[f'charbonnier_{side}'] = charbonnier.charbonnier(
          luma, ycbcr.from_rgb(target)[..., :1])
    found['weight_decay'] = tf.broadcast_to(
        regularizers.weight_decay(network.decayed()), tf.shape(x_low)[:1])
    return found
  return terms


def _preview(config: config_lib.Config, name: str) -> stage_lib.Preview:
  def images(networks, batch, clock):
    """Pictures [B, S, S, 3] in [-1, 1] by name."""
    del clock
    x_high = batch[keys.IMAGE_HIGH]
    x_low = image_low(config, name, x_high)
    side = x_high.shape[1]
    return {
        'low_res': tf.image.resize(x_low, [side, side], method='nearest'),
        'bicubic': resample.resize_bicubic(x_low, side, side),
        'now': super_resolve(networks['lapsrn'], x_low), 'truth': x_high}
  return images


def stage(config: config_lib.Config, name: str = 'lapsrn') -> stage_lib.Stage:
  """LapSRN, stage `lapsrn` from the 8x8 image or `lapsrn_x4` from 32x32."""
  own, size = getattr(config, name), config.model.image_size
  factor = networks_lib.comparator_factor(config.model, name)
  sides = [size // 2 ** i for i in range(shapes.doublings(factor))]
  adam = phases.main_adam(config)
  if own.solver == 'sgd':
    adam = {'main': stage_lib.SgdConfig(momentum=own.momentum)}
  return stage_lib.Stage(
      name=name,
      equation='Lai et al. 2017, section 3.2',
      inputs=(keys.IMAGE_HIGH,),
      splits=('d_pre', 'd_rest'),
      build=lambda: {'lapsrn': networks_lib.lapsrn(config, name)},
      restores={},
      updates=(stage_lib.Update(
          name, ('lapsrn',), _terms(config, name),
          {**{f'charbonnier_{side}': 1.0 for side in sides},
           'weight_decay': own.weight_decay}),),
      phases=phases.make(config, name),
      adam=adam,
      outputs=('lapsrn',),
      preview=_preview(config, name),
      decay=config.optimizer.decay,
      mirror=True)
