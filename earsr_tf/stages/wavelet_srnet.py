"""Comparator: Wavelet-SRNet (Huang et al. 2017; authors' main.py).

  min .99 L(details) + .01 L(means) + .1 L(image) + L_texture(details)

with L half the sum of squared errors of an image; details and means are the
coefficients of a Haar packet at the input's resolution. Images are in [0, 1].
"""

from __future__ import annotations

from typing import Callable

import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf.data import keys
from earsr_tf.losses import regularizers
from earsr_tf.losses import wavelet
from earsr_tf.ops import haar
from earsr_tf.ops import resample
from earsr_tf.stages import low_res
from earsr_tf.stages import networks as networks_lib
from earsr_tf.stages import phases
from earsr_tf.stages import stage as stage_lib

_COLOURS = 3


def _to_unit(image: tf.Tensor) -> tf.Tensor:
  """[-1, 1] to [0, 1], which the method counts in."""
  return 0.5 * image + 0.5


def super_resolve(network: tf.keras.Model, x_low: tf.Tensor) -> tf.Tensor:
  """The image of the predicted coefficients.

  Args:
    network: Wavelet-SRNet.
    x_low: [B, s, s, 3] in [-1, 1].

  Returns:
    [B, S, S, 3], about [-1, 1], not clipped.
  """
  return 2.0 * network.image(network(_to_unit(x_low))) - 1.0


def _terms(config: config_lib.Config) -> stage_lib.TermsFunction:
  ratio = config.wavelet_srnet.texture_ratio

  def terms(networks, batch, clock):
    """Errors of details, means and image, and texture, [B] each."""
    del clock
    network = networks['wavelet_srnet']
    x_high = _to_unit(batch[keys.IMAGE_HIGH])
    x_low = low_res.image_low(config, batch[keys.IMAGE_HIGH])
    target = haar.decompose(x_high, network.num_levels)
    predicted, _ = network.in_training(_to_unit(x_low))
    mean, details = (predicted[..., :_COLOURS], predicted[..., _COLOURS:])
    decay = regularizers.weight_decay(network.trainable_variables)
    return {
        'detail': wavelet.half_squared_error(details, target[..., _COLOURS:]),
        'mean': wavelet.half_squared_error(mean, target[..., :_COLOURS]),
        'image': wavelet.half_squared_error(
            network.image(predicted), x_high),
        'texture': wavelet.texture(details, target[..., _COLOURS:], ratio),
        'weight_decay': tf.broadcast_to(decay, tf.shape(x_high)[:1])}
  return terms


def _moves(config: config_lib.Config
           ) -> Callable[..., list[tuple[tf.Variable, tf.Tensor]]]:
  def moves(networks, batch, clock):
    """The moving averages of all norms."""
    del clock
    x_low = low_res.image_low(config, batch[keys.IMAGE_HIGH])
    return networks['wavelet_srnet'].in_training(_to_unit(x_low))[1]
  return moves


def _preview(config: config_lib.Config) -> stage_lib.Preview:
  def images(networks, batch, clock):
    """Pictures [B, S, S, 3] in [-1, 1] by name."""
    del clock
    x_high = batch[keys.IMAGE_HIGH]
    x_low = low_res.image_low(config, x_high)
    side = x_high.shape[1]
    return {
        'low_res': tf.image.resize(x_low, [side, side], method='nearest'),
        'bicubic': resample.resize_bicubic(x_low, side, side),
        'now': super_resolve(networks['wavelet_srnet'], x_low),
        'truth': x_high}
  return images


def stage(config: config_lib.Config) -> stage_lib.Stage:
  """Wavelet-SRNet from the 8x8 image."""
  own = config.wavelet_srnet
  return stage_lib.Stage(
      name='wavelet_srnet',
      equation='Huang et al. 2017',
      inputs=(keys.IMAGE_HIGH,),
      splits=('d_pre', 'd_rest'),
      build=lambda: {'wavelet_srnet': networks_lib.wavelet_srnet(config)},
      restores={},
      updates=(stage_lib.Update(
          'wavelet_srnet', ('wavelet_srnet',), _terms(config),
          {'detail': own.detail_weight, 'mean': own.mean_weight,
           'image': own.image_weight, 'texture': own.texture_weight,
           'weight_decay': own.weight_decay},
          moves=_moves(config)),),
      phases=phases.make(config, 'wavelet_srnet'),
      adam=phases.main_adam(config),
      outputs=('wavelet_srnet',),
      preview=_preview(config),
      decay=config.optimizer.decay,
      mirror=True,
      normalizes_batch=True)
