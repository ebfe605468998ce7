"""Tests of earsr_tf.training.micro_batches: sizes, and means by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.training import distribution
from earsr_tf.training import micro_batches
from tests import fakes


@pytest.mark.parametrize('batch_size, replicas, group, most, size', [
    (8, 1, 1, 0, 8), (8, 1, 1, 8, 8), (8, 1, 1, 100, 8), (8, 2, 1, 6, 4),
    (8, 1, 1, 4, 4), (8, 1, 1, 3, 2), (8, 2, 1, 1, 1), (6, 1, 1, 5, 3),
    (7, 1, 1, 4, 1), (256, 1, 4, 32, 32), (12, 1, 4, 7, 4), (12, 1, 2, 5, 4),
    (24, 2, 4, 11, 4), (2, 1, 4, 2, 2)])
def test_slices_are_equal_whole_groups_of_at_most_so_many(
    batch_size: int, replicas: int, group: int, most: int, size: int) -> None:
  assert micro_batches.slice_size(batch_size, replicas, group, most) == size


@pytest.mark.parametrize('batch_size, most, words', [
    (8, 3, '--micro_batch=3: .* group of 4 .* 8 images .*--micro_batch=4'),
    (2, 1, '--micro_batch=1: .* group of 2 .* 2 images')])
def test_a_group_is_not_cut(batch_size: int, most: int, words: str) -> None:
  with pytest.raises(distribution.DeviceError, match=words):
    micro_batches.slice_size(batch_size, 1, 4, most)


def test_the_mean_over_slices_by_hand() -> None:
  x = tf.constant([[1.0, 2], [3, 4], [5, 6], [7, 8], [9, 10], [11, 12]])
  seen = []

  def function(batch):
    seen.append(batch['x'].shape)
    return {'first': batch['x'][0], 'sum': tf.reduce_sum(batch['x']),
            'none': None}

  found = tf.function(lambda: micro_batches.mean(
      function, {'x': x}, size=2, count=3, zeros={
          'first': tf.zeros([2]), 'sum': tf.zeros([]),
          'none': tf.zeros([3])}), autograph=False)()
  np.testing.assert_allclose(found['first'], [5, 6])  # of rows 0, 2 and 4
  assert float(found['sum']) == pytest.approx(78 / 3)
  np.testing.assert_array_equal(found['none'], np.zeros(3))
  assert seen == [[2, 2]]  # traced once, with its static shape


@pytest.mark.parametrize('name, batch_size, replicas, most, lower', [
    ('fusion', 8, 1, 0, 4), ('fusion', 8, 2, 0, 2), ('fusion', 8, 1, 2, 1),
    ('fusion', 8, 1, 1, 0), ('fusion', 12, 1, 8, 3), ('generator', 12, 1, 0, 4),
    ('generator', 4, 1, 0, 0), ('generator', 16, 2, 0, 4),
    ('wavelet_srnet', 8, 1, 0, 0), ('lapsrn', 8, 1, 0, 4)])
def test_the_next_lower_one_is_below_what_a_replica_computes_now(
    name: str, batch_size: int, replicas: int, most: int, lower: int) -> None:
  config = fakes.small_config()
  config = dataclasses.replace(
      config, model=dataclasses.replace(config.model, stddev_group=4),
      training=dataclasses.replace(config.training, micro_batch=most))
  stage = fakes.stage(name, config)
  phase = dataclasses.replace(stage.phases[0], batch_size=batch_size)
  assert micro_batches.smaller(stage, config, phase, replicas) == lower


def test_a_stage_with_batch_norm_is_not_divided() -> None:
  config = fakes.small_config()
  config = dataclasses.replace(config, training=dataclasses.replace(
      config.training, micro_batch=2))
  stage = fakes.stage('wavelet_srnet', config)
  with pytest.raises(distribution.DeviceError,
                     match='--micro_batch=2: stage wavelet_srnet .* the 4 '):
    micro_batches.of_phase(stage, config, stage.phases[0], 1)
  assert micro_batches.of_phase(stage, config, stage.phases[0], 2) == 2
