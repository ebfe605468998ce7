"""Tests of earsr_tf.training.memory, with injected and real failures."""

from __future__ import annotations

import dataclasses

import pytest
import tensorflow as tf

from earsr_tf.training import memory
from tests import fakes

_TOO_LARGE = 1 << 50  # bytes; no address space has room for them


def test_an_injected_failure_becomes_a_sentence() -> None:
  with pytest.raises(memory.OutOfMemoryError) as error:
    with memory.explained('stage fusion', 'lower this'):
      raise MemoryError
  assert str(error.value) == 'stage fusion: out of memory; lower this'
  assert error.value.exit_code == 71


def test_a_real_failure_names_the_tensor() -> None:
  with pytest.raises(memory.OutOfMemoryError) as error:
    with memory.explained('evaluation', 'lower this'):
      tf.fill([_TOO_LARGE // 4], 1.0)
  assert str(error.value) == (
      'evaluation: out of memory (no room for float '
      f'[{_TOO_LARGE // 4}]); lower this')


def test_a_real_failure_inside_a_compiled_function() -> None:
  @tf.function
  def compiled(size: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.fill([size], 1.0) * 2.0)

  with pytest.raises(memory.OutOfMemoryError):
    with memory.explained('evaluation', 'lower this'):
      compiled(tf.constant(_TOO_LARGE // 4, tf.int64))


def test_other_errors_pass() -> None:
  with pytest.raises(tf.errors.DataLossError):
    with memory.explained('stage fusion', 'lower this'):
      raise tf.errors.DataLossError(None, None, 'damaged')


def test_the_remedy_names_flag_and_values() -> None:
  stage = fakes.stage('generator')
  phases = list(stage.phases)
  phases[1] = dataclasses.replace(phases[1], batch_size=12)
  stage = dataclasses.replace(stage, phases=tuple(phases))
  assert '--set=generator.phases.0.batch_size=2 instead of 4 ' in (
      memory.phase_remedy(stage, 0))
  assert '--set=generator.phases.1.batch_size=6 instead of 12 ' in (
      memory.training_remedy(stage))


def test_a_micro_batch_is_named_where_one_helps() -> None:
  stage = fakes.stage('fusion')
  assert 'micro_batch' not in memory.phase_remedy(stage, 0)
  assert memory.phase_remedy(stage, 0, 2).startswith('use --micro_batch=2, ')
  single = dataclasses.replace(stage, phases=tuple(
      dataclasses.replace(phase, batch_size=1) for phase in stage.phases))
  assert memory.phase_remedy(single, 0) == (
      'use a machine with more memory, or a smaller model')
