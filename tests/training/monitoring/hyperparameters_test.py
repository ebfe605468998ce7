"""Tests of earsr_tf.training.monitoring.hyperparameters."""

from __future__ import annotations

from earsr_tf.training.monitoring import hyperparameters
from tests import fakes


def test_the_values_of_a_stage() -> None:
  config = fakes.small_config()
  values = hyperparameters.core_values(
      config, fakes.stage('finetune', config))
  assert values['preset'] == 'tiny' and values['seed'] == 1000
  assert values['finetune.plateau_images'] == 8
  assert values['invert.features'] == 'discriminator'  # finetune reads it
  assert values['optimizer.learning_rate'] == 1e-3
  assert values['model.fusion_residual'] is True
  assert (values['images'], values['batch_size'], values['resolution'],
          values['learning_rate']) == (16, 4, 16, 1e-3)
  assert not any(key.startswith(('audio.', 'training.')) for key in values)
  assert {type(value) for value in values.values()} <= {bool, int, float, str}


def test_the_schedule_counts_all_phases() -> None:
  config = fakes.small_config()
  values = hyperparameters.core_values(
      config, fakes.stage('generator', config))
  assert values['images'] == 32 and values['resolution'] == 16
