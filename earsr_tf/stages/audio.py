"""Stage 3b: Eq. (4), the audio encoder on D_pre.

  min_{E_a} sum_i |E_a(a_i) - z_bar_i|_1
  z_bar_i = (E_h(x_i) + E_h(x_hat_i)) / 2,  x_hat_i = x_i mirrored

The average removes the pose, which a voice cannot carry (Fig. 5).
"""

from __future__ import annotations

import itertools

import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf.data import keys
from earsr_tf.losses import reconstruction
from earsr_tf.models import audio_encoder
from earsr_tf.models import first_weights
from earsr_tf.ops import latent
from earsr_tf.ops import spectrogram
from earsr_tf.stages import image_terms
from earsr_tf.stages import indicators
from earsr_tf.stages import invert
from earsr_tf.stages import linear_start
from earsr_tf.stages import networks as networks_lib
from earsr_tf.stages import phases
from earsr_tf.stages import stage as stage_lib
from earsr_tf.stages import targets


def encode(networks: stage_lib.Networks, waveform: tf.Tensor, code_norm: str,
           without: tf.Tensor | None = None) -> tf.Tensor:
  """z^a = E_a(a): waveform [B, 64000] -> code [B, L, d]; see `VoiceMemory`."""
  a = spectrogram.log_spectrogram(waveform)
  return latent.normalize_code(
      networks['audio_encoder'](a, without), code_norm)


def drawn(share: float, batch: stage_lib.Batch, clock: stage_lib.Clock,
          draw: int = 0) -> tf.Tensor:
  """[B] bool: a share of the images of this step, whichever replica asks.

  Args:
    share: 0 to 1.
    batch: With `keys.INDEX`.
    clock: Of the step.
    draw: Another number chooses other images.
  """
  values = tf.random.stateless_uniform(
      [clock.batch_size],
      clock.seed + tf.constant([0, draw], clock.seed.dtype))
  return tf.gather(values < share, batch[keys.INDEX] - clock.images)


def strangers(share: float, batch: stage_lib.Batch, clock: stage_lib.Clock
              ) -> tf.Tensor | None:
  """[B] whom E_a's memory leaves out in this step, -1 nobody; None: nobody.

  A share of the voices is thus heard as a stranger's: D has none, and what is
  learned of voices with their faces at hand is of no use for others.
  """
  if not share:
    return None
  speaker = batch[keys.SPEAKER]
  return tf.where(
      drawn(share, batch, clock, 1), speaker, -tf.ones_like(speaker))


def mirrored_average(networks: stage_lib.Networks, image_high: tf.Tensor,
                     code_norm: str, z: tf.Tensor | None = None) -> tf.Tensor:
  """z_bar [B, L, d]: the mean code of a face and its mirror image.

  Args:
    networks: `image_encoder` is E_h.
    image_high: [B, S, S, 3] in [-1, 1].
    code_norm: Of `model`.
    z: E_h(x), if it is known.

  Returns:
    [B, L, d].
  """
  if z is None:
    z = invert.encode(networks, image_high, code_norm)
  z_hat = invert.encode(networks, image_high[:, :, ::-1], code_norm)
  return latent.normalize_code(0.5 * (z + z_hat), code_norm)


def _target(config: config_lib.Config) -> stage_lib.Target:
  norm = config.model.code_norm
  return targets.of_image_encoder(
      config, keys.CODE_MIRRORED,
      lambda networks, x, z=None: mirrored_average(networks, x, norm, z),
      given=targets.code(config))


