"""How long a step of a stage will take, and how much memory: by trying it.

Counted operations alone do not tell: the small networks of a preset reach a
third of the rate of a large product, each stage another share of it. So a few
real steps are taken, with random data and weights. Where one of the phase's
batches would take minutes, two smaller batches are tried, and a line is laid
through them: what is the same for every batch, such as Adam, counts once.
"""

from __future__ import annotations

import dataclasses
import gc
import statistics
import time
from typing import Any, Sequence

from earsr_tf import config as config_lib
from earsr_tf.training import cost as cost_lib
from earsr_tf.training import memory
from earsr_tf.training import trial_step

_GIGA = 1e9
# Operations of a step that is tried as a whole: some seconds on two cores.
_TRIED_FLOP = 6e11


@dataclasses.dataclass(frozen=True)
class Trial:
  """What steps of one batch took.

  Attributes:
    batch_size: Images of a step.
    seconds: Of a step by the clock; median.
    processor_seconds: Of a step, over all cores; median.
    estimate_bytes: Of memory, as counted, with the process.
    peak_bytes: Of memory, as seen.
  """
  batch_size: int
  seconds: float
  processor_seconds: float
  estimate_bytes: float
  peak_bytes: float


@dataclasses.dataclass(frozen=True)
class Prediction:
  """What a step will take on one device of this machine.

  Attributes:
    batch_size: Images of a step.
    tried: Batches that were tried.
    seconds: Of a step by the clock, with what else the machine does now.
    processor_seconds: Of a step, over all cores.
    peak_bytes: Of memory.
  """
  batch_size: int
  tried: tuple[int, ...]
  seconds: float
  processor_seconds: float
  peak_bytes: float

  def to_json(self) -> dict[str, Any]:
    """JSON-ready values in units for people."""
    return {
        'tried_batches': list(self.tried),
        'seconds_per_step': round(self.seconds, 4),
        'processor_seconds_per_step': round(self.processor_seconds, 4),
        'images_per_second': round(self.batch_size / self.seconds, 3),
        'peak_memory_gb': round(self.peak_bytes / _GIGA, 3)}


def predict(whole: trial_step.TrialStep, steps: int) -> Prediction:
  """Takes steps of a stage in this process, which should do nothing else.

  Args:
    whole: A step of the wanted batch that was not taken yet.
    steps: Steps that count, of each batch tried, at least 1.

  Returns:
    The prediction.

  Raises:
    OutOfMemoryError: Before anything is allocated, if memory would be short.
  """
  batch_size = whole.cost.phase.batch_size
  sizes = tried_sizes(batch_size, sum(whole.cost.flop.values()))
  trials = [_tried(whole if size == batch_size else whole.of_batch(size), steps)
            for size in sizes]
  return extrapolated(trials, batch_size, _estimate_bytes(whole.cost))


def without_files(config: config_lib.Config) -> config_lib.Config:
  """The configuration with a random VGG16, and 4000 people unless it says."""
  return dataclasses.replace(
      config,
      invert=dataclasses.replace(config.invert, vgg16_weights='random'),
      attributes=dataclasses.replace(
          config.attributes,
          num_speakers=config.attributes.num_speakers or 4000))


def tried_sizes(batch_size: int, flop: float) -> tuple[int, ...]:
  """Batches to try: the wanted one, or two smaller ones if that is too long.

  Args:
    batch_size: Images of a step.
    flop: Its operations.
  """
  if flop <= _TRIED_FLOP or batch_size < 3:
    return (batch_size,)
  # Powers of two, as groups of the mini-batch standard deviation need them.
  larger = 2
  while 2 * larger < batch_size * _TRIED_FLOP / flop:
    larger *= 2
  return larger // 2, larger


def extrapolated(trials: Sequence[Trial], batch_size: int,
                 estimate_bytes: float) -> Prediction:
  """A line through the trials, at the wanted batch.

  Args:
    trials: One of that batch, or two of smaller ones, ascending.
    batch_size: The wanted batch.
    estimate_bytes: Memory as counted for it, which the first trial corrects.
  """
  first, last = trials[0], trials[-1]

  def at(field: str) -> float:
    """The line; noise must not make images cost nothing."""
    low, high = getattr(first, field), getattr(last, field)
    if first is last:
      return low
    slope = max((high - low) / (last.batch_size - first.batch_size),
                0.5 * high / last.batch_size)
    return high + slope * (batch_size - last.batch_size)
  return Prediction(
      batch_size=batch_size, tried=tuple(t.batch_size for t in trials),
      seconds=at('seconds'), processor_seconds=at('processor_seconds'),
      peak_bytes=estimate_bytes * first.peak_bytes / first.estimate_bytes)


def _tried(made: trial_step.TrialStep, steps: int) -> Trial:
  """Takes the steps; frees what they needed."""
  needed, available = _estimate_bytes(made.cost), memory.available_bytes()
  if needed > available:
    raise memory.OutOfMemoryError(
        f'a step of {made.cost.phase.batch_size} images needs '
        f'about {needed / _GIGA:.1f} GB of memory, {available / _GIGA:.1f} GB '
        'are free; end other programs, or use --trial_steps=0, which counts '
        'only')
  for _ in range(2):  # traces, warms up
    made.take()
  found = []
  for _ in range(steps):
    began, busy = time.perf_counter(), time.process_time()
    made.take()
    found.append((time.perf_counter() - began, time.process_time() - busy))
  seconds, processor_seconds = map(statistics.median, zip(*found))
  trial = Trial(made.cost.phase.batch_size, seconds, processor_seconds,
                needed, memory.peak_bytes())
  made.close()
  gc.collect()
  return trial


def _estimate_bytes(cost: cost_lib.Cost) -> float:
  return sum(cost.memory.values()) + memory.PROCESS_BYTES
