"""What the processes of a cluster do together: agree, wait, and notice loss.

In a single process everything here is trivial, and no operation is made.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import shutil
from typing import Any, Callable, Iterator, Mapping

import numpy as np
import tensorflow as tf

from earsr_tf.data import stream
from earsr_tf.training import checkpoints
from earsr_tf.training import cluster as cluster_lib
from earsr_tf.training import distribution
from earsr_tf.training import lock

# (batch_size, start_images[, share]) -> endless dataset of batches, or of a
# worker's share of them.
MakeDataset = Callable[..., tf.data.Dataset]
# What TensorFlow raises where a peer is gone, or words in what else it raises.
_LOST = (tf.errors.UnavailableError, tf.errors.AbortedError,
         tf.errors.CancelledError, tf.errors.DeadlineExceededError)
_LOST_WORDS = ('Collective ops is aborted', 'oordination service')
_ORIGIN = re.compile(r'Error reported from \S+: |/job:\S+ ?')


class Workers:
  """The processes that train together; all must make the same calls.

  Attributes:
    cluster: Who they are.
    is_chief: Whether this one writes for all.
  """

  def __init__(self, *, cluster: cluster_lib.Cluster = cluster_lib.Cluster(),
               strategy: tf.distribute.Strategy | None = None):
    """Takes the cluster and, for more than one process, its strategy."""
    self.cluster = cluster
    self.is_chief = cluster.is_chief
    self._strategy = strategy
    if strategy is not None:
      self._local = strategy.num_replicas_in_sync // cluster.count
      self._sum = _sum_function(strategy)

  def any(self, flag: bool) -> bool:
    """Whether `flag` is true in any of them; waits for all."""
    if self._strategy is None:
      return flag
    return bool(self._total(np.array([flag], np.int64))[0])

  def wait(self) -> None:
    """Waits until all of them are here."""
    self.any(False)

  @contextlib.contextmanager
  def chief_first(self) -> Iterator[None]:
    """What is inside happens in the chief before it does in the others."""
    if not self.is_chief:
      self.wait()
    yield
    if self.is_chief:
      self.wait()

  def check_same(self, values: Mapping[str, str]) -> None:
    """Refuses workers that were not started with the same command.

    Args:
      values: What must be the same -> its value here; the same keys in all.

    Raises:
      ClusterError: Naming a worker that differs from the chief, and in what.
    """
    if self._strategy is None:
      return
    table = np.zeros([self.cluster.count, len(values)], np.int64)
    table[self.cluster.index] = [_digest(value) for value in values.values()]
    table = self._total(table.ravel()).reshape(table.shape) // self._local
    for index, row in enumerate(table):
      differing = [k for k, same in zip(values, row == table[0]) if not same]
      if differing:
        name = self.cluster.name
        raise cluster_lib.ClusterError(
            f'{name(index)} has another {" and ".join(differing)} than '
            f'{name(0)}; start all workers with the same command, code, '
            '--data_dir and --run_root')

  def batches(self, strategy: tf.distribute.Strategy,
              make_dataset: MakeDataset, batch_size: int, images: int
              ) -> Iterator[Any]:
    """Endless batches, split over all devices.

    Args:
      strategy: Knows the devices.
      make_dataset: Gives the global batches, or this worker's share.
      batch_size: Global batch.
      images: Images shown before.
    """
    if self._strategy is None:
      # An iterator of `tf.distribute` has a tuner of its own, and its end
      # waits for that tuner's next turn: up to a minute after each phase.
      batches = iter(make_dataset(batch_size, images))
      count = strategy.num_replicas_in_sync
      return batches if count == 1 else _split(strategy, batches, count)
    if strategy.num_replicas_in_sync == 1:
      return iter(make_dataset(batch_size, images))
    # Said beforehand: else workers ask each other in every step for its end.
    dataset = make_dataset(batch_size, images, self._share(batch_size)).apply(
        tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY))
    return iter(strategy.distribute_datasets_from_function(lambda _: dataset))

  def _share(self, batch_size: int) -> stream.Share:
    size = batch_size // self._strategy.num_replicas_in_sync
    rows = size * self._local
    first = rows * self.cluster.index
    return stream.Share(first=first, stop=first + rows, size=size)

  @contextlib.contextmanager
  def hold(self, run_root: str, stage: str, restart: bool) -> Iterator[None]:
    """Holds a stage's folder; the chief does so for all.

    Args:
      run_root: Folder of the stages.
      stage: Name of the stage.
      restart: Whether to remove what is there.

    Raises:
      LockedError: If another process holds it.
    """
    folder = checkpoints.stage_dir(run_root, stage)
    with lock.hold(run_root, stage) if self.is_chief else (
        contextlib.nullcontext()):
      with self.chief_first():
        if restart and self.is_chief and folder.exists():
          shutil.rmtree(folder)
      yield

  @contextlib.contextmanager
  def explained(self, where: str) -> Iterator[None]:
    """Turns what TensorFlow says of lost workers into a sentence.

    Args:
      where: What goes on inside, such as 'stage fusion'.

    Raises:
      LostWorkerError: Naming the worker, if TensorFlow does.
    """
    try:
      yield
    except tf.errors.OpError as error:
      if self._strategy is None or not _is_loss(error):
        raise
      raise cluster_lib.LostWorkerError(
          f'{where}: {self._lost(str(error))}; start the same command again on '
          'every worker, and training goes on from the last checkpoint'
          ) from error

  def _lost(self, message: str) -> str:
    """Who is gone, and why, as far as TensorFlow's message tells."""
    gone = self.cluster.find(message) or [
        i for i in range(self.cluster.count) if i != self.cluster.index]
    names = ' or '.join(self.cluster.name(i) for i in gone)
    return f'{names} ended or cannot be reached ({_reason(message)})'

  def _total(self, values: np.ndarray) -> np.ndarray:
    return self._sum(tf.constant(values)).numpy()


