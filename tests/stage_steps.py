"""A few compiled steps of a stage, for tests that compare ways to run it."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf.stages import stage as stage_lib
from earsr_tf.training import checkpoints
from earsr_tf.training import distribution
from earsr_tf.training import optimizers as optimizers_lib
from earsr_tf.training import step as step_lib
from tests import fakes

BATCH_SIZE = 4


@dataclasses.dataclass(frozen=True)
class Way:
  """How a stage is run.

  Attributes:
    replicas: Devices.
    slice_size: Images computed at a time; 0 for all.
    precision: `training.precision`.
    steps: Optimizer steps.
    rate: Learning rate; 0 for the phase's.
    epsilon: Adam's; a large one keeps steps in proportion to gradients, where
      rounding would decide the sign of a step along one of almost zero.
  """
  replicas: int = 1
  slice_size: int = 0
  precision: str = 'float32'
  steps: int = 2
  rate: float = 0.0
  epsilon: float = 1e-8


@dataclasses.dataclass(frozen=True)
class Outcome:
  """What came out.

  Attributes:
    stage: The stage.
    strategy: What it ran under.
    networks: By name.
    optimizers: By key.
    before: Values of all variables, in order, at the start.
    metrics: Those of every update, in order.
    functions: The compiled updates.
  """
  stage: stage_lib.Stage
  strategy: tf.distribute.Strategy
  networks: stage_lib.Networks
  optimizers: dict[str, tf.keras.optimizers.legacy.Adam]
  before: list[np.ndarray]
  metrics: list[dict[str, float]]
  functions: list[step_lib.StepFunction]

  def variables(self) -> list[tf.Variable]:
    """All variables of all networks, in order."""
    return [v for n in self.networks.values() for v in n.variables]


def config_of(precision: str = 'float32') -> config_lib.Config:
  """The small configuration in a precision."""
  config = fakes.small_config()
  return dataclasses.replace(config, training=dataclasses.replace(
      config.training, precision=precision))


def train(name: str, way: Way, run_root: str) -> Outcome:
  """Trains the last phase of a stage from the same start in any way.

  Args:
    name: The stage; what it restores is in `run_root`.
    way: How.
    run_root: Folder of `fakes.save_inputs`.
  """
  config = config_of(way.precision)
  stage = fakes.stage(name, config)
  stage = dataclasses.replace(stage, adam={
      key: dataclasses.replace(adam, epsilon=way.epsilon)
      for key, adam in stage.adam.items()})
  strategy = distribution.make_strategy(way.replicas)
  tf.keras.utils.set_random_seed(5)
  with strategy.scope():
    networks = dict(stage.build())
    checkpoints.restore_networks(networks, stage.restores, run_root)
    optimizers = optimizers_lib.make(stage, networks)
  _spread(networks)
  optimizers_lib.set_learning_rate(
      optimizers, stage, way.rate or stage.phases[-1].learning_rate)
  outcome = Outcome(stage, strategy, networks, optimizers, [
      v.numpy() for n in networks.values() for v in n.variables], [], [])
  _run(outcome, way)
  return outcome


def _spread(networks: stage_lib.Networks) -> None:
  """Moves what starts so small or even that roundings would be all there is."""
  for name in ('image_encoder', 'low_res_encoder', 'audio_encoder'):
    if name in networks:
      for variable in networks[name].head.trainable_variables:
        variable.assign(tf.random.stateless_normal(variable.shape, [3, 4]))
  if 'generator' in networks:
    synthesis = networks['generator'].synthesis
    for number, variable in enumerate((
        synthesis.constant, *(layer.kernel for layer in synthesis.to_rgbs))):
      variable.assign(tf.random.stateless_normal(variable.shape, [1, number]))


def _run(outcome: Outcome, way: Way) -> None:
  stage = outcome.stage
  phase = stage.phases[-1]
  outcome.functions.extend(step_lib.compile_update(
      outcome.strategy, outcome.networks, update,
      {name: outcome.optimizers[update.optimizer_of(name)]
       for name in update.trains},
      step_lib.StepShape(phase.resolution, BATCH_SIZE, 1000, way.slice_size))
                           for update in stage.updates)
  data = outcome.strategy.experimental_distribute_dataset(
      fakes.batches(BATCH_SIZE))
  for step, batch in enumerate(itertools.islice(iter(data), way.steps)):
    for update, function in zip(stage.updates, outcome.functions):
      metrics = function(
          batch, tf.constant(step, tf.int64),
          tf.constant(step * BATCH_SIZE, tf.int64),
          tf.constant(0.5 if phase.fade_images else 1.0),
          {term: tf.constant(float(getattr(weight, 'initial', weight)))
           for term, weight in update.weights.items()})
      outcome.metrics.append({k: float(v) for k, v in metrics.items()})
