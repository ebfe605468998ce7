"""Tests of earsr_tf.training.distribution on two logical CPUs."""

from __future__ import annotations

import pytest
import tensorflow as tf

from earsr_tf.training import distribution


@pytest.mark.parametrize('batch, replicas, group', [
    (4, 1, 4), (4, 2, 2), (2, 1, 4), (2, 2, 4), (8, 2, 4), (3, 3, 4),
    (6, 2, 1), (32, 8, 4)])
def test_batches_that_split_into_whole_groups(
    batch: int, replicas: int, group: int) -> None:
  distribution.check_batch(batch, replicas, group)


def test_a_batch_that_does_not_split_over_the_replicas() -> None:
  with pytest.raises(distribution.DeviceError) as error:
    distribution.check_batch(5, 2, 1)
  assert str(error.value) == (
      'batch_size=5 does not split over --replicas=2')


@pytest.mark.parametrize('batch, replicas, group, words', [
    (6, 1, 4, 'leaves 6 images a replica, no multiple of '
     'model.stddev_group=4'),
    (12, 2, 4, 'leaves 6 images a replica')])
def test_a_batch_that_cuts_a_group(
    batch: int, replicas: int, group: int, words: str) -> None:
  with pytest.raises(distribution.DeviceError) as error:
    distribution.check_batch(batch, replicas, group)
  assert words in str(error.value)


def test_replicas_must_be_positive() -> None:
  with pytest.raises(distribution.DeviceError, match='at least 1'):
    distribution.configure(0)


@pytest.mark.parametrize('replicas', [1, 2])
def test_a_strategy_has_as_many_replicas_as_asked_for(replicas: int) -> None:
  strategy = distribution.make_strategy(replicas)
  assert strategy.num_replicas_in_sync == replicas


def test_too_many_replicas_are_refused_once_tensorflow_runs() -> None:
  tf.config.list_logical_devices()  # devices are fixed from here on
  with pytest.raises(distribution.DeviceError, match='--replicas=9'):
    distribution.make_strategy(9)


def test_graphs_are_not_remapped():
  distribution.configure(1)
  options = tf.config.optimizer.get_experimental_options()
  assert options['remapping'] is False
