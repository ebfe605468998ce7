"""The five presets: `paper` and four smaller ones for two CPU cores.

What `bench`, `real`, `demo` and `tiny` change is listed, with reasons, in
docs/configuration.md. All keep 128x128 output and 8x8 input.
"""

from __future__ import annotations

import dataclasses

from earsr_tf import config as config_lib
from earsr_tf import config_comparators
from earsr_tf import config_judge
from earsr_tf import config_rules
from earsr_tf.config import PhaseConfig

_SMALL_MODEL = config_lib.ModelConfig(
    latent_dim=64, mapping_layers=4, mapping_lr_multiplier=1.0,
    fmap_base=512, fmap_max=64,
    noise_gain=0.1, rgb_output='skip', image_encoder_filters=8,
    image_encoder_max_filters=256, low_res_filters=64, low_res_max_filters=256,
    low_res_hidden=512, low_res_norm='none', encoder_init='he_normal',
    audio_filters=4, audio_max_filters=256, audio_hidden=256, fusion_hidden=512,
    fusion_init='zeros', classifier_filters=64, classifier_side=32,
    linear_base=64, linear_leading=8, voice_memory=256)


def _lapsrn(images: int, **sizes: int) -> config_comparators.LapSRNConfig:
  # SGD as theirs needs millions of images.
  return config_comparators.LapSRNConfig(
      phases=(PhaseConfig(images, 16, learning_rate=1e-3),), solver='adam',
      **sizes)


def _wavelet_srnet(images: int, **sizes: int
                   ) -> config_comparators.WaveletSRNetConfig:
  # At 1e-3 the block means, of up to 16, are not reached in so few steps.
  return config_comparators.WaveletSRNetConfig(
      phases=(PhaseConfig(images, 16, learning_rate=5e-3),), **sizes)


def _demo() -> config_lib.Config:
  return config_lib.Config(
      preset='demo',
      model=dataclasses.replace(_SMALL_MODEL, consistency='exact'),
      optimizer=config_lib.OptimizerConfig(
          learning_rate=5e-4, beta_2=0.99, decay='cosine'),
      # What a GAN does to a linear base, Eq. (2) has to undo: docs/trials.md.
      generator=config_lib.GeneratorConfig(
          phases=(PhaseConfig(320, 16, 64, 0, 2e-3),),
          r1_gamma=5.0, r1_interval=8, ema_half_life_kimg=0.03,
          start_images=4_096),
      invert=config_lib.InvertConfig(
          phases=(PhaseConfig(160, 16, 64),), mirror_augment=True,
          features='synthetic'),
      finetune=config_lib.FinetuneConfig(
          phases=(PhaseConfig(1_600, 16, 64), PhaseConfig(3_200, 16, 128)),
          plateau_images=400, plateau_tolerance=0.05,
          generator_rate_scale=8.0, anchor_reduction='mean'),
      low_res=config_lib.LowResConfig(
          phases=(PhaseConfig(3_200, 32, 64), PhaseConfig(320, 16, 128)),
          image_weight=40.0, detail_weight=40.0, feature_weight=20.0,
          through_base=True, on_whole_set=True, start_images=4_096),
      # At 1e-3 E_a answers with one face for up to 6,000 images.
      audio=config_lib.AudioConfig(
          phases=(PhaseConfig(3_200, 8, 64, learning_rate=5e-4),),
          feature_weight=4.0, through_base=True, on_whole_set=True,
          stranger_share=0.5, start_images=2_048),
      fusion=config_lib.FusionConfig(
          phases=(PhaseConfig(6_400, 16, 64), PhaseConfig(320, 16, 128)),
          code_weight=4.0, image_weight=40.0, detail_weight=200.0,
          feature_weight=60.0, through_base=True, stranger_share=0.3,
          start_images=4_096),
      attributes=config_judge.AttributesConfig(
          phases=(PhaseConfig(20_032, 64, learning_rate=2e-3),),
          max_softening=16, jitter=0.1, descriptor='synthetic'),
      lapsrn_x4=_lapsrn(3_200, filters=16, depth=3),
      lapsrn=_lapsrn(3_200, filters=16, depth=3),
      wavelet_srnet=_wavelet_srnet(1_600, filters=8, head_filters=4),
      training=config_lib.TrainingConfig(
          record_every=200, preview_every=0, save_every=4_000, keep=2,
          cached_targets=True))


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
          classifier_filters=4, classifier_side=0, linear_base=16,
          linear_leading=8, voice_memory=8),
      optimizer=config_lib.OptimizerConfig(learning_rate=1e-3),
      generator=config_lib.GeneratorConfig(
          phases=(
              PhaseConfig(16, 4, 8, 0, 1e-3),
              PhaseConfig(16, 4, 16, 8, 1e-3)),
          r1_interval=2, ema_half_life_kimg=0.001, start_images=16),
      invert=config_lib.InvertConfig(
          phases=(PhaseConfig(16, 4, 16),), mirror_augment=True,
          features='discriminator'),
      finetune=config_lib.FinetuneConfig(
          phases=(PhaseConfig(16, 4, 16), PhaseConfig(16, 4, 128)),
          plateau_images=8, plateau_tolerance=0.05),
      low_res=config_lib.LowResConfig(phases=short, start_images=16),
      audio=config_lib.AudioConfig(
          phases=short, stranger_share=0.5, start_images=4),
      fusion=config_lib.FusionConfig(
          phases=short, stranger_share=0.3, start_images=16),
      attributes=config_judge.AttributesConfig(phases=short),
      lapsrn_x4=config_comparators.LapSRNConfig(
          phases=short, filters=4, depth=2),
      lapsrn=config_comparators.LapSRNConfig(phases=short, filters=4, depth=2),
      wavelet_srnet=config_comparators.WaveletSRNetConfig(
          phases=short, filters=2, head_filters=2),
      judge=config_judge.JudgeConfig(0.0, 0.0, 0.0),
      training=config_lib.TrainingConfig(
          log_every=0.0, record_every=1, preview_every=0, save_every=8, keep=2,
          preview_size=2,
          cached_targets=True))


