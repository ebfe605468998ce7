"""Tests of earsr_tf.presets: the paper's numbers, and rules for all presets."""

from __future__ import annotations

import dataclasses
import re

import pytest

from earsr_tf import config as config_lib
from earsr_tf import config_rules
from earsr_tf import presets
from earsr_tf.config import PhaseConfig
from tests import testing


def _phases(config: config_lib.Config, stage: str) -> tuple[PhaseConfig, ...]:
  return getattr(config, stage).phases


@pytest.mark.parametrize('preset', config_lib.PRESETS)
def test_presets_carry_their_name_and_obey_the_rules(preset: str) -> None:
  config = presets.get(preset)
  assert config.preset == preset
  assert config_rules.validate(config) is config


def test_an_unknown_preset_names_the_known_ones() -> None:
  with pytest.raises(config_lib.ConfigError) as error:
    presets.get('large')
  assert '--preset=large' in str(error.value)
  assert all(name in str(error.value) for name in config_lib.PRESETS)


@pytest.mark.parametrize('preset', config_lib.PRESETS)
def test_ema_half_life_is_at_most_a_tenth_of_the_last_phase(
    preset: str) -> None:
  generator = presets.get(preset).generator
  last_kimg = generator.phases[-1].images / 1000
  assert 0 < generator.ema_half_life_kimg <= last_kimg / 10


@pytest.mark.parametrize('preset', config_lib.PRESETS)
def test_all_presets_turn_8_into_128_pixels(preset: str) -> None:
  model = presets.get(preset).model
  assert (model.low_res_size, model.image_size) == (8, 128)


@pytest.mark.parametrize('preset', config_lib.PRESETS)
def test_the_generator_grows_by_doubling_and_fades_each_new_size(
    preset: str) -> None:
  phases = presets.get(preset).generator.phases
  before = None
  for phase in phases:
    if before is None:
      assert phase.fade_images == 0
    elif phase.resolution != before.resolution:
      assert phase.resolution == 2 * before.resolution
      assert 0 < phase.fade_images <= phase.images
    before = phase


@pytest.mark.parametrize('preset', config_lib.PRESETS)
def test_generator_batches_hold_whole_deviation_groups(preset: str) -> None:
  config = presets.get(preset)
  for phase in config.generator.phases:
    group = min(config.model.stddev_group, phase.batch_size)
    assert phase.batch_size % group == 0


@pytest.mark.parametrize('preset', config_lib.PRESETS)
def test_features_and_degradation_fit_every_phase(preset: str) -> None:
  config = presets.get(preset)
  model = config.model
  trained = config.generator.phases[-1].resolution or model.image_size
  for stage in ('invert', 'finetune'):
    for phase in _phases(config, stage):
      side = phase.resolution or model.image_size
      if config.invert.features == 'discriminator':
        assert side >= 16 and side % trained == 0, (stage, phase)
  for stage in ('low_res', 'fusion'):
    for phase in _phases(config, stage):
      assert (phase.resolution or model.image_size) % model.low_res_size == 0


# facts.md 2.1: resolution, batch, kimg of fade, kimg in all, learning rate.
@pytest.mark.parametrize('number, resolution, batch, fade, kimg, rate', [
    (0, 8, 256, 0, 600, 1e-3),
    (1, 16, 128, 600, 1200, 1e-3),
    (2, 32, 64, 600, 1200, 1e-3),
    (3, 64, 32, 600, 1200, 1e-3),
    (4, 128, 32, 600, 26_729, 1.5e-3),
])
def test_paper_generator_rows(
    number: int, resolution: int, batch: int, fade: int, kimg: int,
    rate: float) -> None:
  assert presets.get('paper').generator.phases[number] == PhaseConfig(
      kimg * 1000, batch, resolution, fade * 1000, rate)


def test_paper_generator_totals() -> None:
  generator = presets.get('paper').generator
  assert len(generator.phases) == 5
  assert sum(p.images for p in generator.phases) == 30_929_000
  assert dataclasses.asdict(generator) | {'phases': None} == {
      'phases': None, 'beta_1': 0.0, 'beta_2': 0.99, 'epsilon': 1e-8,
      'r1_gamma': 10.0, 'r1_interval': 1, 'ema_half_life_kimg': 10.0,
      'style_mixing_probability': 0.9, 'w_avg_beta': 0.995,
      'mirror_augment': True, 'start_images': 0}


# facts.md 1.7: batch, thousands of iterations.
@pytest.mark.parametrize('stage, batch, iterations_k', [
    ('low_res', 256, 240), ('audio', 64, 200), ('fusion', 64, 420)])
def test_paper_encoder_rows(
    stage: str, batch: int, iterations_k: int) -> None:
  assert _phases(presets.get('paper'), stage) == (
      PhaseConfig(batch * iterations_k * 1000, batch),)


