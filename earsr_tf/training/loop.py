"""The one loop: owns step, checkpoint and summary; knows no stage."""

from __future__ import annotations

import pathlib
import time
from typing import Any, Callable, Iterator, Mapping

import numpy as np
import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf import durable
from earsr_tf.stages import stage as stage_lib
from earsr_tf.training import checkpoints
from earsr_tf.training import distribution
from earsr_tf.training import ema
from earsr_tf.training import guards
from earsr_tf.training import inputs
from earsr_tf.training import interruption
from earsr_tf.training import memory
from earsr_tf.training import micro_batches
from earsr_tf.training import optimizers as optimizers_lib
from earsr_tf.training import recovery
from earsr_tf.training import run as run_lib
from earsr_tf.training import schedule
from earsr_tf.training import step as step_lib
from earsr_tf.training import workers
from earsr_tf.training.monitoring import observations


def _compiled(run: run_lib.Run, phase: stage_lib.Phase
              ) -> dict[str, step_lib.StepFunction]:
  shape = step_lib.StepShape(
      phase.resolution, phase.batch_size, run.config.seed,
      micro_batches.of_phase(run.stage, run.config, phase,
                             run.strategy.num_replicas_in_sync))
  return {
      update.name: step_lib.compile_update(
          run.strategy, run.networks, update,
          {name: run.optimizers[update.optimizer_of(name)]
           for name in update.trains}, shape)
      for update in run.stage.updates}


def _scalar(value: float) -> tf.Tensor:
  """A float32 scalar; TensorFlow would keep a Python number for ever."""
  return tf.constant(np.float32(value))


def _weight_values(run: run_lib.Run, update: stage_lib.Update
                   ) -> dict[str, tf.Tensor]:
  return {
      term: _scalar(run.weights[f'{update.name}/{term}'].value)
      if isinstance(weight, stage_lib.HalveOnPlateau) else _scalar(weight)
      for term, weight in update.weights.items()}


def _observe(run: run_lib.Run, update: stage_lib.Update, batch_size: int,
             metrics: Mapping[str, tf.Tensor]) -> None:
  """Lets changing weights see the loss of a step that was applied."""
  for key, weight in run.weights.items():
    name, term = key.split('/')
    if name == update.name and weight.observe(
        float(metrics['total']), int(run.images), batch_size):
      run.reporter.note(
          int(run.images), f'weight/{key}', weight.describe(
              int(run.images), float(metrics[term])))


def _train_step(
    run: run_lib.Run, phase: stage_lib.Phase,
    functions: Mapping[str, step_lib.StepFunction],
    average: Callable[[tf.Tensor], None] | None, batch: Any,
    faded: float) -> dict[str, float]:
  """One pass over the updates; returns their metrics by summary name.

  Raises:
    NotFiniteError: If an update was skipped too often in a row.
  """
  rate = optimizers_lib.learning_rate(run.stage, phase, int(run.images))
  optimizers_lib.set_learning_rate(run.optimizers, run.stage, rate)
  alpha = _scalar(faded)
  step, images = tf.identity(run.step), tf.identity(run.images)
  values = {'optimizer/learning_rate': rate, 'progress/alpha': faded}
  skipped, report = {}, ''
  for update in run.stage.updates:
    if int(step) % update.interval:
      continue
    metrics = functions[update.name](
        batch, step, images, alpha, _weight_values(run, update))
    skipped[update.name] = not float(metrics['is_finite'])
    if skipped[update.name]:
      report = recovery.warn_of_skip(run, update, metrics, batch)
    else:
      _observe(run, update, phase.batch_size, metrics)
    for name, value in metrics.items():
      group = 'grad_norm' if name == 'grad_norm' else 'loss'
      path = update.name if group == name else f'{update.name}/{name}'
      values[name if name in update.observed else f'{group}/{path}'] = value
  if average is not None and averaged_moved(run.stage, skipped):
    average(_scalar(ema.decay(
        phase.batch_size, run.stage.ema_half_life_kimg)))
  run.step.assign_add(1)
  run.images.assign_add(phase.batch_size)
  run.skips.observe(skipped)
  recovery.check_streak(run, report, phase.batch_size)
  return values


def averaged_moved(stage: stage_lib.Stage, skipped: Mapping[str, bool]
                   ) -> bool:
  """Whether every update of a step that moves an averaged network did.

  Args:
    stage: The stage.
    skipped: Update that ran in the step -> whether it was skipped.
  """
  return not any(
      skipped.get(update.name) and set(update.trains) & set(stage.averages)
      for update in stage.updates)


def _average_function(run: run_lib.Run) -> Callable[[tf.Tensor], None] | None:
  if not run.stage.averages:
    return None

  @tf.function(autograph=False)
  def average(share_kept):
    """Moves every average towards its network."""
    for name in run.stage.averages:
      ema.update(run.networks[f'{name}_ema'], run.networks[name], share_kept)
  return average


def _report(run: run_lib.Run, span: schedule.Span,
            values: Mapping[str, Any], observes: bool) -> None:
  if not run.workers.is_chief:
    return
  floats = {k: float(v) for k, v in values.items()
            if not k.endswith('/is_finite')}
  for key, weight in run.weights.items():
    floats[f'weight/{key}'] = float(weight.value)
  floats['skipped'] = int(run.skips.total)
  floats.update(run.observer.scalars(
      span.phase.resolution, values['progress/alpha'], observes=observes))
  run.reporter.scalars(int(run.step), int(run.images), floats)


