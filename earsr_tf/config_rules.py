"""What a configuration must obey, whichever way it was made."""

from __future__ import annotations

import dataclasses

from earsr_tf import config as config_lib

_REDUCTIONS = ('mean', 'sum')
_VGG16_LAYERS = tuple(
    f'block{block}_conv{conv + 1}'
    for block, convs in enumerate((2, 2, 3, 3, 3), start=1)
    for conv in range(convs))


def _choices(config: config_lib.Config) -> list[tuple[str, str, tuple]]:
  """(field, its value, what is allowed) of every choice between words."""
  model, invert = config.model, config.invert
  return [
      ('model.rgb_output', model.rgb_output, ('fade', 'skip')),
      ('model.code_norm', model.code_norm, ('none', 'unit')),
      ('model.low_res_norm', model.low_res_norm, ('instance', 'none')),
      ('model.encoder_init', model.encoder_init,
       ('glorot_uniform', 'he_normal')),
      ('model.fusion_init', model.fusion_init, ('glorot_uniform', 'zeros')),
      ('training.precision', config.training.precision,
       config_lib.PRECISIONS),
      ('optimizer.decay', config.optimizer.decay, ('none', 'cosine')),
      ('invert.features', invert.features,
       ('vgg16', 'discriminator', 'synthetic')),
      ('invert.feature_distance', invert.feature_distance, ('l1', 'l2')),
      ('invert.feature_reduction', invert.feature_reduction, _REDUCTIONS),
      *((f'{name}.l1_reduction', getattr(config, name).l1_reduction,
         _REDUCTIONS) for name in ('invert', 'low_res', 'audio', 'fusion')),
      ('finetune.anchor_reduction', config.finetune.anchor_reduction,
       ('sum', 'mean')),
      *((f'{name}.solver', getattr(config, name).solver, ('sgd', 'adam'))
        for name in ('lapsrn_x4', 'lapsrn'))]


def _model_rules(config: config_lib.Config) -> list[tuple[bool, str]]:
  model, tune, generator = config.model, config.finetune, config.generator
  rules = [
      (model.image_size >= 16 and model.image_size & (model.image_size - 1)
       == 0, f'model.image_size={model.image_size}: use a power of two >= 16'),
      (model.low_res_size >= 4 and model.low_res_size % 4 == 0
       and model.image_size % model.low_res_size == 0,
       f'model.low_res_size={model.low_res_size}: must divide image_size, and '
       'be a multiple of 4'),
      (model.fusion_residual or model.fusion_init != 'zeros',
       'model.fusion_residual=False: F would begin as zero; set '
       'model.fusion_init=glorot_uniform as well')]
  for name, value, allowed in _choices(config):
    rules.append((value in allowed, f'{name}={value}: use '
                  + ' or '.join(repr(a) for a in allowed)))
  for name, value in (
      ('generator.r1_interval', generator.r1_interval),
      ('generator.ema_half_life_kimg', generator.ema_half_life_kimg),
      ('finetune.plateau_images', tune.plateau_images),
      ('model.stddev_group', model.stddev_group),
      ('training.keep', config.training.keep),
      ('training.record_every', config.training.record_every),
      ('training.save_every', config.training.save_every)):
    rules.append((value > 0, f'{name}={value}: must be positive'))
  rules.append((
      config.audio.start_images != 1 and config.audio.start_images >= 0,
      f'audio.start_images={config.audio.start_images}: use 0, or at least 2 '
      'voices, whose spread can be measured'))
  rules.append((
      0.0 < tune.plateau_smoothing <= 1.0,
      f'finetune.plateau_smoothing={tune.plateau_smoothing}: use a share of '
      'the window, above 0 and at most 1'))
  rules += _linear_rules(config) + _consistency_rules(model)
  for layer in config.invert.feature_layers.split(','):
    rules.append((
        layer in _VGG16_LAYERS,
        f'invert.feature_layers={config.invert.feature_layers}: VGG16 has no '
        f'{layer!r}; name layers such as {_VGG16_LAYERS[1]},'
        f'{_VGG16_LAYERS[3]}'))
  return rules