def test_paper_inversion_and_fine_tuning_share_715k_iterations() -> None:
  config = presets.get('paper')
  phases = config.invert.phases + config.finetune.phases
  assert {p.batch_size for p in phases} == {128}
  assert sum(p.images for p in phases) == 128 * 715_000


def test_paper_optimizer_and_weights() -> None:
  config = presets.get('paper')
  assert dataclasses.asdict(config.optimizer) == {
      'learning_rate': 1e-4, 'beta_1': 0.9, 'beta_2': 0.999, 'epsilon': 1e-8,
      'decay': 'none'}
  for stage in ('invert', 'finetune', 'low_res', 'audio', 'fusion'):
    # Zero: the optimizer's fixed 1e-4.
    assert [p.learning_rate for p in _phases(config, stage)] == [0.0]
  assert config.invert.feature_weight == config.finetune.feature_weight == 1.0
  assert config.finetune.lambda_t == 1.0
  assert config.low_res.low_res_weight == config.fusion.low_res_weight == 40.0
  assert config.invert.features == 'vgg16'
  assert config.seed == 1000


def test_paper_model_is_the_authors() -> None:
  model = presets.get('paper').model
  assert model == config_lib.ModelConfig()
  assert (model.num_styles, model.latent_dim) == (12, 512)
  assert (model.rgb_output, model.noise_gain) == ('fade', 1.0)
  assert (model.code_norm, model.low_res_norm) == ('none', 'instance')


def _changes(old: object, new: object, prefix: str = '') -> set[str]:
  """Names with dots of the fields that differ."""
  found = set()
  for field in dataclasses.fields(old):  # type: ignore[arg-type]
    a, b = getattr(old, field.name), getattr(new, field.name)
    if dataclasses.is_dataclass(a):
      found |= _changes(a, b, f'{prefix}{field.name}.')
    elif a != b:
      found.add(f'{prefix}{field.name}')
  return found


def test_the_documentation_names_every_deviation_and_no_other() -> None:
  text = (testing.ROOT / 'docs' / 'configuration.md').read_text('utf-8')
  table = text.partition('## What the small presets change')[2]
  rows = [line.split('|')[1] for line in table.splitlines()
          if line.startswith('| `')]
  named = {name for row in rows for name in re.findall('`(.*?)`', row)}
  changed = set().union(*(
      _changes(presets.get('paper'), presets.get(name))
      for name in config_lib.PRESETS)) - {'preset'}
  assert named == changed


# What facts.md calls unspecified, and what the code leaves open besides.
_OPEN_QUESTIONS = {
    'invert.l1_reduction', 'low_res.l1_reduction', 'audio.l1_reduction',
    'fusion.l1_reduction', 'invert.features', 'invert.feature_layers',
    'invert.feature_distance', 'invert.feature_reduction',
    'finetune.anchor_reduction', 'finetune.lambda_t',
    'finetune.plateau_images', 'finetune.plateau_tolerance',
    'finetune.plateau_smoothing', 'finetune.tunes_mapping', 'invert.phases',
    'finetune.phases', 'fusion.phases', 'optimizer.beta_1',
    'optimizer.beta_2', 'optimizer.epsilon', 'model.code_norm',
    'model.fusion_residual', 'model.fusion_layers', 'fusion.zero_audio',
    'model.low_res_stretch', 'attributes.phases', '--frames_per_clip',
    '--open_share'}


def _has_field(name: str) -> bool:
  """Whether the configuration, or the tool that prepares data, has it."""
  if name.startswith('--'):
    tool = testing.ROOT / 'tools' / 'prepare_voxceleb2.py'
    return f"'{name[2:]}'" in tool.read_text('utf-8')
  record = presets.get('paper')
  for part in name.split('.'):
    if not hasattr(record, part):
      return False
    record = getattr(record, part)
  return True


def test_every_open_question_has_a_field_and_a_documented_default() -> None:
  text = (testing.ROOT / 'docs' / 'configuration.md').read_text('utf-8')
  table = text.partition('## What the paper leaves open')[2].partition(
      '\n## ')[0]
  rows = [re.split(r'(?<!\\)\|', line)[1:-1] for line in table.splitlines()
          if line.startswith('|') and '`' in line]
  assert all(len(row) == 4 for row in rows), rows
  named = [name for row in rows for name in re.findall('`(.*?)`', row[1])]
  assert len(named) == len(set(named))
  assert all(_has_field(name) for name in named), named
  assert _OPEN_QUESTIONS <= set(named)
  assert all(row[1].strip() and row[2].strip() for row in rows)


def test_tiny_is_the_smallest() -> None:
  def images(name: str) -> int:
    config = presets.get(name)
    return sum(p.images for s in config_lib.STAGES
               for p in _phases(config, s))
  assert images('tiny') < images('demo') <= images('bench') < images('paper')
