"""Tests of earsr_tf.config and earsr_tf.config_json."""

from __future__ import annotations

import dataclasses
import json

import pytest

from earsr_tf import config as config_lib
from earsr_tf import config_json
from earsr_tf import config_rules
from earsr_tf import presets


@pytest.mark.parametrize(
    'size, styles', [(128, 12), (64, 10), (16, 6), (1024, 18)])
def test_two_styles_per_resolution(size: int, styles: int) -> None:
  assert config_lib.ModelConfig(image_size=size).num_styles == styles


@pytest.mark.parametrize('part, field, value, words', [
    ('model', 'image_size', 100, 'power of two'),
    ('model', 'image_size', 8, '>= 16'),
    ('model', 'low_res_size', 7, 'must divide image_size'),
    ('model', 'low_res_size', 2, 'multiple of 4'),
    ('model', 'stddev_group', 0, 'must be positive'),
    ('generator', 'r1_interval', 0, 'must be positive'),
    ('generator', 'ema_half_life_kimg', 0.0, 'must be positive'),
    ('finetune', 'plateau_images', 0, 'must be positive'),
    ('training', 'keep', 0, 'must be positive'),
    ('model', 'rgb_output', 'both', "'fade' or 'skip'"),
    ('model', 'code_norm', 'l2', "'none' or 'unit'"),
    ('model', 'low_res_norm', 'batch', "'instance' or 'none'"),
    ('model', 'fusion_init', 'ones', "'glorot_uniform' or 'zeros'"),
    ('model', 'linear_base', 48, 'power of two'),
    ('model', 'linear_base', 256, 'at most image_size 128'),
    ('model', 'linear_leading', 600, '0 to latent_dim 512'),
    ('model', 'consistency', '-1', "'exact' or a number"),
    ('fusion', 'silent_share', 1.5, 'a share, 0 to 1'),
    ('optimizer', 'decay', 'linear', "'none' or 'cosine'"),
    ('invert', 'features', 'vgg19', "'vgg16' or 'discriminator'"),
    ('finetune', 'anchor_reduction', 'max', "'sum' or 'mean'"),
    ('finetune', 'plateau_smoothing', 0.0, 'above 0 and at most 1'),
    ('invert', 'l1_reduction', 'max', "'mean' or 'sum'"),
    ('fusion', 'l1_reduction', '', "'mean' or 'sum'"),
    ('invert', 'feature_distance', 'cosine', "'l1' or 'l2'"),
    ('invert', 'feature_reduction', 'max', "'mean' or 'sum'"),
    ('invert', 'feature_layers', 'block3_conv4', "no 'block3_conv4'"),
])
def test_a_broken_rule_names_field_value_and_remedy(
    part: str, field: str, value: object, words: str) -> None:
  config = config_lib.Config()
  changed = dataclasses.replace(config, **{
      part: dataclasses.replace(getattr(config, part), **{field: value})})
  with pytest.raises(config_lib.ConfigError) as error:
    config_rules.validate(changed)
  assert f'{part}.{field}={value}' in str(error.value)
  assert words in str(error.value)


@pytest.mark.parametrize('model, words', [
    ({'rgb_output': 'fade'}, "needs 'skip'"),
    ({'code_norm': 'unit'}, "needs 'none'"),
    ({}, 'generator.start_images=0')])
def test_a_linear_base_says_what_else_it_needs(
    model: dict[str, str], words: str) -> None:
  made = config_lib.ModelConfig(
      **{'linear_base': 64, 'rgb_output': 'skip', **model})
  with pytest.raises(config_lib.ConfigError, match=words):
    config_rules.validate(config_lib.Config(model=made))


def test_without_residual_f_cannot_begin_as_zero() -> None:
  model = config_lib.ModelConfig(fusion_init='zeros', fusion_residual=False)
  with pytest.raises(config_lib.ConfigError, match='fusion_init=glorot'):
    config_rules.validate(config_lib.Config(model=model))


@pytest.mark.parametrize('phase, words', [
    (config_lib.PhaseConfig(0, 4), 'images must be at least 1'),
    (config_lib.PhaseConfig(16, 0), 'batch_size'),
    (config_lib.PhaseConfig(16, 4, 256), 'at most image_size 128'),
    (config_lib.PhaseConfig(16, 4, 48), 'resolution=48: 0 or a power of two'),
    (config_lib.PhaseConfig(16, 4, 2), 'resolution=2: 0 or a power of two'),
    (config_lib.PhaseConfig(16, 4, -8), 'resolution=-8'),
    (config_lib.PhaseConfig(16, 4, 16, 17), 'fade_images=17: at most images'),
])
def test_a_broken_phase_is_named(
    phase: config_lib.PhaseConfig, words: str) -> None:
  config = config_lib.Config(low_res=config_lib.LowResConfig(
      phases=(config_lib.PhaseConfig(16, 4), phase)))
  with pytest.raises(config_lib.ConfigError) as error:
    config_rules.validate(config)
  assert 'low_res.phases.1' in str(error.value)
  assert words in str(error.value)


def test_all_records_are_frozen() -> None:
  config = config_lib.Config()
  with pytest.raises(dataclasses.FrozenInstanceError):
    config.seed = 1  # type: ignore[misc]
  with pytest.raises(dataclasses.FrozenInstanceError):
    config.model.latent_dim = 1  # type: ignore[misc]


@pytest.mark.parametrize('preset', config_lib.PRESETS)
def test_json_round_trip_is_exact(preset: str) -> None:
  config = presets.get(preset)
  text = json.dumps(config_json.to_json(config))
  assert config_json.from_json(json.loads(text)) == config


def test_json_with_an_unknown_field_is_refused() -> None:
  values = config_json.to_json(config_lib.Config())
  values['model']['depth'] = 3
  with pytest.raises(config_lib.ConfigError, match='ModelConfig.depth'):
    config_json.from_json(values)


def test_json_that_breaks_a_rule_is_refused() -> None:
  values = config_json.to_json(config_lib.Config())
  values['model']['image_size'] = 100
  with pytest.raises(config_lib.ConfigError, match='image_size=100'):
    config_json.from_json(values)
