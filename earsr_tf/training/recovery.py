"""What a run does about states that are not finite: tell, go back, or stop."""

from __future__ import annotations

from typing import Any, Callable, Mapping, Sequence

from absl import logging
import tensorflow as tf

from earsr_tf.data import keys
from earsr_tf.stages import stage as stage_lib
from earsr_tf.training import guards
from earsr_tf.training import run as run_lib

# (batch_size, start_images) -> names of the clips of that batch.
NameClips = Callable[[int, int], Sequence[str]]


class TrainingError(RuntimeError):
  """Training cannot go on; the message names stage, step and term."""


def _indices(run: run_lib.Run, batch: Mapping[str, Any]) -> list[int]:
  """Positions in the stream of a batch's images, of all replicas."""
  if keys.INDEX not in batch:
    return []
  parts = run.strategy.experimental_local_results(batch[keys.INDEX])
  here = [int(i) for part in parts for i in part.numpy()]
  if run.workers.cluster.count == 1:
    return here
  # The batch of all workers: what is not finite may be anybody's.
  first = int(run.images)
  return list(range(first, first + len(here) * run.workers.cluster.count))


def warn_of_skip(run: run_lib.Run, update: stage_lib.Update,
                 metrics: Mapping[str, tf.Tensor], batch: Any) -> str:
  """Logs a skipped update; returns what a report of it says.

  Args:
    run: Where it happened.
    update: What was skipped.
    metrics: What the step returned.
    batch: The step's batch, maybe distributed.
  """
  text = (f'update {update.name} at step {int(run.step)}: '
          f'{guards.culprit(metrics)}; {guards.images(_indices(run, batch))}')
  logging.warning('stage %s, %s: skipped', run.stage.name, text)
  return text


def check_streak(run: run_lib.Run, report: str, batch_size: int) -> None:
  """Ends a streak of skipped steps that is too long.

  Args:
    run: The run, just after a step.
    report: Of the step's skipped update, '' if there was none.
    batch_size: Images of the step.

  Raises:
    NotFiniteError: If an update was skipped too often in a row.
  """
  limit = run.config.training.max_skipped_in_a_row
  if report and run.skips.streak() > limit:
    raise guards.NotFiniteError(
        f'{limit + 1} steps in a row were not finite, the last one: {report}',
        batch=(batch_size, int(run.images) - batch_size))


def roll_back(run: run_lib.Run, error: guards.NotFiniteError,
              clips: NameClips | None) -> None:
  """Goes back to the newest checkpoint, or stops.

  A run repeats itself bit by bit, so going back mends only what a machine did
  wrong: the same failure in the same place again would come for ever.

  Args:
    run: The run; its state is replaced.
    error: Why.
    clips: Names the clips of a batch.

  Raises:
    ClusterError: If workers went back to different checkpoints.
    TrainingError: If it failed here before, too often, or was never saved.
  """
  what, images = f'stage {run.stage.name}: {error}', int(run.images)
  names = clips(*error.batch) if clips and error.batch else ()
  if names:
    what += f'; clips {", ".join(names[:8])}{", ..." if names[8:] else ""}'
  path = None
  if images != run.failed_at and (
      run.rollbacks < run.config.training.max_rollbacks):
    path = run.store.restore_newest()
  if path is None:
    raise TrainingError(
        f'{what}; {_why_not(run, images)}; look at the data, or begin with '
        '--restart and a lower --set=optimizer.learning_rate=; a larger '
        '--set=training.max_skipped_in_a_row= lets the same command skip more'
        ) from error
  run.workers.check_same({'newest checkpoint': path})
  run.failed_at, run.rollbacks = images, run.rollbacks + 1
  run.reporter.rewind(int(run.images))
  run.reporter.note(int(run.images), 'rollback', f'{what}; back to {path}')


def _why_not(run: run_lib.Run, images: int) -> str:
  if images == run.failed_at:
    return 'it came again after going back to the last good checkpoint'
  if run.rollbacks < run.config.training.max_rollbacks:
    return 'there is no checkpoint yet to go back to'
  return (f'went back {run.rollbacks} times already; the last good checkpoint '
          'is intact')
