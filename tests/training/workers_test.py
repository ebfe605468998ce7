"""Tests of earsr_tf.training.workers without a cluster.

tests/e2e/workers_test.py has two processes.
"""

from __future__ import annotations

import pathlib
from unittest import mock

import pytest
import tensorflow as tf

from earsr_tf.data import batching
from earsr_tf.data import keys
from earsr_tf.data import stream
from earsr_tf.training import cluster as cluster_lib
from earsr_tf.training import distribution
from earsr_tf.training import workers
from tests import fakes

_CLUSTER = cluster_lib.Cluster(
    ('one:1', 'two:2'), 0, ('worker:0', 'worker:1'))


def _chief() -> workers.Workers:
  """Worker 0 of two, whose sums over workers are what it brings itself."""
  strategy = mock.Mock(num_replicas_in_sync=2)
  made = workers.Workers(cluster=_CLUSTER, strategy=strategy)
  made._sum = lambda values: values
  return made


def test_one_process_agrees_with_itself() -> None:
  alone = workers.Workers()
  assert alone.is_chief
  assert alone.any(True) and not alone.any(False)
  alone.wait()
  alone.check_same({'configuration': 'this'})


def test_one_process_hands_errors_on() -> None:
  with pytest.raises(tf.errors.UnavailableError):
    with workers.Workers().explained('stage fusion'):
      raise tf.errors.UnavailableError(None, None, 'a service')


@pytest.mark.parametrize('kind, message, reason', [
    (tf.errors.UnavailableError,
     'Graph execution error:\n\nCollective ops is aborted by: Error reported '
     'from /job:worker/task:1: Task /job:worker/replica:0/task:1 heartbeat '
     'timeout. This\n', 'Task heartbeat timeout. This'),
    (tf.errors.InternalError, 'Collective ops is aborted by: an end', 'an end'),
    (tf.errors.AbortedError, 'gone', 'gone')])
def test_a_lost_worker_is_named(
    kind: type[tf.errors.OpError], message: str, reason: str) -> None:
  with pytest.raises(cluster_lib.LostWorkerError) as error:
    with _chief().explained('stage fusion'):
      raise kind(None, None, message)
  assert str(error.value) == (
      f'stage fusion: worker:1 (two:2) ended or cannot be reached ({reason}); '
      'start the same command again on every worker, and training goes on '
      'from the last checkpoint')
  assert error.value.exit_code == 69


def test_other_errors_of_a_cluster_stay_what_they_are() -> None:
  with pytest.raises(tf.errors.DataLossError):
    with _chief().explained('stage fusion'):
      raise tf.errors.DataLossError(None, None, 'damaged')


def test_workers_of_another_command_are_refused() -> None:
  with pytest.raises(cluster_lib.ClusterError) as error:
    _chief().check_same({'configuration': 'a'})  # worker 1 brought zeros
  assert str(error.value).startswith(
      'worker:1 (two:2) has another configuration than worker:0 (one:1); ')


def test_several_workers_take_no_replicas(
    monkeypatch: pytest.MonkeyPatch) -> None:
  monkeypatch.setenv('TF_CONFIG', (
      '{"cluster": {"worker": ["one:1", "two:2"]}, '
      '"task": {"type": "worker", "index": 1}}'))
  with pytest.raises(distribution.DeviceError, match='leave --replicas out'):
    workers.join(2)
  with pytest.raises(distribution.DeviceError) as error:
    distribution.check_batch(5, 2, 1)
  assert str(error.value) == (
      'batch_size=5 does not split over 2 devices of 2 workers')


@pytest.mark.parametrize('memory_bytes', [0, batching.MEMORY_BYTES])
def test_shares_make_up_the_batch(
    tmp_path: pathlib.Path, memory_bytes: int) -> None:
  fakes.write_data(tmp_path / 'data')
  data = batching.TrainingData(
      data=str(tmp_path / 'data'), splits=('d_pre', 'd_rest'),
      inputs=(keys.IMAGE_HIGH,), memory_bytes=memory_bytes)

  def read(share: stream.Share | None) -> dict[str, tf.Tensor]:
    found = list(data.batches(
        batch_size=6, seed=1, start_images=2, share=share).take(2))
    return {name: tf.concat([batch[name] for batch in found], axis=0)
            for name in found[0]}

  whole = read(None)
  left, right = (read(stream.Share(first=first, stop=first + 3, size=3))
                 for first in (0, 3))
  assert whole[keys.INDEX].numpy().tolist() == list(range(2, 14))
  assert left[keys.INDEX].numpy().tolist() == [2, 3, 4, 8, 9, 10]
  assert right[keys.INDEX].numpy().tolist() == [5, 6, 7, 11, 12, 13]
  for part in (left, right):
    rows = part[keys.INDEX] - 2
    assert bool(tf.reduce_all(
        part[keys.IMAGE_HIGH] == tf.gather(whole[keys.IMAGE_HIGH], rows)))


def test_one_device_reads_without_a_tuner(tmp_path: pathlib.Path) -> None:
  # The end of an iterator with a tuner may wait for it: up to a minute.
  fakes.write_data(tmp_path / 'data')
  data = batching.TrainingData(
      data=str(tmp_path / 'data'), splits=('d_pre',), inputs=(keys.IMAGE_HIGH,))

  def make(batch_size: int, images: int) -> tf.data.Dataset:
    return data.batches(batch_size=batch_size, seed=1, start_images=images)

  batches = workers.Workers().batches(
      distribution.make_strategy(1), make, 4, 2)
  assert isinstance(batches, tf.data.Iterator)
  assert next(batches)[keys.INDEX].numpy().tolist() == [2, 3, 4, 5]
  assert not make(4, 2).options().autotune.enabled


def test_replicas_get_their_rows_of_the_very_batches_one_would_see() -> None:
  def make_dataset(batch_size, start):
    return tf.data.Dataset.range(start, 1000).map(lambda i: {
        keys.INDEX: i, keys.AGE: tf.fill([3], tf.cast(i, tf.float32))}).batch(
            batch_size, drop_remainder=True)
  strategy = distribution.make_strategy(2)
  batches = workers.Workers().batches(strategy, make_dataset, 4, 8)
  for first in (8, 12):
    batch = next(batches)
    for number, key in enumerate((keys.INDEX, keys.AGE)):
      one, two = strategy.experimental_local_results(batch[key])
      assert one.shape == two.shape == ([2], [2, 3])[number]
      assert one.numpy().reshape(2, -1)[:, 0].tolist() == [first, first + 1]
      assert two.numpy().reshape(2, -1)[:, 0].tolist() == [
          first + 2, first + 3]
  # Inside a step a replica sees its own.
  total = strategy.run(tf.reduce_sum, args=(batch[keys.INDEX],))
  assert [int(v) for v in strategy.experimental_local_results(total)] == [
      25, 29]
