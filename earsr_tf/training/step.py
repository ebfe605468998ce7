"""Update -> compiled distributed function.

The only place where a loss is weighted, reduced and applied, and where state
that a forward pass moves is assigned.
"""

from __future__ import annotations

import dataclasses
from typing import Callable, Mapping

import tensorflow as tf

from earsr_tf.stages import stage as stage_lib
from earsr_tf.training import micro_batches

# (batch, step, images, alpha, weights) -> {name: [] float32}
StepFunction = Callable[..., Mapping[str, tf.Tensor]]


@dataclasses.dataclass(frozen=True)
class StepShape:
  """What a compiled function is specialised for.

  Attributes:
    resolution: Side of the generated images.
    batch_size: Global batch.
    seed: The run's seed.
    slice_size: Images of a replica's share that are computed at a time, a
      divisor of it; 0 means all.
  """
  resolution: int
  batch_size: int
  seed: int
  slice_size: int = 0


def _mean(strategy: tf.distribute.Strategy, value: tf.Tensor) -> tf.Tensor:
  return strategy.reduce(tf.distribute.ReduceOp.MEAN, value, axis=None)


def _total(update: stage_lib.Update, terms: Mapping[str, tf.Tensor],
           weights: Mapping[str, tf.Tensor]) -> tf.Tensor:
  """The weighted sum of term means, scaled for lazy regularisation."""
  if set(terms) != {*update.weights, *update.observed}:
    raise ValueError(
        f'update {update.name}: terms {sorted(terms)} and weights '
        f'{sorted(update.weights)} must have the same names, but for what '
        f'is only observed, {sorted(update.observed)}')
  return update.interval * tf.add_n([
      weights[name] * tf.reduce_mean(term) for name, term in terms.items()
      if name in weights])


def _part(networks: stage_lib.Networks, update: stage_lib.Update,
          variables: list[tf.Variable], kept: list[tf.Variable],
          moved: list[tf.Variable]) -> Callable:
  """Of some images: gradients of one replica, moved state, and metrics.

  `kept` and `moved` become the variables that have a gradient or a new state.
  """
  def part(batch, clock, weights):
    """Gradients, moved state and metrics of some images."""
    context = tf.distribute.get_replica_context()
    with tf.GradientTape(watch_accessed_variables=False) as tape:
      tape.watch(variables)
      terms = update.terms(networks, batch, clock)
      total = _total(update, terms, weights)
      scaled = total / context.num_replicas_in_sync
    gradients = tape.gradient(scaled, variables)
    # While the image grows, the layers above it have no gradient yet.
    kept[:] = [v for g, v in zip(gradients, variables) if g is not None]
    state = update.moves(networks, batch, clock) if update.moves else []
    moved[:] = [v for v, _ in state]
    metrics = {name: tf.reduce_mean(term) for name, term in terms.items()}
    metrics['total'] = total
    return gradients, [value for _, value in state], metrics
  return part


def _compute(networks: stage_lib.Networks, update: stage_lib.Update,
             variables: list[tf.Variable], shape: StepShape
             ) -> tuple[Callable, list[tf.Variable], list[tf.Variable]]:
  """The replica function: gradients summed over replicas, and metrics."""
  kept: list[tf.Variable] = []
  moved: list[tf.Variable] = []
  part = _part(networks, update, variables, kept, moved)

  def compute(batch, step, images, alpha, weights):
    """One replica's share of the global batch."""
    clock = stage_lib.Clock(
        step=step, images=images, alpha=alpha,
        seed=tf.stack([shape.seed, tf.cast(step, tf.int32)]),
        resolution=shape.resolution, batch_size=shape.batch_size)
    context = tf.distribute.get_replica_context()
    local = shape.batch_size // context.num_replicas_in_sync
    if shape.slice_size in (0, local):
      gradients, state, metrics = part(batch, clock, weights)
    else:
      # Called for the variables only; what is not read is not computed.
      state = update.moves(networks, batch, clock) if update.moves else []
      gradients, state, metrics = micro_batches.mean(
          lambda some: part(some, clock, weights), batch,
          size=shape.slice_size, count=local // shape.slice_size,
          zeros=([tf.zeros(v.shape) for v in variables],
                 [tf.zeros(v.shape) for v, _ in state],
                 {name: tf.zeros([]) for name in (
                     *update.weights, *update.observed, 'total')}))
    known = {v.ref() for v in kept}
    gradients = context.all_reduce(tf.distribute.ReduceOp.SUM, [
        g for g, v in zip(gradients, variables) if v.ref() in known])
    return gradients, state, metrics

  return compute, kept, moved


def _apply_function(optimizer: tf.keras.optimizers.legacy.Optimizer,
                    variables: list[tf.Variable]
                    ) -> Callable[[list[tf.Tensor]], None]:
  """The replica function that applies gradients already summed."""
  def apply(gradients):
    """Applies the gradients on one replica."""
    optimizer.apply_gradients(
        zip(gradients, variables), experimental_aggregate_gradients=False)
  return apply


def compile_update(
    strategy: tf.distribute.Strategy, networks: stage_lib.Networks,
    update: stage_lib.Update,
    optimizers: Mapping[str, tf.keras.optimizers.legacy.Optimizer],
    shape: StepShape) -> StepFunction:
  """The compiled step of one update.

  Args:
    strategy: Holds the variables.
    networks: All networks of the stage.
    update: The equation, its weights and what it trains.
    optimizers: Network of `update.trains` -> what applies its gradients;
      slots exist.
    shape: Static shapes.

  Returns:
    A function of (batch, step, images, alpha, weights) that returns the mean
    of each term over the global batch, 'total', 'grad_norm' and 'is_finite'.
    A step whose loss, gradient or moved state is not finite changes nothing.
  """
  owners = {v.ref(): optimizers[name] for name in update.trains
            for v in networks[name].trainable_variables}
  variables = [reference.deref() for reference in owners]
  compute, kept, moved = _compute(networks, update, variables, shape)

  # Nothing here needs AutoGraph, and without it tracing takes half the time.
  @tf.function(autograph=False)
  def run(batch, step, images, alpha, weights):
    """One step on all replicas; see `compile_update`."""
    gradients, state, metrics = strategy.run(
        compute, args=(batch, step, images, alpha, weights))
    metrics = {k: _mean(strategy, v) for k, v in metrics.items()}
    first = [strategy.experimental_local_results(g)[0] for g in gradients]
    metrics['grad_norm'] = tf.linalg.global_norm(first)
    means = [_mean(strategy, value) for value in state]
    # All of these are sums over replicas: every replica comes to one answer.
    is_finite = tf.reduce_all(
        [tf.math.is_finite(metrics['total'] + metrics['grad_norm']),
         *(tf.reduce_all(tf.math.is_finite(value)) for value in means)])

    def apply():
      """Changes all variables, on all replicas; returns 1."""
      # The condition stands outside strategy.run: inside, applying gradients
      # under a condition is an error of MirroredStrategy.
      for optimizer in {id(o): o for o in owners.values()}.values():
        own = [i for i, v in enumerate(kept) if owners[v.ref()] is optimizer]
        strategy.run(_apply_function(optimizer, [kept[i] for i in own]),
                     args=([gradients[i] for i in own],))
      for variable, value in zip(moved, means):
        variable.assign(value)
      return 1.0

    metrics['is_finite'] = tf.cond(is_finite, apply, lambda: 0.0)
    return metrics

  return run
