"""What one step of a stage costs, before it is run.

The step is traced in a graph that is never run: no variable is allocated.
Operations count multiplications and additions of convolutions and matrix
products, as every operation of the gradients that the step needs is there.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any, Iterable, Sequence

import tensorflow as tf

from earsr_tf.data import keys
from earsr_tf.ops import spectrogram
from earsr_tf.stages import stage as stage_lib
from earsr_tf.training import micro_batches

_GIGA = 1e9
_FREE = ('Const', 'Placeholder', 'ReadVariableOp', 'VarHandleOp', 'Shape')


@dataclasses.dataclass(frozen=True)
class Cost:
  """What a step of a stage's costliest phase costs.

  Attributes:
    phase: That phase: the largest images, then the largest batch.
    parameters: Network -> trainable weights, averages and frozen ones too.
    trained: Weights that an update moves.
    flop: Update -> operations per step; lazy updates count their share.
    memory: Bytes of 'weights', 'gradients', 'optimizer' and 'activations'
      (what the forward pass keeps for the gradients), on one device.
  """
  phase: stage_lib.Phase
  parameters: dict[str, int]
  trained: int
  flop: dict[str, float]
  memory: dict[str, int]

  def to_json(self) -> dict[str, Any]:
    """JSON-ready values in units for people."""
    gigabytes = {k: round(v / _GIGA, 3) for k, v in self.memory.items()}
    gigaflop = {k: round(v / _GIGA, 3) for k, v in self.flop.items()}
    return {
        'resolution': self.phase.resolution,
        'batch_size': self.phase.batch_size,
        'parameters': self.parameters,
        'trained_parameters': self.trained,
        'memory_gb': {
            **gigabytes,
            'total': round(sum(self.memory.values()) / _GIGA, 3)},
        'gflop_per_step': {
            **gigaflop, 'total': round(sum(self.flop.values()) / _GIGA, 3)}}


def estimate(stage: stage_lib.Stage, image_size: int,
             batch_size: int = 0, micro_batch: int = 0) -> Cost:
  """Traces a step of the costliest phase and counts.

  Args:
    stage: The stage; weights of other stages are not needed.
    image_size: Side of `image_high`.
    batch_size: Another global batch than the phase's.
    micro_batch: `training.micro_batch`.

  Returns:
    The cost.
  """
  phase = max(stage.phases, key=lambda p: (p.resolution, p.batch_size))
  if batch_size:
    phase = dataclasses.replace(phase, batch_size=batch_size)
  # Nothing here needs AutoGraph, and without it tracing takes half the time.
  networks, traces = tf.autograph.experimental.do_not_convert(_traces)(
      stage, phase, image_size)
  sizes = {name: _bytes(network.variables)
           for name, network in networks.items()}
  for name in stage.averages:
    networks[f'{name}_ema'] = networks[name]
    sizes[f'{name}_ema'] = sizes[name]
  moved = {name for update in stage.updates for name in update.trains}
  trained = [v for name in sorted(moved)
             for v in networks[name].trainable_variables]
  slice_size = micro_batches.slice_size(phase.batch_size, 1, 1, micro_batch)
  slices = phase.batch_size // slice_size
  return Cost(
      phase=phase,
      parameters={name: _count(network.trainable_variables or
                               network.variables)
                  for name, network in networks.items()},
      trained=_count(trained),
      flop={u.name: traces[u.name].flop / u.interval for u in stage.updates},
      memory={'weights': sum(sizes.values()),
              # Of a slice, and the sum over the slices so far.
              'gradients': min(slices, 2) * max(
                  t.gradients for t in traces.values()),
              'optimizer': 2 * _bytes(trained),
              'activations': max(t.kept for t in traces.values()) // slices})


def count_flop(operations: Iterable[tf.Operation]) -> int:
  """Multiplications and additions of convolutions and matrix products."""
  return sum(_flop(operation) for operation in operations)


def needed(tensors: Sequence[tf.Tensor]) -> list[tf.Operation]:
  """All operations that must run for `tensors`."""
  queue, seen = [t.op for t in tensors], set()
  while queue:
    operation = queue.pop()
    if operation not in seen:
      seen.add(operation)
      queue += [t.op for t in operation.inputs]
  return list(seen)


@dataclasses.dataclass(frozen=True)
class _Trace:
  """Operations, bytes kept for the gradients and bytes of gradients."""
  flop: int
  kept: int
  gradients: int


def _traces(stage: stage_lib.Stage, phase: stage_lib.Phase, image_size: int
            ) -> tuple[dict[str, tf.keras.Model], dict[str, _Trace]]:
  """The networks, unallocated, and the trace of every update."""
  with tf.Graph().as_default():
    networks = dict(stage.build())
    batch = _batch(stage, phase.batch_size, image_size)
    clock = _clock(phase)
    return networks, {update.name: _trace(update, networks, batch, clock)
                      for update in stage.updates}


def _trace(update: stage_lib.Update, networks: stage_lib.Networks,
           batch: stage_lib.Batch, clock: stage_lib.Clock) -> _Trace:
  variables = [v for name in update.trains
               for v in networks[name].trainable_variables]
  with tf.GradientTape(watch_accessed_variables=False) as tape:
    tape.watch(variables)
    terms = update.terms(networks, batch, clock)
    total = tf.add_n([tf.reduce_mean(terms[name]) for name in update.weights])
  forward = set(total.graph.get_operations())
  gradients = [g for g in tape.gradient(total, variables) if g is not None]
  state = update.moves(networks, batch, clock) if update.moves else []
  operations = needed([total, *gradients, *(value for _, value in state)])
  kept = {t.ref() for operation in operations if operation not in forward
          for t in operation.inputs
          if t.op in forward and t.op.type not in _FREE}
  return _Trace(
      flop=count_flop(operations),
      kept=sum(_tensor_bytes(t.deref(), clock.batch_size) for t in kept),
      gradients=sum(_tensor_bytes(g, 1) for g in gradients))


def _batch(stage: stage_lib.Stage, batch_size: int, image_size: int
           ) -> dict[str, tf.Tensor]:
  """Placeholders of what the pipeline gives."""
  kinds = {
      keys.IMAGE_HIGH: (tf.float32, [image_size, image_size, 3]),
      keys.WAVEFORM: (tf.float32, [spectrogram.NUM_SAMPLES]),
      keys.SPEAKER: (tf.int32, []), keys.GENDER: (tf.int32, []),
      keys.AGE: (tf.float32, []), keys.INDEX: (tf.int64, []),
      keys.HELD_OUT: (tf.bool, []),
      **{t.name: (tf.float32, t.shape) for t in stage.targets}}
  return {name: tf.compat.v1.placeholder(
      kinds[name][0], [batch_size, *kinds[name][1]])
          for name in (*stage.inputs, keys.INDEX)}


def _clock(phase: stage_lib.Phase) -> stage_lib.Clock:
  placeholder = tf.compat.v1.placeholder
  return stage_lib.Clock(
      step=placeholder(tf.int64, []), images=placeholder(tf.int64, []),
      alpha=placeholder(tf.float32, []), seed=placeholder(tf.int32, [2]),
      resolution=phase.resolution, batch_size=phase.batch_size)


def _count(variables: Iterable[tf.Variable]) -> int:
  return sum(v.shape.num_elements() for v in variables)


def _bytes(variables: Iterable[tf.Variable]) -> int:
  return sum(v.shape.num_elements() * v.dtype.size for v in variables)


def _sides(shape: tf.TensorShape, batch_size: int = 1) -> list[int]:
  """The shape; a first axis that tracing lost is the batch."""
  if shape.rank is None:
    return [0]
  sides = [1 if side is None else side for side in shape]
  if sides and shape[0] is None:
    sides[0] = batch_size
  return sides


def _tensor_bytes(tensor: tf.Tensor, batch_size: int) -> int:
  return math.prod(_sides(tensor.shape, batch_size)) * tensor.dtype.size


def _flop(operation: tf.Operation) -> int:
  """Twice the multiplications of one operation; 0 for all small ones."""
  inputs, kind = operation.inputs, operation.type
  size = lambda tensor: math.prod(_sides(tensor.shape))
  if kind in ('Conv2D', 'DepthwiseConv2dNative'):
    kernel = _sides(inputs[1].shape)
    taps = kernel[:3] if kind == 'Conv2D' else kernel[:2]
    return 2 * size(operation.outputs[0]) * math.prod(taps)
  if kind.startswith(('Conv2DBackprop', 'DepthwiseConv2dNativeBackprop')):
    kernel = _sides((operation.outputs[0] if kind.endswith('Filter')
                     else inputs[1]).shape)
    taps = kernel[:3] if kind.startswith('Conv2D') else kernel[:2]
    return 2 * size(inputs[2]) * math.prod(taps)
  if kind == 'MatMul':
    inner = inputs[0].shape[0 if operation.get_attr('transpose_a') else 1]
    return 2 * size(operation.outputs[0]) * (inner or 1)
  if kind == 'Einsum':
    return 2 * _einsum_size(operation)
  return 0


def _einsum_size(operation: tf.Operation) -> int:
  """Multiplications: the product of the sides of all letters."""
  equation = operation.get_attr('equation').decode()
  sides = {}
  for letters, tensor in zip(
      equation.partition('->')[0].split(','), operation.inputs):
    sides.update(zip(letters, _sides(tensor.shape)))
  return math.prod(sides.values())
