"""Devices and the distribution strategy: configured once per process."""

from __future__ import annotations

import tensorflow as tf


class DeviceError(ValueError):
  """The devices asked for cannot be had in this process."""


def configure(replicas: int) -> None:
  """Makes `replicas` logical CPUs where there are too few GPUs.

  Call it before any TensorFlow op runs. Calling it again is harmless while
  the process has enough devices.

  Args:
    replicas: Devices wanted, at least 1.

  Raises:
    DeviceError: If TensorFlow has started with fewer devices.
  """
  if replicas < 1:
    raise DeviceError(f'--replicas={replicas}: use at least 1')
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


def make_strategy(replicas: int) -> tf.distribute.MirroredStrategy:
  """MirroredStrategy over the first `replicas` GPUs, else CPUs.

  Raises:
    DeviceError: If there are not so many devices.
  """
  configure(replicas)
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


def check_batch(batch_size: int, replicas: int, group: int) -> None:
  """The global batch must split into whole groups on every replica.

  Args:
    batch_size: Global batch.
    replicas: Devices.
    group: Group size of the mini-batch standard deviation; 1 if unused.

  Raises:
    DeviceError: Naming the numbers and what to change.
  """
  if batch_size % replicas:
    raise DeviceError(
        f'batch_size={batch_size} does not split over --replicas={replicas}')
  local = batch_size // replicas
  if local % min(group, local):
    raise DeviceError(
        f'batch_size={batch_size} over --replicas={replicas} leaves {local} '
        f'images a replica, no multiple of model.stddev_group={group}')