def _split(strategy: tf.distribute.Strategy, batches: Iterator[Any],
           count: int) -> Iterator[Any]:
  """Global batches, each replica's rows in one piece, by its number."""
  for batch in batches:
    parts = {name: tf.split(value, count) for name, value in batch.items()}
    yield strategy.experimental_distribute_values_from_function(
        lambda context, parts=parts: {
            name: pieces[context.replica_id_in_sync_group]
            for name, pieces in parts.items()})


def join(replicas: int) -> Workers:
  """Joins the cluster of TF_CONFIG, if there is one; waits for all workers.

  Call it before any TensorFlow op runs; again, it is harmless.

  Args:
    replicas: Devices wanted of a single process.

  Raises:
    ClusterError: If TF_CONFIG is malformed.
    DeviceError: If the devices cannot be had.
    LostWorkerError: If the other workers do not come.
  """
  cluster = cluster_lib.from_environment()
  distribution.configure(replicas)
  if cluster.count == 1:
    return Workers()
  return Workers(
      cluster=cluster, strategy=distribution.make_strategy(replicas))


def _is_loss(error: tf.errors.OpError) -> bool:
  return isinstance(error, _LOST) or any(
      word in str(error) for word in _LOST_WORDS)


def _reason(message: str) -> str:
  """The first words of TensorFlow's message that say something."""
  lines = [line.strip() for line in message.splitlines() if line.strip()]
  for line in lines:
    if 'aborted by: ' in line:
      return _ORIGIN.sub('', line.partition('aborted by: ')[2])[:120]
  return (lines or ['no reason given'])[0][:120]


def _digest(text: str) -> int:
  return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], 'big')


def _sum_function(strategy: tf.distribute.Strategy
                  ) -> Callable[[tf.Tensor], tf.Tensor]:
  """[n] int64 -> its sum over all replicas, [n]."""
  def add(values):
    """The sum over replicas, [n]."""
    # A tensor made here has a device, which the sum asks for.
    return tf.distribute.get_replica_context().all_reduce(
        tf.distribute.ReduceOp.SUM, tf.identity(values))

  @tf.function(autograph=False,
               input_signature=[tf.TensorSpec([None], tf.int64)])
  def total(values):
    """The sum as this replica sees it, [n]."""
    summed = strategy.run(add, args=(values,))
    return strategy.experimental_local_results(summed)[0]
  return total