def _bench() -> config_lib.Config:
  demo = _demo()
  return dataclasses.replace(
      demo, preset='bench',
      model=dataclasses.replace(
          demo.model, fmap_base=1024, fmap_max=96, audio_filters=8,
          audio_hidden=512, voice_memory=512),
      generator=dataclasses.replace(
          demo.generator, phases=(PhaseConfig(960, 16, 64, 0, 2e-3),),
          start_images=8_192),
      invert=dataclasses.replace(
          demo.invert, phases=(PhaseConfig(320, 16, 64),)),
      finetune=dataclasses.replace(
          demo.finetune, plateau_images=1_600,
          phases=(PhaseConfig(24_000, 16, 64), PhaseConfig(20_000, 16, 128))),
      low_res=dataclasses.replace(
          demo.low_res, start_images=8_192,
          phases=(PhaseConfig(9_600, 32, 64), PhaseConfig(3_200, 16, 128))),
      audio=dataclasses.replace(
          demo.audio, start_images=4_096,
          phases=(PhaseConfig(16_000, 8, 64, learning_rate=5e-4),)),
      fusion=dataclasses.replace(
          demo.fusion, start_images=8_192,
          phases=(PhaseConfig(12_800, 16, 64), PhaseConfig(3_200, 16, 128))),
      attributes=dataclasses.replace(
          demo.attributes,
          phases=(PhaseConfig(120_000, 64, learning_rate=2e-3),)),
      lapsrn_x4=_lapsrn(9_600, filters=32, depth=5),
      lapsrn=_lapsrn(9_600, filters=32, depth=5),
      wavelet_srnet=_wavelet_srnet(6_400, filters=16, head_filters=4),
      training=config_lib.TrainingConfig(
          record_every=500, preview_every=10_000, save_every=4_000, keep=2,
          cached_targets=True))


def _real() -> config_lib.Config:
  bench = _bench()
  return dataclasses.replace(
      bench, preset='real',
      # 32 + 12 x 32 = 416 values. E_l, E_a, F and G have 7.4 million weights.
      model=dataclasses.replace(
          bench.model, linear_base=32, linear_leading=32,
          low_res_max_filters=128, low_res_hidden=256, audio_filters=4,
          audio_hidden=256, fusion_hidden=256),
      generator=dataclasses.replace(
          bench.generator, phases=(PhaseConfig(48_000, 16, 64, 0, 2e-3),),
          ema_half_life_kimg=2.0),
      # The package's phi has seen synthetic people only.
      invert=dataclasses.replace(
          bench.invert, phases=(PhaseConfig(8_000, 16, 64),),
          features='discriminator'),
      finetune=dataclasses.replace(
          bench.finetune, plateau_images=16_000,
          phases=(PhaseConfig(160_000, 16, 64), PhaseConfig(96_000, 16, 128))),
      low_res=dataclasses.replace(
          bench.low_res, feature_weight=0.0,
          phases=(PhaseConfig(480_000, 32, 32), PhaseConfig(32_000, 16, 128))),
      audio=dataclasses.replace(
          bench.audio, feature_weight=0.0, start_images=512,
          phases=(PhaseConfig(48_000, 8, 32, learning_rate=5e-4),)),
      fusion=dataclasses.replace(
          bench.fusion, feature_weight=0.0, start_images=512,
          phases=(PhaseConfig(160_000, 16, 32), PhaseConfig(16_000, 16, 128))),
      attributes=dataclasses.replace(bench.attributes, descriptor=''),
      training=dataclasses.replace(
          bench.training, record_every=2_000, preview_every=40_000,
          save_every=16_000))


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
      'paper': config_lib.Config, 'bench': _bench, 'real': _real,
      'demo': _demo, 'tiny': _tiny}
  if name not in makers:
    raise config_lib.ConfigError(
        f'--preset={name}: there is no such preset; choose one of '
        f'{", ".join(makers)}')
  return config_rules.validate(makers[name]())