def _start(config: config_lib.Config) -> stage_lib.Start | None:
  """Sets E_a's first weights by voices and their targets."""
  if not config.audio.start_images:
    return None
  target = _target(config)

  def start(networks, batches):
    """Scales E_a by the first batch; makes its path or memory of all."""
    encoder, first = networks['audio_encoder'], next(batches)
    a = spectrogram.log_spectrogram(first[keys.WAVEFORM])
    x, z_bar = audio_encoder.linear_inputs(a), targets.read(
        config, target, networks, first)

    def samples(batch):
      """Statistics of a voice, and its face's code."""
      return (audio_encoder.linear_inputs(
          spectrogram.log_spectrogram(batch[keys.WAVEFORM])),
              targets.read(config, target, networks, batch))
    everything = itertools.chain([first], batches)
    if encoder.linear is not None:
      linear_start.fit_path(encoder.linear, samples, everything,
                            networks['generator'].base.sizes())
      z_bar -= encoder.linear(x)
    if encoder.memory is not None:
      linear_start.fit_memory(encoder.memory, samples, everything)
      z_bar -= encoder.memory(x, first[keys.SPEAKER])
    first_weights.start_audio_encoder(encoder, a, z_bar)
  return start


def _terms(config: config_lib.Config) -> stage_lib.TermsFunction:
  target = _target(config)

  def terms(networks, batch, clock):
    """|E_a(a_i) - z_bar_i|_1 of Eq. (4), and optional terms, [B] each."""
    z_bar = targets.read(config, target, networks, batch)
    z_audio = encode(
        networks, batch[keys.WAVEFORM], config.model.code_norm,
        strangers(config.audio.stranger_share, batch, clock))
    found = {'code_l1': reconstruction.l1(
        z_audio, z_bar, config.audio.l1_reduction)}
    if config.audio.feature_weight:
      image = image_terms.decode(
          config.audio, networks, z_audio, clock.resolution)
      found['feature'] = invert.feature_distance(
          config, networks, image,
          invert.shrink(batch[keys.IMAGE_HIGH], clock.resolution))
    return found
  return terms


def _preview(config: config_lib.Config) -> stage_lib.Preview:
  """Fig. 5: the mirrored average looks ahead, whatever the frame does."""
  def images(networks, batch, clock):
    """Pictures [B, S, S, 3] in [-1, 1] by name."""
    del clock
    x, norm = batch[keys.IMAGE_HIGH], config.model.code_norm
    z = invert.encode(networks, x, norm)
    codes = {'E_h': z,
             'mirrored_average': mirrored_average(networks, x, norm, z),
             'E_a': encode(networks, batch[keys.WAVEFORM], norm)}
    return {'truth': x, **{
        name: networks['generator'](z) for name, z in codes.items()}}
  return images


def stage(config: config_lib.Config) -> stage_lib.Stage:
  """Eq. (4): trains E_a; E_h is frozen (G serves the preview)."""
  target, count = _target(config), config.audio.start_images
  weights = {'code_l1': config.audio.code_weight}
  if config.audio.feature_weight:
    weights['feature'] = config.audio.feature_weight
  update = stage_lib.Update(
      'audio', ('audio_encoder',), _terms(config), weights)
  has_image = config.audio.feature_weight > 0 or not targets.cached(
      config, target)
  return stage_lib.Stage(
      name='audio',
      equation='Eq. (4)',
      inputs=(*targets.cached(config, target),
              *((keys.IMAGE_HIGH,) if has_image else ()), keys.WAVEFORM,
              *((keys.SPEAKER,) if config.model.linear_base else ())),
      splits=('d_pre', *(
          ('d_rest',) if config.audio.on_whole_set else ())),
      build=lambda: {
          'audio_encoder': networks_lib.audio_encoder(
              config.model, config.training.precision),
          'image_encoder': networks_lib.image_encoder(config.model),
          'generator': networks_lib.generator(config.model),
          **image_terms.features(config, config.audio)},
      restores={'image_encoder': 'finetune/image_encoder',
                'generator': 'finetune/generator',
                **image_terms.feature_source(config, config.audio)},
      updates=(update,),
      phases=phases.make(config, 'audio'),
      adam=phases.main_adam(config),
      outputs=('audio_encoder',),
      preview=_preview(config),
      observe=indicators.shuffled_gap(update),
      decay=config.optimizer.decay,
      start=_start(config),
      reads=image_terms.reads(config.audio),
      start_images=count,
      start_batch=linear_start.batch_size(count),
      targets=(target,),
      preview_inputs=(keys.IMAGE_HIGH, keys.WAVEFORM, keys.SPEAKER))
