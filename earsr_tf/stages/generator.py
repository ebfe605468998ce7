"""Stage 0: the StyleGAN generator (paper, sections 3.1 and 4.2).

  min_D  softplus(D(G(z))) + softplus(-D(x)) + gamma / 2 |grad_x D(x)|^2
  min_G  softplus(-D(G(z)))

with progressive growing, style mixing and an exponential average of G's
weights (Karras et al. 2018).
"""

from __future__ import annotations

import math
from typing import Callable, Iterator, Mapping

import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf.data import keys
from earsr_tf.losses import adversarial
from earsr_tf.losses import regularizers
from earsr_tf.ops import latent
from earsr_tf.ops import resample
from earsr_tf.stages import linear_start
from earsr_tf.stages import networks as networks_lib
from earsr_tf.stages import phases
from earsr_tf.stages import stage as stage_lib

_PREVIEW_SEED = (17, 2018)
_PREVIEW_GRID = (4, 4)
_OBSERVED = ('scores/real', 'scores/fake', 'signs/real', 'signs/fake')


def _key(clock: stage_lib.Clock, salt: int) -> tf.Tensor:
  """A key for one kind of draw; equal on all replicas."""
  return tf.random.experimental.stateless_fold_in(clock.seed, salt)


def _local_rows(batch: stage_lib.Batch, clock: stage_lib.Clock) -> tf.Tensor:
  """Positions [B] of this replica's images within the global batch."""
  return tf.cast(batch[keys.INDEX] - clock.images, tf.int32)


def _draw_z(batch: stage_lib.Batch, clock: stage_lib.Clock, dim: int,
            salt: int) -> tf.Tensor:
  """z ~ N(0, I), [B, d]: a row is a function of the global image index."""
  z = tf.random.stateless_normal([clock.batch_size, dim], _key(clock, salt))
  return tf.gather(z, _local_rows(batch, clock))


def _mixed_w(generator: tf.keras.Model, batch: stage_lib.Batch,
             clock: stage_lib.Clock, probability: float, salt: int
             ) -> tf.Tensor:
  """w_plus [B, L, d] with style mixing: one cut-off per minibatch."""
  dim = generator.latent_dim
  w1 = generator.mapping(_draw_z(batch, clock, dim, salt))
  w2 = generator.mapping(_draw_z(batch, clock, dim, salt + 1))
  num_active = 2 * int(math.log2(clock.resolution)) - 2
  cutoff = latent.sample_cutoff(
      _key(clock, salt + 2), num_active, probability)
  num_styles = generator.num_styles
  return latent.mix_styles(
      latent.broadcast_styles(w1, num_styles),
      latent.broadcast_styles(w2, num_styles), cutoff)


def _arranged_z(generator: tf.keras.Model, batch: stage_lib.Batch,
                clock: stage_lib.Clock, salt: int) -> tf.Tensor:
  """z_plus [B, L, d] as codes are: values ~ N(0, I), some in every row."""
  leading, num_styles = generator.leading, generator.num_styles
  values = _draw_z(
      batch, clock,
      leading + num_styles * (generator.latent_dim - leading), salt)
  return latent.arrange(values, num_styles, leading)


def _fake(networks: stage_lib.Networks, batch: stage_lib.Batch,
          clock: stage_lib.Clock, probability: float, salt: int
          ) -> tf.Tensor:
  """G(z) with noise inputs, [B, r, r, 3].

  Styles are mixed unless there is a linear base: its rows are one code.
  """
  generator, base = networks['generator'], None
  if generator.base is None:
    w_plus = _mixed_w(generator, batch, clock, probability, salt)
  else:
    z_plus = _arranged_z(generator, batch, clock, salt)
    w_plus, base = generator.styles(z_plus), generator.base_picture(z_plus)
  return generator.synthesis(
      w_plus, base=base, resolution=clock.resolution, alpha=clock.alpha,
      noise_seed=_key(clock, salt + 4),
      noise_rows=(_local_rows(batch, clock), clock.batch_size))


def real_image(image_high: tf.Tensor, clock: stage_lib.Clock) -> tf.Tensor:
  """Real images at the current resolution, faded like the generator's.

  The box pyramid of StyleGAN: while a resolution fades in, its images are
  mixed with their own half-resolution version.
  """
  image = image_high
  while image.shape[1] > clock.resolution:
    image = resample.downsample_box(image)  # [B, r, r, 3]
  if clock.resolution == 4:
    return image
  coarse = resample.upsample_nearest(resample.downsample_box(image))
  return coarse + (image - coarse) * clock.alpha


def _score(networks: stage_lib.Networks, clock: stage_lib.Clock
           ) -> Callable[[tf.Tensor], tf.Tensor]:
  """D at the current resolution: [B, r, r, 3] -> [B, 1]."""
  return lambda image: networks['discriminator'](
      image, resolution=clock.resolution, alpha=clock.alpha)


