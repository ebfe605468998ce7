"""Stage 4: Eq. (5), the fusion of both codes on D.

  min_{E_a, F} sum_i |z_i^f - z_i|_1 + lambda |D(G(z_i^f)) - x_i^l|_1
  z_i^f = E_l(x_i^l) + F(E_l(x_i^l), E_a(a_i))

As in Eq. (3), the last term compares low-resolution images.
"""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf.data import keys
from earsr_tf.losses import reconstruction
from earsr_tf.ops import latent
from earsr_tf.stages import audio
from earsr_tf.stages import image_terms
from earsr_tf.stages import indicators
from earsr_tf.stages import invert
from earsr_tf.stages import linear_start
from earsr_tf.stages import low_res
from earsr_tf.stages import networks as networks_lib
from earsr_tf.stages import phases
from earsr_tf.stages import stage as stage_lib
from earsr_tf.stages import targets

_MIXED = 4  # people in the preview's mixing matrix


def heard(config: config_lib.Config, networks: stage_lib.Networks,
          waveform: tf.Tensor, without: tf.Tensor | None = None) -> tf.Tensor:
  """z^a [B, L, d] as F gets it: zeros in Table 1 (f); see `VoiceMemory`."""
  z_audio = audio.encode(networks, waveform, config.model.code_norm, without)
  return tf.zeros_like(z_audio) if config.fusion.zero_audio else z_audio


def fuse(config: config_lib.Config, networks: stage_lib.Networks,
         x_low: tf.Tensor, waveform: tf.Tensor,
         is_heard: tf.Tensor | None = None,
         without: tf.Tensor | None = None) -> tf.Tensor:
  """z^f [B, L, d] from image_low [B, 8, 8, 3] and waveform [B, 64000].

  Where `is_heard` [B] bool is given and false, E_a's code counts as zero;
  `without` [B] is whom its memory leaves out.
  """
  norm = config.model.code_norm
  z_low = low_res.encode(networks, x_low, norm)
  z_audio = heard(config, networks, waveform, without)
  if is_heard is not None:
    z_audio = tf.where(
        is_heard[:, tf.newaxis, tf.newaxis], z_audio, tf.zeros_like(z_audio))
  return latent.normalize_code(networks['fusion'](z_low, z_audio), norm)


def _is_heard(config: config_lib.Config, batch: stage_lib.Batch,
              clock: stage_lib.Clock) -> tf.Tensor | None:
  """[B] bool: whose voice F hears in this step; None: everybody's."""
  if not config.fusion.silent_share:
    return None
  return ~audio.drawn(config.fusion.silent_share, batch, clock)


def _terms(config: config_lib.Config) -> stage_lib.TermsFunction:
  target = targets.code(config)

  def terms(networks, batch, clock):
    """The terms of Eq. (5), [B] each."""
    x_high = batch[keys.IMAGE_HIGH]
    x_low = low_res.image_low(config, x_high)
    z = targets.read(config, target, networks, batch)
    z_fused = fuse(config, networks, x_low, batch[keys.WAVEFORM],
                   _is_heard(config, batch, clock),
                   audio.strangers(config.fusion.stranger_share, batch, clock))
    image = image_terms.decode(
        config.fusion, networks, z_fused, clock.resolution)
    return {'code_l1': reconstruction.l1(
        z_fused, z, config.fusion.l1_reduction),
            **image_terms.output_terms(
                image, x_low, x_high, config=config, networks=networks,
                section=config.fusion)}
  return terms


def _start(config: config_lib.Config) -> stage_lib.Start:
  """F's linear path: ridge regression from both codes to z_i."""
  norm = config.model.code_norm

  def start(networks, batches):
    """Fits it to the first images and voices."""
    def samples(batch):
      """Values of both codes, known voices and strange, what E_l's lacks."""
      x_high, z = low_res.with_mirrored(config, networks, batch)
      z_low = low_res.encode(
          networks, low_res.image_low(config, x_high), norm)
      z_audio = tf.tile(
          heard(config, networks, batch[keys.WAVEFORM]), [2, 1, 1])
      if config.fusion.stranger_share:
        strange = heard(config, networks, batch[keys.WAVEFORM],
                        batch[keys.SPEAKER])
        z_audio = tf.concat([z_audio, tf.tile(strange, [2, 1, 1])], 0)
        z, z_low = tf.tile(z, [2, 1, 1]), tf.tile(z_low, [2, 1, 1])
      known = z_low if config.model.fusion_residual else tf.zeros_like(z)
      return networks['fusion'].linear_inputs(z_low, z_audio), z - known
    linear_start.fit_path(networks['fusion'].linear, samples, batches,
                          networks['generator'].base.sizes())
  return start