def _linear_rules(config: config_lib.Config) -> list[tuple[bool, str]]:
  """What a linear base needs besides its side."""
  model, side = config.model, config.model.linear_base
  rules = [
      (side == 0 or 8 <= side <= model.image_size and side & (side - 1) == 0,
       f'model.linear_base={side}: 0 or a power of two, at least 8 and at '
       f'most image_size {model.image_size}'),
      (0 <= model.linear_leading <= model.latent_dim,
       f'model.linear_leading={model.linear_leading}: use 0 to latent_dim '
       f'{model.latent_dim}'),
      (model.voice_memory >= 0 and (side > 0 or model.voice_memory == 0),
       f'model.voice_memory={model.voice_memory}: use 0, or a number of people '
       'and a model.linear_base')]
  if side == 0:
    return rules
  rules += [
      (model.rgb_output == 'skip',
       f"model.rgb_output={model.rgb_output}: a linear base needs 'skip'"),
      (model.code_norm == 'none',
       f"model.code_norm={model.code_norm}: a linear base needs 'none', for "
       'the length of its codes shows')]
  for name in ('generator', 'low_res', 'audio', 'fusion'):
    count = getattr(config, name).start_images
    rules.append((
        count >= 2, f'{name}.start_images={count}: a linear base needs images '
        'that it can be fitted to, at least 2'))
  return rules


def _consistency_rules(model: config_lib.ModelConfig
                       ) -> list[tuple[bool, str]]:
  mode = model.consistency
  return [
      (mode in ('off', 'exact') or mode.isdecimal() and int(mode) > 0,
       f"model.consistency={mode}: use 'off', 'exact' or a number of "
       'back-projection steps'),
      (mode == 'off' or not model.low_res_stretch,
       f'model.consistency={mode}: pictures of changed contrast are none that '
       'an output should be fitted to; set model.low_res_stretch=False')]


def _share_rules(config: config_lib.Config) -> list[tuple[bool, str]]:
  schema = config.schema
  asked = ('most_refused', 'most_silent', 'least_women', 'most_women',
           'drift_clips', 'drift_women')
  shares = {f'schema.{name}': getattr(schema, name) for name in asked}
  shares |= {f'judge.{name}': share
             for name, share in dataclasses.asdict(config.judge).items()}
  shares |= {
      'fusion.silent_share': config.fusion.silent_share,
      'fusion.stranger_share': config.fusion.stranger_share,
      'audio.stranger_share': config.audio.stranger_share}
  return [
      (schema.least_clips >= 1 and schema.most_read >= 1,
       'schema: least_clips and most_read must be at least 1'),
      *((0.0 <= share <= 1.0, f'{name}={share}: use a share, 0 to 1')
        for name, share in shares.items())]


def _rules(config: config_lib.Config) -> list[tuple[bool, str]]:
  rules, size = _model_rules(config), config.model.image_size
  for name in ('max_skipped_in_a_row', 'max_rollbacks', 'micro_batch'):
    value = getattr(config.training, name)
    rules.append((value >= 0, f'training.{name}={value}: use 0 or more'))
  soft = config.attributes.max_softening
  rules.append((
      1 <= soft <= size and soft & (soft - 1) == 0,
      f'attributes.max_softening={soft}: 1 (originals only) or a power of two, '
      f'at most image_size {size}'))
  side = config.model.classifier_side
  rules += [
      (side == 0 or 8 <= side <= size and side & (side - 1) == 0,
       f'model.classifier_side={side}: 0 or a power of two, at least 8 and at '
       f'most image_size {size}'),
      (0.0 <= config.attributes.jitter <= 0.3,
       f'attributes.jitter={config.attributes.jitter}: use 0 to 0.3'),
      (config.attributes.descriptor in ('', 'synthetic'),
       f'attributes.descriptor={config.attributes.descriptor}: choose '
       "synthetic, or nothing for judges trained on D alone"),
      (not config.attributes.descriptor or size % 64 == 0,
       f'attributes.descriptor reads sides of 64 and its multiples, not '
       f'image_size {size}; leave it empty')]
  rules += _share_rules(config)
  for name in config_lib.TRAINABLE:
    for i, phase in enumerate(getattr(config, name).phases):
      where, side = f'{name}.phases.{i}', phase.resolution
      rules += [
          (phase.batch_size >= 1 and phase.images >= 1,
           f'{where}: batch_size and images must be at least 1'),
          (side == 0 or 4 <= side <= size and side & (side - 1) == 0,
           f'{where}.resolution={side}: 0 or a power of two, at least 4 and '
           f'at most image_size {size}'),
          (0 <= phase.fade_images <= phase.images,
           f'{where}.fade_images={phase.fade_images}: at most images')]
  return rules


def validate(config: config_lib.Config) -> config_lib.Config:
  """Returns `config`, or says which value breaks which rule.

  Raises:
    ConfigError: Naming the field, its value and what is allowed.
  """
  for holds, message in _rules(config):
    if not holds:
      raise config_lib.ConfigError(message)
  return config
