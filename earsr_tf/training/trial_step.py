"""A step of a stage as training takes it, on random data and weights."""

from __future__ import annotations

import importlib
from typing import Any, Callable

import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf.data import keys
from earsr_tf.ops import spectrogram
from earsr_tf.training import cost
from earsr_tf.training import distribution
from earsr_tf.training import ema
from earsr_tf.training import micro_batches
from earsr_tf.training import optimizers
from earsr_tf.training import step as step_lib


class TrialStep:
  """All updates of a stage, compiled at the first step.

  Attributes:
    cost: What `training.cost` counts of a step.
  """

  def __init__(self, *, name: str, config: config_lib.Config,
               batch_size: int = 0) -> None:
    """Counts a step; nothing is allocated yet.

    Args:
      name: The stage.
      config: The configuration.
      batch_size: Images of a step; 0: those of its costliest phase.

    Raises:
      DeviceError: If the batch does not suit the discriminator's groups.
    """
    self._name, self._config = name, config
    self._stage = importlib.import_module(
        f'earsr_tf.stages.{name}').stage(config)
    self.cost = cost.estimate(
        self._stage, config.model.image_size, batch_size,
        config.training.micro_batch)
    distribution.check_batch(
        self.cost.phase.batch_size, 1, config.model.stddev_group)
    self._take: Callable[[], dict[str, float]] | None = None

  def of_batch(self, batch_size: int) -> TrialStep:
    """The same with another number of images."""
    return TrialStep(
        name=self._name, config=self._config, batch_size=batch_size)

  def take(self) -> dict[str, float]:
    """Takes a step.

    Returns:
      Its terms by '<update>/<term>'.

    Raises:
      ArithmeticError: If one is not finite.
    """
    if self._take is None:
      self._take = self._compiled()
    return self._take()

  def close(self) -> None:
    """Lets go of networks and data; another step would make them anew."""
    self._take = None

  def _compiled(self) -> Callable[[], dict[str, float]]:
    """Makes networks and data; the step itself is traced when it is called."""
    stage, networks, twins, functions = self._built()
    batch = _batch(stage, self.cost.phase.batch_size,
                   self._config.model.image_size)
    count = 0

    def take() -> dict[str, float]:
      """One step of every update."""
      nonlocal count
      terms = {}
      for update, function in functions:
        terms |= _call(update, function, batch, count)
      for network, twin in twins.items():
        ema.update(twin, networks[network], tf.constant(0.99))
      count += 1
      return terms
    return take

  def _built(self) -> tuple[Any, Any, Any, list[Any]]:
    """The stage, its networks, their averages, and (update, function)."""
    stage, config, phase = self._stage, self._config, self.cost.phase
    strategy = distribution.make_strategy(1)
    tf.keras.utils.set_random_seed(config.seed)
    with strategy.scope():
      networks = dict(stage.build())
      twins = {n: stage.build()[n] for n in stage.averages}
      made = optimizers.make(stage, networks)
    first: dict[str, str] = {}
    for name, source in stage.restores.items():
      # Networks with one source begin equal, as G and G_init of Eq. (2) do.
      if first.setdefault(source, name) != name:
        ema.start(networks[name], networks[first[source]])
    optimizers.set_learning_rate(made, stage, phase.learning_rate)
    shape = step_lib.StepShape(
        phase.resolution, phase.batch_size, config.seed,
        micro_batches.of_phase(stage, config, phase, 1))
    return stage, networks, twins, [
        (update, step_lib.compile_update(
            strategy, networks, update,
            {n: made[update.optimizer_of(n)] for n in update.trains}, shape))
        for update in stage.updates]


def _batch(stage: Any, size: int, image_size: int) -> dict[str, Any]:
  """Random inputs, as the pipeline would give them."""
  made = {
      keys.IMAGE_HIGH: tf.random.stateless_uniform(
          [size, image_size, image_size, 3], [1, 2], -1.0, 1.0),
      keys.WAVEFORM: tf.random.stateless_uniform(
          [size, spectrogram.NUM_SAMPLES], [3, 4], -1.0, 1.0),
      keys.SPEAKER: tf.range(size), keys.GENDER: tf.range(size) % 2,
      keys.AGE: 20.0 + tf.cast(tf.range(size), tf.float32),
      keys.HELD_OUT: tf.zeros([size], tf.bool),
      keys.INDEX: tf.range(size, dtype=tf.int64),
      # Codes that are kept on disk.
      **{target.name: tf.random.stateless_normal([size, *target.shape], [5, 6])
         for target in stage.targets}}
  return {name: made[name] for name in (*stage.inputs, keys.INDEX)}


def _call(update: Any, function: Callable[..., Any], batch: dict[str, Any],
          number: int) -> dict[str, float]:
  """One step of one update; its terms by '<update>/<term>'."""
  metrics = function(
      batch, tf.constant(number, tf.int64), tf.constant(0, tf.int64),
      tf.constant(1.0), {k: tf.constant(float(getattr(w, 'initial', w)))
                         for k, w in update.weights.items()})
  terms = {f'{update.name}/{k}': float(v) for k, v in metrics.items()
           if k in update.weights or k == 'grad_norm'}
  if not float(metrics['is_finite']):
    raise ArithmeticError(f'{update.name}: not finite: {terms}')
  return terms