def mixing_matrix(config: config_lib.Config, networks: stage_lib.Networks,
                  image_high: tf.Tensor, waveform: tf.Tensor) -> tf.Tensor:
  """Fig. 10: every low-resolution image with every voice.

  Args:
    config: Says how codes are scaled.
    networks: Of this stage.
    image_high: [n, S, S, 3] in [-1, 1].
    waveform: [n, 64000], of the same people.

  Returns:
    [n + 1, n + 1, S, S, 3]: on the left x^l_i, above the faces that the
    voices a_j belong to, at (i, j) the image of both; the corner is black.
  """
  n, x_low = image_high.shape[0], low_res.image_low(config, image_high)
  z = fuse(config, networks, tf.repeat(x_low, n, axis=0),
           tf.tile(waveform, [n, 1]))
  mixed = networks['generator'](z)  # [n * n, S, S, 3]
  mixed = tf.reshape(mixed, [n, n, *mixed.shape[1:]])
  left = tf.image.resize(x_low, image_high.shape[1:3], method='nearest')
  top = tf.concat([-tf.ones_like(image_high[:1]), image_high], axis=0)
  return tf.concat(
      [top[tf.newaxis], tf.concat([left[:, tf.newaxis], mixed], axis=1)],
      axis=0)


def _observe(config: config_lib.Config, update: stage_lib.Update
             ) -> stage_lib.Observe:
  """Whether the voice is used: what a wrong one costs, what F adds."""
  gap = indicators.shuffled_gap(update)

  def observe(networks, batch, clock):
    """Scalars by name."""
    x_low = low_res.image_low(config, batch[keys.IMAGE_HIGH])
    added = fuse(config, networks, x_low, batch[keys.WAVEFORM]) - (
        low_res.encode(networks, x_low, config.model.code_norm))
    return {**gap(networks, batch, clock),
            'delta_norm/code': tf.reduce_mean(tf.norm(added, axis=-1))}
  return observe


def _preview(config: config_lib.Config) -> stage_lib.Preview:
  """Fig. 6's strips and Fig. 10's matrix."""
  def images(networks, batch, clock):
    """Pictures [B, S, S, 3] in [-1, 1] by name."""
    del clock
    norm = config.model.code_norm
    x_high, waveform = batch[keys.IMAGE_HIGH], batch[keys.WAVEFORM]
    x_low = low_res.image_low(config, x_high)
    codes = {
        'E_l': low_res.encode(networks, x_low, norm),
        'E_a': audio.encode(networks, waveform, norm),
        'F': fuse(config, networks, x_low, waveform),
        'E_h': invert.encode(networks, x_high, norm)}
    return {
        'low_res': tf.image.resize(x_low, x_high.shape[1:3], method='nearest'),
        **{name: networks['generator'](z) for name, z in codes.items()},
        'truth': x_high,
        'mixing': mixing_matrix(
            config, networks, x_high[:_MIXED], waveform[:_MIXED])}
  return images


def _build(config: config_lib.Config) -> stage_lib.Networks:
  m, precision = config.model, config.training.precision
  return {'fusion': networks_lib.fusion(m, precision),
          'audio_encoder': networks_lib.audio_encoder(m, precision),
          'low_res_encoder': networks_lib.low_res_encoder(m),
          'image_encoder': networks_lib.image_encoder(m),
          'generator': networks_lib.generator(m, precision),
          **image_terms.features(config, config.fusion)}


def stage(config: config_lib.Config) -> stage_lib.Stage:
  """Eq. (5): trains F and E_a; E_h, E_l and G are frozen."""
  target, has_path = targets.code(config), config.model.linear_base > 0
  adam = phases.main_adam(config)
  adam['audio_encoder'] = dataclasses.replace(
      adam['main'], rate_scale=config.fusion.audio_rate_scale)
  update = stage_lib.Update(
      'fusion', ('fusion', 'audio_encoder'), _terms(config),
      {'code_l1': config.fusion.code_weight,
       **image_terms.output_weights(config.fusion)},
      own_optimizers={'audio_encoder': 'audio_encoder'})
  return stage_lib.Stage(
      name='fusion',
      equation='Eq. (5)',
      inputs=(keys.IMAGE_HIGH, keys.WAVEFORM,
              *targets.cached(config, target),
              *((keys.SPEAKER,) if has_path else ())),
      splits=('d_pre', 'd_rest'),
      build=lambda: _build(config),
      restores={'audio_encoder': 'audio/audio_encoder',
                'low_res_encoder': 'low_res/low_res_encoder',
                'image_encoder': 'finetune/image_encoder',
                'generator': 'finetune/generator',
                **image_terms.feature_source(config, config.fusion)},
      updates=(update,),
      phases=phases.make(config, 'fusion'),
      adam=adam,
      outputs=('fusion', 'audio_encoder'),
      preview=_preview(config),
      observe=_observe(config, update),
      decay=config.optimizer.decay,
      start=_start(config) if has_path else None,
      reads=image_terms.reads(config.fusion),
      start_images=config.fusion.start_images if has_path else 0,
      start_batch=linear_start.batch_size(config.fusion.start_images),
      targets=(target,),
      preview_inputs=(keys.IMAGE_HIGH, keys.WAVEFORM, keys.SPEAKER))
