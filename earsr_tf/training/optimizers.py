"""Adam or SGD, one per optimizer key of a stage, and its learning rate.

The legacy Keras Adam is used on purpose: it runs one fused kernel per
variable, where the new one runs about ten element-wise ops.
"""

from __future__ import annotations

import math
from typing import Mapping

import tensorflow as tf

from earsr_tf.stages import stage as stage_lib


def make(stage: stage_lib.Stage, networks: stage_lib.Networks
         ) -> dict[str, tf.keras.optimizers.legacy.Optimizer]:
  """Optimizers with all slots created, by key.

  Call under the strategy's scope.
  """
  trained: dict[str, list[tf.Variable]] = {}
  for update in stage.updates:
    for name in update.trains:
      known = trained.setdefault(update.optimizer_of(name), [])
      seen = {id(v) for v in known}
      known += [v for v in networks[name].trainable_variables
                if id(v) not in seen]
  made = {}
  for key, variables in trained.items():
    made[key] = _make(stage.adam[key], stage.phases[0].learning_rate)
    # Slots must exist before a checkpoint is restored, or values for them
    # would wait in the checkpoint and their absence go unnoticed.
    made[key]._create_all_weights(variables)  # noqa: SLF001
  return made


def _make(constants: stage_lib.AdamConfig | stage_lib.SgdConfig, rate: float
          ) -> tf.keras.optimizers.legacy.Optimizer:
  if isinstance(constants, stage_lib.SgdConfig):
    return tf.keras.optimizers.legacy.SGD(
        learning_rate=rate, momentum=constants.momentum)
  return tf.keras.optimizers.legacy.Adam(
      learning_rate=rate, beta_1=constants.beta_1, beta_2=constants.beta_2,
      epsilon=constants.epsilon)


def reset(optimizers: Mapping[str, tf.keras.optimizers.legacy.Optimizer]
          ) -> None:
  """Zeroes all slots and counters (StyleGAN: at each resolution change)."""
  for optimizer in optimizers.values():
    for variable in optimizer.variables():
      variable.assign(tf.zeros_like(variable))


def learning_rate(stage: stage_lib.Stage, phase: stage_lib.Phase,
                  images: int) -> float:
  """The step size after `images` images of the whole stage.

  Args:
    stage: Gives the decay.
    phase: Gives the base rate.
    images: Images shown since the stage began.

  Returns:
    The rate; with decay 'cosine' it falls to zero at the stage's end.
  """
  if stage.decay == 'none':
    return phase.learning_rate
  total = sum(p.images for p in stage.phases)
  share = min(images / total, 1.0)
  return phase.learning_rate * 0.5 * (1.0 + math.cos(math.pi * share))


def set_learning_rate(
    optimizers: Mapping[str, tf.keras.optimizers.legacy.Optimizer],
    stage: stage_lib.Stage, rate: float) -> None:
  """Assigns the step size, scaled for each, to all optimizers."""
  for key, optimizer in optimizers.items():
    optimizer.learning_rate = rate * stage.adam[key].rate_scale