def _preview(run: run_lib.Run, span: schedule.Span) -> None:
  if not run.workers.is_chief:
    return
  images = int(run.images)
  run.previews.write(
      run.reporter, images, span.phase.resolution, span.alpha(images))


def _crossed(before: int, after: int, every: int) -> bool:
  return every > 0 and before // every != after // every


def _run_phase(run: run_lib.Run, span: schedule.Span, batches: Iterator[Any],
               stop: interruption.StopRequest) -> None:
  """Trains from `run.images` to the end of a phase."""
  functions, average = _compiled(run, span.phase), _average_function(run)
  every, owes_save = run.config.training, False
  batches = run.observer.timed(batches)
  while int(run.images) < span.last:
    before = int(run.images)
    if run.stage.resets_optimizer and before in span.changes:
      optimizers_lib.reset(run.optimizers)
    with run.profile.step(int(run.step)):
      values = _train_step(
          run, span.phase, functions, average, next(batches),
          span.alpha(before))
    after = int(run.images)
    run.reporter.advance(after - before)
    observes = observations.is_due(run.stage, before, after)
    if (_crossed(before, after, every.record_every) or after >= span.last
        or observes and run.stage.observations):
      _report(run, span, values, observes)
    if _crossed(before, after, every.preview_every):
      _preview(run, span)
    # A state amid skipped steps is none to go back to.
    owes_save = owes_save or _crossed(before, after, every.save_every)
    if owes_save and not run.skips.streak():
      run.save()
      owes_save = False
    if run.workers.any(bool(stop.name)):
      run.save()
      raise interruption.Interrupted(
          f'stage {run.stage.name}: stopped by '
          f'{stop.name or "a signal to another worker"} after step '
          f'{int(run.step)} ({after} images), which is saved; the same '
          'command goes on')


def _phases(run: run_lib.Run, make_dataset: workers.MakeDataset,
            stop: interruption.StopRequest) -> str:
  """Trains what is left of all phases; returns the last checkpoint."""
  spans = schedule.spans(run.stage.phases)
  for number, span in enumerate(spans):
    images = int(run.images)
    if images < span.last:
      batches = run.workers.batches(
          run.strategy, make_dataset, span.phase.batch_size, images)
      remedy = memory.phase_remedy(
          run.stage, number, micro_batches.smaller(
              run.stage, run.config, span.phase,
              run.strategy.num_replicas_in_sync))
      with memory.explained(f'stage {run.stage.name}', remedy):
        _run_phase(run, span, batches, stop)
  _preview(run, spans[-1])
  return run.save()


def _finish(run: run_lib.Run, path: str, folder: pathlib.Path,
            seconds: float) -> None:
  durable.write_json(folder / checkpoints.FINISHED, {
      'checkpoint': pathlib.Path(path).name, 'images': int(run.images),
      'step': int(run.step), 'skipped': int(run.skips.total),
      'rollbacks': run.rollbacks, 'seconds': round(seconds, 1)})


def _open(run: run_lib.Run, run_root: str, provenance: Mapping[str, Any]
          ) -> pathlib.Path:
  """Claims the stage's folder, and tells what changed since it was begun."""
  with run.workers.chief_first():
    folder = checkpoints.claim(
        run_root, run.stage, run.config, provenance)
  inputs.warn_of_changes(
      str(folder), checkpoints.load_record(run_root, run.stage.name),
      provenance)
  return folder


def train(stage: stage_lib.Stage, config: config_lib.Config, *,
          run_root: str, replicas: int, make_dataset: workers.MakeDataset,
          preview_batch: Mapping[str, tf.Tensor],
          provenance: Mapping[str, Any],
          clips: recovery.NameClips | None = None,
          profile_steps: tuple[int, int] | None = None) -> None:
  """Trains a stage to its end, going on where a run was left.

  Where TF_CONFIG names several workers, all call this alike; the chief writes.

  Args:
    stage: What to train.
    config: The whole configuration, stored in the run's folder.
    run_root: Folder of all stages.
    replicas: Devices.
    make_dataset: Gives the batches, from any image on; with a third
      argument, what one of several workers reads of them.
    preview_batch: Fixed inputs of previews and observations.
    provenance: Stored beside the configuration.
    clips: Names the clips of a batch, for messages.
    profile_steps: First and last step that the profiler records, if any.

  Raises:
    CheckpointError: If inputs are missing, the folder holds another run, or
      none of its checkpoints is intact.
    ClusterError: If the workers do not belong together.
    DeviceError: If the batch does not fit the devices, or its groups the
      micro-batches.
    Interrupted: If a signal asked to stop; the state is saved.
    StorageError: If something cannot be written.
    TrainingError: If losses or gradients stay non-finite.
  """
  for phase in stage.phases:
    micro_batches.of_phase(
        stage, config, phase, distribution.total(replicas))
  run = run_lib.build(stage, config, replicas=replicas, run_root=run_root)
  folder = _open(run, run_root, provenance)
  # Before resuming: previews may show what the stage began with.
  run_lib.watch(run, preview_batch, profile_steps, folder)
  run_lib.resume(run, folder)
  if stage.start and not int(run.images):
    run_lib.start(run, make_dataset)
  began, path = time.monotonic(), ''
  run.reporter = run_lib.open_reporter(run, folder)
  try:
    with interruption.StopRequest() as stop:
      while not path:
        try:
          path = _phases(run, make_dataset, stop)
        except guards.NotFiniteError as error:
          recovery.roll_back(run, error, clips)
  finally:
    run.profile.close()
    run.reporter.close()
  with run.workers.chief_first():
    if run.workers.is_chief:
      _finish(run, path, folder, time.monotonic() - began)
