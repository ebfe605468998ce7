"""Gradient accumulation: a batch in slices, to save memory.

What a forward pass keeps for the gradients grows with the images; a slice of a
batch keeps less. Stages draw by an image's place in the global batch, so a
slice draws what the whole batch would.
"""

from __future__ import annotations

from typing import Any, Callable, Mapping

import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf.stages import stage as stage_lib
from earsr_tf.training import distribution

Batch = Mapping[str, tf.Tensor]


def slice_size(batch_size: int, replicas: int, group: int, most: int) -> int:
  """Images per slice: the most that cut a replica's share into equal ones.

  Equal slices need no weights and one trace. Those of the mini-batch standard
  deviation are whole groups, so that each image is compared with the same
  images as in the undivided batch.

  Args:
    batch_size: Global batch.
    replicas: Devices; `distribution.check_batch` has passed.
    group: Group size of the mini-batch standard deviation; 1 if unused.
    most: `training.micro_batch`, 0 for undivided batches.

  Returns:
    Images per slice; a replica's whole share if it is not divided.

  Raises:
    DeviceError: If a group is larger than `most`.
  """
  local = batch_size // replicas
  group = min(group, local)
  if not most or most >= local:
    return local
  sizes = [size for size in range(group, most + 1, group) if not local % size]
  if not sizes:
    raise distribution.DeviceError(
        f'--micro_batch={most}: the mini-batch standard deviation compares '
        f'the images of a group of {group} (model.stddev_group), so that a '
        f'share of {local} images cannot be cut finer; use --micro_batch='
        f'{group} or more, or 0 for undivided batches')
  return sizes[-1]


def of_phase(stage: stage_lib.Stage, config: config_lib.Config,
             phase: stage_lib.Phase, replicas: int) -> int:
  """Images that a replica computes at a time in a phase.

  Args:
    stage: The stage.
    config: Its `training.micro_batch` counts, and the group of `generator`.
    phase: One of the stage's.
    replicas: Devices of all workers.

  Raises:
    DeviceError: If the batch does not fit the devices, or its groups the
      micro-batches.
  """
  group, most = _group(stage, config), config.training.micro_batch
  distribution.check_batch(phase.batch_size, replicas, group)
  local = phase.batch_size // replicas
  if stage.normalizes_batch and 0 < most < local:
    raise distribution.DeviceError(
        f'--micro_batch={most}: stage {stage.name} normalises the {local} '
        'images of a replica together, so that they cannot be divided; use '
        '--micro_batch=0')
  return slice_size(phase.batch_size, replicas, group, most)


def smaller(stage: stage_lib.Stage, config: config_lib.Config,
            phase: stage_lib.Phase, replicas: int) -> int:
  """The next lower `training.micro_batch` of use; 0 if there is none.

  The arguments are those of `of_phase`.
  """
  now, group = of_phase(stage, config, phase, replicas), _group(stage, config)
  return 0 if now <= group or stage.normalizes_batch else slice_size(
      phase.batch_size, replicas, group, now // 2)


def _group(stage: stage_lib.Stage, config: config_lib.Config) -> int:
  """Images that D's mini-batch standard deviation compares; 1: none."""
  return config.model.stddev_group if stage.name == 'generator' else 1


def mean(function: Callable[[Batch], Any], batch: Batch, *, size: int,
         count: int, zeros: Any) -> Any:
  """The mean of `function` over the slices of a batch, one after the other.

  Only one slice's intermediate tensors are in memory at a time: a loop in the
  graph without parallel iterations, whose size does not grow with `count`.

  Args:
    function: A slice -> a structure of tensors; None where it has nothing.
    batch: Entries [size * count, ...].
    size: Images per slice.
    count: Slices.
    zeros: The structure of a result, with zeros.

  Returns:
    The structure; zeros stay where `function` has None.
  """
  def body(number: tf.Tensor, sums: Any) -> tuple[tf.Tensor, Any]:
    """Adds the result of slice `number` to the sums."""
    begin = number * size
    part = {name: tf.ensure_shape(
        values[begin:begin + size], [size, *values.shape[1:]])
            for name, values in batch.items()}
    return number + 1, tf.nest.map_structure(
        lambda old, new: old if new is None else old + new, sums,
        function(part))

  _, sums = tf.while_loop(
      lambda number, _: number < count, body, (0, zeros),
      parallel_iterations=1)
  return tf.nest.map_structure(lambda value: value / count, sums)
