"""What a run measures when it is recorded: its networks, waiting, memory.

Whatever depends on the past of the process or on the machine is called
'timing/...': a run that goes on after a kill repeats all other values.
"""

from __future__ import annotations

import os
import pathlib
import time
from typing import Any, Callable, Iterator

import numpy as np
import tensorflow as tf

from earsr_tf.data import keys
from earsr_tf.stages import stage as stage_lib

_STATM = pathlib.Path('/proc/self/statm')


class Fixed:
  """A stage's networks and the inputs that they are always shown.

  Attributes:
    stage: The stage.
    networks: By name; they change as the stage is trained.
    batch: The preview batch.
  """

  def __init__(self, *, stage: stage_lib.Stage, networks: stage_lib.Networks,
               batch: stage_lib.Batch, seed: int):
    """Stores them; `seed` is the run's."""
    self.stage = stage
    self.networks = networks
    self.batch = batch
    self._seed = seed

  def clock(self, resolution: int, alpha: tf.Tensor | np.float32
            ) -> stage_lib.Clock:
    """A clock that stands at no step: draws are the same every time."""
    size, = {int(value.shape[0]) for value in self.batch.values()}
    return stage_lib.Clock(
        step=tf.constant(0, tf.int64), images=tf.constant(0, tf.int64),
        alpha=tf.convert_to_tensor(alpha, tf.float32),
        seed=tf.constant([self._seed, 0], tf.int32), resolution=resolution,
        batch_size=size)

  def add_targets(self) -> None:
    """Adds the targets that terms read: frozen networks make them once."""
    for target in self.stage.targets:
      if target.name in self.stage.inputs and target.name not in self.batch:
        self.batch = {**self.batch, target.name: target.compute(
            self.networks, self.batch[keys.IMAGE_HIGH])}


class Observer:
  """Measures a run at its records."""

  def __init__(self, *, fixed: Fixed):
    """Takes what the stage's `observe` looks at."""
    self._fixed = fixed
    self._functions: dict[int, Callable[..., dict[str, tf.Tensor]]] = {}
    self._waited, self._since = 0.0, time.monotonic()

  def timed(self, batches: Iterator[Any]) -> Iterator[Any]:
    """The same batches; the time that they take counts as waiting."""
    self._waited, self._since = 0.0, time.monotonic()
    while True:
      began = time.monotonic()
      batch = next(batches, None)
      self._waited += time.monotonic() - began
      if batch is None:
        return
      yield batch

  def scalars(self, resolution: int, alpha: float, *, observes: bool = True
              ) -> dict[str, float]:
    """Measures now.

    Args:
      resolution: Side of the images in training.
      alpha: How far it has faded in.
      observes: Whether the stage's `observe` looks.

    Returns:
      What the stage's `observe` finds; 'timing/wait_share' in [0, 1], the
      share of the time since the last call that went by waiting for data; and
      'timing/resident_mb', the memory of this process in 1e6 bytes, where the
      system tells it.
    """
    values = {}
    if observes and self._fixed.stage.observe:
      found = self._observe(resolution)(tf.constant(np.float32(alpha)))
      values = {name: float(value) for name, value in found.items()}
    now = time.monotonic()
    values['timing/wait_share'] = self._waited / max(now - self._since, 1e-9)
    self._waited, self._since = 0.0, now
    if _STATM.exists():
      values['timing/resident_mb'] = resident_bytes() / 1e6
    return values

  def _observe(self, resolution: int) -> Callable[..., dict[str, tf.Tensor]]:
    """The stage's `observe`, compiled: several times as fast."""
    if resolution not in self._functions:
      fixed = self._fixed
      fixed.add_targets()
      self._functions[resolution] = tf.function(
          lambda alpha: dict(fixed.stage.observe(
              fixed.networks, fixed.batch, fixed.clock(resolution, alpha))),
          autograph=False)
    return self._functions[resolution]


def is_due(stage: stage_lib.Stage, before: int, after: int) -> bool:
  """Whether `observe` looks after the step from `before` to `after` images."""
  if stage.observe is None or not stage.observations:
    return stage.observe is not None
  total = sum(phase.images for phase in stage.phases)
  every = max(total // stage.observations, 1)
  return after >= total or before // every != after // every


def resident_bytes() -> int:
  """Memory that this process holds; Linux only."""
  pages = int(_STATM.read_text(encoding='ascii').split()[1])
  return pages * os.sysconf('SC_PAGE_SIZE')
