"""Exponential moving averages of a network's weights (StyleGAN's Gs)."""

from __future__ import annotations

from typing import Sequence

import tensorflow as tf


def decay(batch_size: int, half_life_kimg: float) -> float:
  """0.5^(batch / half-life): the share kept at each step.

  Raises:
    ValueError: If the half-life is not positive.
  """
  if half_life_kimg <= 0:
    raise ValueError(f'ema_half_life_kimg={half_life_kimg}: must be positive')
  return 0.5 ** (batch_size / (half_life_kimg * 1000.0))


def start(average: tf.keras.Model, network: tf.keras.Model) -> None:
  """Copies every variable of `network` into its twin."""
  for twin, variable in zip(average.variables, network.variables, strict=True):
    twin.assign(variable)


def update(average: tf.keras.Model, network: tf.keras.Model,
           share_kept: tf.Tensor) -> None:
  """Moves the twin; trainables are averaged, other variables copied.

  Runs in cross-replica context, inside a tf.function.

  Args:
    average: The twin.
    network: The trained network.
    share_kept: [] float32, see `decay`.
  """
  pairs: Sequence = list(zip(
      average.trainable_variables, network.trainable_variables, strict=True))
  for twin, variable in pairs:
    twin.assign(variable + (twin - variable) * share_kept)
  for twin, variable in zip(average.non_trainable_variables,
                            network.non_trainable_variables, strict=True):
    twin.assign(variable)
