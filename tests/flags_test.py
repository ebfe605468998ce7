"""Tests of earsr_tf.flags: --set and the resolution of a configuration."""

from __future__ import annotations

from absl import flags as absl_flags
import pytest

from earsr_tf import config as config_lib
from earsr_tf import flags
from earsr_tf import presets
from tests import fakes


def _set(*settings: str) -> config_lib.Config:
  return flags.apply_settings(config_lib.Config(), list(settings))


def test_a_setting_changes_one_value_and_nothing_else() -> None:
  config = _set('optimizer.learning_rate=0.25')
  assert config.optimizer.learning_rate == 0.25
  assert flags.apply_settings(
      config, ['optimizer.learning_rate=1e-4']) == config_lib.Config()


def test_settings_apply_in_order() -> None:
  assert _set('seed=1', 'seed=2').seed == 2


def test_an_integer_serves_as_a_float() -> None:
  value = _set('low_res.low_res_weight=20').low_res.low_res_weight
  assert value == 20.0 and isinstance(value, float)


@pytest.mark.parametrize('text, value', [
    ('true', True), ('false', False), ('True', True), ('FALSE', False)])
def test_booleans(text: str, value: bool) -> None:
  assert _set(
      f'generator.mirror_augment={text}').generator.mirror_augment is value


def test_a_string_is_taken_as_it_stands() -> None:
  assert _set('invert.vgg16_weights=a=b.h5').invert.vgg16_weights == 'a=b.h5'


def test_a_value_inside_a_phase() -> None:
  config = _set('generator.phases.3.images=700000')
  assert [p.images for p in config.generator.phases] == [
      600_000, 1_200_000, 1_200_000, 700_000, 26_729_000]
  assert _set('invert.phases.0.images=1000').invert.phases == (
      config_lib.PhaseConfig(1000, 128),)


@pytest.mark.parametrize('setting, words', [
    ('optimizer.learning_rat=1', 'did you mean learning_rate?'),
    ('optimiser.decay=none', 'did you mean optimizer?'),
    ('invert.phases.0.image=3', 'did you mean images?'),
    ('invert.phases.1.images=3', 'there is no 1'),
    ('xyzzy=1', 'one of preset, seed, model'),
    ('seed', 'write it as name=value'),
    ('seed=1.5', 'needs a value like 1000'),
    ('seed=many', 'needs a value like 1000'),
    ('seed=true', 'needs a value like 1000'),
    ('seed=', 'needs a value like 1000'),
    ('optimizer.learning_rate=fast', 'needs a value like 0.0001'),
    ('optimizer.learning_rate=true', 'needs a value like 0.0001'),
    ('generator.mirror_augment=1', 'needs a value like True'),
    ('optimizer=3', 'name a value inside it, such as optimizer.learning_rate'),
    ('invert.phases=3', 'such as invert.phases.0'),
    ('seed.x=3', 'seed has no parts'),
    ('model.image_size=100', 'use a power of two'),
    ('low_res.phases.0.batch_size=0', 'batch_size'),
])
def test_a_wrong_setting_is_one_sentence(setting: str, words: str) -> None:
  with pytest.raises(config_lib.ConfigError) as error:
    _set(setting)
  message = str(error.value)
  assert words in message
  assert setting.split('=', maxsplit=1)[0].split('.')[-1] in message
  assert '\n' not in message


@pytest.mark.parametrize('value', ['nan', 'NaN', 'Infinity', '-Infinity'])
def test_a_number_must_be_finite(value: str) -> None:
  with pytest.raises(config_lib.ConfigError, match='needs a value like'):
    _set(f'optimizer.learning_rate={value}')


def test_flags_resolve_preset_then_seed_then_set() -> None:
  fakes.parse_flags('--preset=tiny')
  assert flags.resolve_config() == presets.get('tiny')
  fakes.parse_flags('--preset=tiny', '--seed=5')
  assert flags.resolve_config().seed == 5
  fakes.parse_flags('--preset=tiny', '--seed=5', '--set=seed=6',
                    '--set=model.latent_dim=24')
  config = flags.resolve_config()
  assert (config.seed, config.model.latent_dim) == (6, 24)


def test_defaults_are_those_of_the_documentation() -> None:
  fakes.parse_flags()
  values = absl_flags.FLAGS
  assert (values.preset, values.dataset, values.data_dir, values.run_root,
          values.replicas, values.dry_run) == (
              'demo', 'synthetic', 'data', 'runs', 1, False)
  assert flags.resolve_config() == presets.get('demo')


@pytest.mark.parametrize('argument, words', [
    ('--preset=large', 'bench'), ('--replicas=0', 'replicas'),
    ('--seed=x', 'seed')])
def test_absl_refuses_wrong_flags(argument: str, words: str) -> None:
  with pytest.raises(absl_flags.Error, match=words):
    fakes.parse_flags(argument)
