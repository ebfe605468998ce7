"""The four presets: `paper` and three smaller ones for two CPU cores.

What `bench`, `demo` and `tiny` change is listed, with reasons, in
docs/configuration.md. All keep 128x128 output and 8x8 input.
"""

from __future__ import annotations

import dataclasses

from earsr_tf import config as config_lib
from earsr_tf import config_rules
from earsr_tf.config import PhaseConfig

_SMALL_MODEL = config_lib.ModelConfig(
    latent_dim=64, mapping_layers=4, mapping_lr_multiplier=1.0,
    fmap_base=1024, fmap_max=96,
    noise_gain=0.1, rgb_output='skip', image_encoder_filters=8,
    image_encoder_max_filters=256, low_res_filters=64, low_res_max_filters=256,
    low_res_hidden=512, low_res_norm='none', encoder_init='he_normal',
     audio_filters=16,
    audio_max_filters=128, audio_hidden=256, fusion_hidden=512,
    code_norm='unit', classifier_filters=16)


def _demo() -> config_lib.Config:
  return config_lib.Config(
      preset='demo',
      model=_SMALL_MODEL,
      optimizer=config_lib.OptimizerConfig(
          learning_rate=2e-3, beta_2=0.99, decay='cosine'),
      generator=config_lib.GeneratorConfig(
          phases=(
              PhaseConfig(5_000, 16, 8, 0, 4e-3),
              PhaseConfig(7_000, 16, 16, 3_000, 3e-3),
              PhaseConfig(6_000, 16, 32, 2_000, 2.5e-3),
              PhaseConfig(3_000, 16, 64, 1_500, 2e-3)),
          r1_gamma=5.0, r1_interval=8, ema_half_life_kimg=0.3),
      invert=config_lib.InvertConfig(
          phases=(PhaseConfig(1_500, 8, 64),), features='discriminator'),
      finetune=config_lib.FinetuneConfig(
          phases=(PhaseConfig(12_000, 8, 64), PhaseConfig(2_000, 8, 128)),
          plateau_images=640, plateau_tolerance=0.05,
          generator_rate_scale=3.0, anchor_reduction='mean'),
      low_res=config_lib.LowResConfig(phases=(PhaseConfig(5_000, 8, 64),)),
      audio=config_lib.AudioConfig(phases=(PhaseConfig(5_000, 8),)),
      fusion=config_lib.FusionConfig(phases=(PhaseConfig(4_000, 8, 64),)),
      attributes=config_lib.AttributesConfig(
          phases=(PhaseConfig(8_000, 16, learning_rate=2e-3),)),
      training=config_lib.TrainingConfig(
          preview_every=0, save_every=4_000, keep=2))


def _tiny() -> config_lib.Config:
  short = (PhaseConfig(16, 4),)
  return config_lib.Config(
      preset='tiny',
      model=dataclasses.replace(
          _SMALL_MODEL, latent_dim=16, mapping_layers=2, fmap_base=256,
          fmap_max=16, stddev_group=2, image_encoder_filters=4,
          image_encoder_max_filters=16, low_res_filters=8,
          low_res_max_filters=16, low_res_hidden=32, audio_filters=4,
          audio_max_filters=16, audio_hidden=32, fusion_hidden=32,
          classifier_filters=4),
      optimizer=config_lib.OptimizerConfig(learning_rate=1e-3),
      generator=config_lib.GeneratorConfig(
          phases=(
              PhaseConfig(16, 4, 8, 0, 1e-3),
              PhaseConfig(16, 4, 16, 8, 1e-3)),
          r1_interval=2, ema_half_life_kimg=0.001),
      invert=config_lib.InvertConfig(
          phases=(PhaseConfig(16, 4, 16),), features='discriminator'),
      finetune=config_lib.FinetuneConfig(
          phases=(PhaseConfig(16, 4, 16), PhaseConfig(16, 4, 128)),
          plateau_images=8, plateau_tolerance=0.05),
      low_res=config_lib.LowResConfig(phases=short),
      audio=config_lib.AudioConfig(phases=short),
      fusion=config_lib.FusionConfig(phases=short),
      attributes=config_lib.AttributesConfig(phases=short),
      training=config_lib.TrainingConfig(
          log_every=0.0, preview_every=0, save_every=8, keep=2,
          preview_size=2))


def _bench() -> config_lib.Config:
  demo = _demo()
  return dataclasses.replace(
      demo, preset='bench',
      model=dataclasses.replace(
          demo.model, image_encoder_filters=12, audio_filters=24,
          audio_hidden=512, classifier_filters=24),
      generator=dataclasses.replace(demo.generator, phases=(
          PhaseConfig(10_000, 16, 8, 0, 4e-3),
          PhaseConfig(24_000, 16, 16, 8_000, 3e-3),
          PhaseConfig(36_000, 16, 32, 12_000, 2.5e-3),
          PhaseConfig(36_000, 16, 64, 12_000, 2e-3))),
      invert=dataclasses.replace(
          demo.invert, phases=(PhaseConfig(6_000, 8, 64),)),
      finetune=dataclasses.replace(
          demo.finetune, plateau_images=4_000,
          phases=(PhaseConfig(70_000, 8, 64), PhaseConfig(36_000, 8, 128))),
      low_res=config_lib.LowResConfig(phases=(PhaseConfig(30_000, 8, 64),)),
      audio=config_lib.AudioConfig(phases=(PhaseConfig(36_000, 8),)),
      fusion=config_lib.FusionConfig(phases=(PhaseConfig(30_000, 8, 64),)),
      attributes=config_lib.AttributesConfig(
          phases=(PhaseConfig(60_000, 16, learning_rate=2e-3),)),
      training=config_lib.TrainingConfig(
          preview_every=20_000, save_every=8_000, keep=2))


def get(name: str) -> config_lib.Config:
  """The configuration called `name`.

  Args:
    name: One of `config.PRESETS`.

  Returns:
    The validated configuration.

  Raises:
    ConfigError: If there is no such preset.
  """
  makers = {
      'paper': config_lib.Config, 'bench': _bench, 'demo': _demo,
      'tiny': _tiny}
  if name not in makers:
    raise config_lib.ConfigError(
        f'--preset={name}: there is no such preset; choose one of '
        f'{", ".join(makers)}')
  return config_rules.validate(makers[name]())