def _observed(scores: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
  """D(.) and its sign, [B] each, of every kind of images.

  The mean sign of real images nears 1 as D learns them by heart (Karras et
  al. 2020, section 3: r_t); that of held-out ones does not follow it.
  """
  return {
      **{f'scores/{kind}': score[:, 0] for kind, score in scores.items()},
      **{f'signs/{kind}': tf.sign(score[:, 0])
         for kind, score in scores.items()}}


def _observe(stddev_group: int) -> stage_lib.Observe:
  """Mean score and sign of the images that D is not trained on."""
  def observe(networks, batch, clock):
    """Scalars by name."""
    real = real_image(batch[keys.IMAGE_HIGH], clock)
    # D takes whole groups; all previews may be fewer than one.
    count = real.shape[0] - real.shape[0] % min(stddev_group, real.shape[0])
    score = _score(networks, clock)(real[:count])
    return {name: tf.reduce_mean(value)
            for name, value in _observed({'held_out': score}).items()}
  return observe


def _discriminator_updates(config: config_lib.GeneratorConfig
                           ) -> list[stage_lib.Update]:
  """D's logistic loss and R1; two updates where R1 is lazy."""
  def logistic(networks, batch, clock):
    """D's logistic loss, [B], and its scores."""
    score = _score(networks, clock)
    real = real_image(batch[keys.IMAGE_HIGH], clock)
    fake = _fake(networks, batch, clock, config.style_mixing_probability, 10)
    scores = {'real': score(real), 'fake': score(fake)}
    return {'logistic': adversarial.logistic_discriminator(
        scores['real'], scores['fake']), **_observed(scores)}

  def r1(networks, batch, clock):
    """R1 on real images, [B]."""
    real = real_image(batch[keys.IMAGE_HIGH], clock)
    return {'r1': regularizers.r1_penalty(_score(networks, clock), real)}

  def both(networks, batch, clock):
    """The logistic loss and R1 in one update."""
    return {**logistic(networks, batch, clock), **r1(networks, batch, clock)}

  trains, moves = ('discriminator',), _move_w_avg(config, 10)
  if config.r1_interval == 1:
    return [stage_lib.Update(
        'discriminator', trains, both,
        {'logistic': 1.0, 'r1': config.r1_gamma}, optimizer='discriminator',
        observed=_OBSERVED, moves=moves)]
  return [
      stage_lib.Update('discriminator', trains, logistic, {'logistic': 1.0},
                       optimizer='discriminator', observed=_OBSERVED,
                       moves=moves),
      stage_lib.Update('regularizer', trains, r1, {'r1': config.r1_gamma},
                       interval=config.r1_interval,
                       optimizer='discriminator')]


def _move_w_avg(config: config_lib.GeneratorConfig, salt: int
                ) -> Callable[..., list[tuple[tf.Variable, tf.Tensor]]]:
  """StyleGAN moves w_avg whenever G runs in training: for D and for G."""
  def move(networks, batch, clock):
    """w_avg and its next value, [d]."""
    generator = networks['generator']
    z = _draw_z(batch, clock, generator.latent_dim, salt)
    w = tf.reduce_mean(generator.mapping(z), axis=0)
    beta = config.w_avg_beta
    return [(generator.w_avg, beta * generator.w_avg + (1 - beta) * w)]
  return move


def _generator_update(config: config_lib.GeneratorConfig
                      ) -> stage_lib.Update:
  """G's logistic loss; moves w_avg along."""
  def logistic(networks, batch, clock):
    """G's logistic loss, [B]."""
    fake = _fake(networks, batch, clock, config.style_mixing_probability, 20)
    return {'logistic': adversarial.logistic_generator(
        _score(networks, clock)(fake))}

  return stage_lib.Update(
      'generator', ('generator',), logistic, {'logistic': 1.0},
      optimizer='generator', moves=_move_w_avg(config, 20))


def _preview_z(generator: tf.keras.Model) -> tf.Tensor:
  """Fixed z_plus [16, L, d], one z for all rows unless there is a base."""
  count, num_styles = math.prod(_PREVIEW_GRID), generator.num_styles
  if generator.base is None:
    z = tf.random.stateless_normal(
        [count, generator.latent_dim], _PREVIEW_SEED)
    return latent.broadcast_styles(z, num_styles)
  return latent.arrange(
      tf.random.stateless_normal(
          [count, generator.base.basis.shape[0]], _PREVIEW_SEED),
      num_styles, generator.leading)


def _start(networks: stage_lib.Networks,
           batches: Iterator[stage_lib.Batch]) -> None:
  """Gives G and its average the linear base of the faces."""
  linear_start.fit_base(networks['generator'].base, batches)
  networks['generator_ema'].base.copy(networks['generator'].base)


def _preview(networks: stage_lib.Networks, batch: stage_lib.Batch,
             clock: stage_lib.Clock) -> dict[str, tf.Tensor]:
  """The same z by G as it is and by its average, a picture each."""
  del batch
  side = clock.resolution
  z_plus = _preview_z(networks['generator'])
  return {
      name: tf.reshape(
          networks[name](z_plus, resolution=side, alpha=clock.alpha),
          [*_PREVIEW_GRID, side, side, 3])
      for name in ('generator', 'generator_ema')}


def stage(config: config_lib.Config) -> stage_lib.Stage:
  """StyleGAN v1 on the frames of D."""
  g = config.generator
  adam = stage_lib.AdamConfig(g.beta_1, g.beta_2, g.epsilon)
  return stage_lib.Stage(
      name='generator',
      equation='section 4.2 (StyleGAN)',
      inputs=(keys.IMAGE_HIGH,),
      splits=('d_pre', 'd_rest'),
      build=lambda: {
          'generator': networks_lib.generator(
              config.model, config.training.precision),
          'discriminator': networks_lib.discriminator(
              config.model, config.training.precision)},
      restores={},
      updates=(*_discriminator_updates(g), _generator_update(g)),
      phases=phases.make(config, 'generator'),
      adam={'generator': adam, 'discriminator': adam},
      averages=('generator',),
      ema_half_life_kimg=g.ema_half_life_kimg,
      outputs=('generator_ema', 'generator', 'discriminator'),
      preview=_preview,
      observe=_observe(config.model.stddev_group),
      resets_optimizer=True,
      mirror=g.mirror_augment,
      start=_start if config.model.linear_base else None,
      start_images=g.start_images if config.model.linear_base else 0,
      start_batch=linear_start.batch_size(g.start_images))
