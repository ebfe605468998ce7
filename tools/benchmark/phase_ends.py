"""How long the end of a phase waits, with two replicas.

When a phase ends its batches are let go of. An iterator of `tf.distribute`
ended up to a minute later; what `training.workers` reads with should not. The
longer a phase has run the longer the wait could be, so each runs for a while.
"""

from __future__ import annotations

import time
from typing import Any, Iterator

from tools.benchmark import measurement

PARTS = ('replicas_1', 'replicas_2')

_PHASES = 10
_SECONDS = 20.0  # of a phase
_BATCH = 8


def measure(options: measurement.Options) -> Iterator[measurement.Row]:
  """Measures ten ends for each number of replicas that is asked for.

  Args:
    options: What to measure.
  """
  for part in options.parts or PARTS:
    ends = measurement.alone(
        seconds_of_ends, int(part.rpartition('_')[2]), _PHASES, _SECONDS)
    yield measurement.Row(
        f'{part}: longest of {len(ends)} ends', max(ends), 's', '<= 1')
    yield measurement.Row(f'{part}: all ends', sum(ends), 's')


def seconds_of_ends(replicas: int, phases: int, seconds: float) -> list[float]:
  """Reads with a number of replicas, and stops, several times.

  Args:
    replicas: Devices.
    phases: Times.
    seconds: Of each phase.

  Returns:
    Seconds of each end.
  """
  from earsr_tf import environment
  environment.load_tensorflow()
  from earsr_tf.training import distribution
  from earsr_tf.training import workers
  joined = workers.join(replicas)
  strategy = distribution.make_strategy(replicas)
  found = []
  for _ in range(phases):
    batches = joined.batches(strategy, _dataset, _BATCH, 0)
    began = time.monotonic()
    next(batches)
    while time.monotonic() < began + seconds:
      next(batches)
      time.sleep(0.1)  # a step
    began = time.monotonic()
    del batches
    found.append(time.monotonic() - began)
  return found


def _dataset(batch_size: int, start: int) -> Any:
  """Grey pictures, with threads and options as training reads its own."""
  import tensorflow as tf
  options = tf.data.Options()
  options.autotune.enabled = False
  return tf.data.Dataset.range(start, 2 ** 40).map(
      lambda i: {'picture': tf.fill([64, 64, 3], tf.cast(i, tf.float32))},
      num_parallel_calls=2).batch(
          batch_size, drop_remainder=True).prefetch(2).with_options(options)
