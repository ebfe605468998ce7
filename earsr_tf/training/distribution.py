"""Devices and the distribution strategy: configured once per process."""

from __future__ import annotations

import contextlib
import functools
import signal
import threading
from typing import Iterator

from absl import logging
import tensorflow as tf

from earsr_tf.training import cluster as cluster_lib


class DeviceError(ValueError):
  """The devices asked for cannot be had in this process."""


def configure(replicas: int) -> None:
  """Sets TensorFlow up to train, on `replicas` logical CPUs without GPUs.

  Call it before any TensorFlow op runs. Calling it again is harmless while
  the process has enough devices. Where TF_CONFIG names several workers there
  is nothing to make: each uses all its GPUs, or its CPU.

  Args:
    replicas: Devices wanted, at least 1; 1 with several workers.

  Raises:
    ClusterError: If TF_CONFIG is malformed.
    DeviceError: If TensorFlow has started with fewer devices, or several
      workers are asked for more than 1.
  """
  if replicas < 1:
    raise DeviceError(f'--replicas={replicas}: use at least 1')
  # It fuses a leaky ReLU into a convolution whose output the gradient needs,
  # fails, prints an error at the first step and leaves the graph as it is.
  tf.config.optimizer.set_experimental_options({'remapping': False})
  if cluster_lib.from_environment().count > 1:
    if replicas > 1:
      raise DeviceError(
          f'--replicas={replicas}: {cluster_lib.VARIABLE} names several '
          'workers, and each of them uses all its GPUs, or its CPU as one '
          'device; leave --replicas out')
    return
  if len(tf.config.list_physical_devices('GPU')) >= replicas:
    return
  cpu = tf.config.list_physical_devices('CPU')[0]
  made = tf.config.get_logical_device_configuration(cpu)
  if made is not None and len(made) >= replicas:
    return
  if replicas == 1:
    return
  try:
    tf.config.set_logical_device_configuration(
        cpu, [tf.config.LogicalDeviceConfiguration()] * replicas)
  except RuntimeError as error:
    raise DeviceError(
        f'--replicas={replicas}: TensorFlow has already started with fewer '
        'devices in this process; start a new one') from error


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
  """Ctrl-C ends the process; Python's handler would wait for TensorFlow."""
  previous = signal.getsignal(signal.SIGINT)
  is_ours = (threading.current_thread() is threading.main_thread()
             and previous not in (signal.SIG_IGN, None))
  if is_ours:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
  try:
    yield
  finally:
    if is_ours:
      signal.signal(signal.SIGINT, previous)


@functools.cache  # a process joins a cluster once
def _joined(cluster: cluster_lib.Cluster
            ) -> tf.distribute.MultiWorkerMirroredStrategy:
  """The strategy over all workers; waits for them.

  Its collectives pair up calls by order of tracing. All workers run the same
  program, which traces in the same order, so that nothing is mixed up.
  """
  tf.get_logger().setLevel('WARNING')  # else a line for every sum in the graph
  kinds = tf.distribute.experimental.CommunicationImplementation
  has_gpu = bool(tf.config.list_physical_devices('GPU'))
  try:
    with _interruptible():
      logging.info(
          '%s: waiting for %s', cluster.name(cluster.index), ', '.join(
              cluster.name(i) for i in range(cluster.count)
              if i != cluster.index))
      return tf.distribute.MultiWorkerMirroredStrategy(
          communication_options=tf.distribute.experimental.CommunicationOptions(
              implementation=kinds.AUTO if has_gpu else kinds.RING))
  except (tf.errors.OpError, RuntimeError) as error:
    reason = str(error).strip().splitlines()[0][:200]
    raise cluster_lib.LostWorkerError(
        f'{cluster.name(cluster.index)} could not join the other workers '
        f'({reason}); start the same command on all of them, and see that '
        'their ports are free and can be reached') from error


def make_strategy(replicas: int) -> tf.distribute.Strategy:
  """MirroredStrategy over the first `replicas` GPUs, else CPUs.

  Where TF_CONFIG names several workers, MultiWorkerMirroredStrategy over all
  GPUs of each, else its CPU.

  Raises:
    DeviceError: If there are not so many devices.
    LostWorkerError: If the other workers do not come.
  """
  configure(replicas)
  cluster = cluster_lib.from_environment()
  if cluster.count > 1:
    return _joined(cluster)
  gpus = tf.config.list_logical_devices('GPU')
  devices = gpus if len(gpus) >= replicas else (
      tf.config.list_logical_devices('CPU'))
  if len(devices) < replicas:
    raise DeviceError(
        f'--replicas={replicas}: only {len(devices)} devices are available')
  # Collectives among logical CPUs pair up calls by order of tracing and can
  # mix them up; a plain sum on one device cannot.
  reduction = None if devices is gpus else (
      tf.distribute.ReductionToOneDevice())
  return tf.distribute.MirroredStrategy(
      [device.name for device in devices[:replicas]],
      cross_device_ops=reduction)


def total(replicas: int) -> int:
  """Replicas in all processes, where each was started with `replicas`."""
  count = cluster_lib.from_environment().count
  if count == 1:
    return replicas
  return count * max(1, len(tf.config.list_physical_devices('GPU')))


def check_batch(batch_size: int, replicas: int, group: int) -> None:
  """The global batch must split into whole groups on every replica.

  Args:
    batch_size: Global batch.
    replicas: Devices, of all workers.
    group: Group size of the mini-batch standard deviation; 1 if unused.

  Raises:
    DeviceError: Naming the numbers and what to change.
  """
  if batch_size % replicas:
    raise DeviceError(
        f'batch_size={batch_size} does not split over {_named(replicas)}')
  local = batch_size // replicas
  if local % min(group, local):
    raise DeviceError(
        f'batch_size={batch_size} over {_named(replicas)} leaves {local} '
        f'images a replica, no multiple of model.stddev_group={group}')


def _named(replicas: int) -> str:
  workers = cluster_lib.from_environment().count
  return (f'--replicas={replicas}' if workers == 1 else
          f'{replicas} devices of {workers} workers')
