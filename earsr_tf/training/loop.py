"""The one loop: owns step, checkpoint and summary; knows no stage."""

from __future__ import annotations

import dataclasses
import pathlib
import time
from typing import Any, Callable, Iterator, Mapping

from absl import logging
import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf.data import keys
from earsr_tf.stages import stage as stage_lib
from earsr_tf.training import checkpoints
from earsr_tf.training import distribution
from earsr_tf.training import ema
from earsr_tf.training import optimizers as optimizers_lib
from earsr_tf.training import schedule
from earsr_tf.training import step as step_lib
from earsr_tf.training import summaries
from earsr_tf.training import weights as weights_lib

# (batch_size, start_images) -> endless dataset of batches.
MakeDataset = Callable[[int, int], tf.data.Dataset]


class TrainingError(RuntimeError):
  """Training cannot go on; the message names stage, step and term."""


@dataclasses.dataclass
class _Run:
  """Everything that lives as long as a run."""
  stage: stage_lib.Stage
  config: config_lib.Config
  strategy: tf.distribute.Strategy
  networks: dict[str, tf.keras.Model]
  optimizers: dict[str, tf.keras.optimizers.legacy.Adam]
  weights: dict[str, weights_lib.PlateauWeight]
  step: tf.Variable
  images: tf.Variable
  manager: tf.train.CheckpointManager | None = None
  reporter: summaries.Reporter | None = None


def _build(stage: stage_lib.Stage, config: config_lib.Config, replicas: int,
           run_root: str) -> _Run:
  """Networks with their weights, averages, optimizers and counters."""
  strategy = distribution.make_strategy(replicas)
  tf.keras.utils.set_random_seed(config.seed)  # for the first weights only
  with strategy.scope():
    networks = dict(stage.build())
    checkpoints.restore_networks(networks, stage.restores, run_root)
    if stage.averages:
      twins = stage.build()
      for name in stage.averages:
        ema.start(twins[name], networks[name])
        networks[f'{name}_ema'] = twins[name]
    optimizers = optimizers_lib.make(stage, networks)
  # Host state: one copy, not one per replica.
  weights = weights_lib.make(stage)
  step = tf.Variable(0, dtype=tf.int64, trainable=False)
  images = tf.Variable(0, dtype=tf.int64, trainable=False)
  return _Run(stage, config, strategy, networks, optimizers, weights, step,
              images)


def _saved_networks(run: _Run) -> dict[str, tf.keras.Model]:
  """What moves or is handed on; frozen inputs stay where they came from."""
  moving = {name for update in run.stage.updates for name in update.trains}
  moving |= {f'{name}_ema' for name in run.stage.averages}
  return {name: run.networks[name]
          for name in sorted(moving | set(run.stage.outputs))}


def _resume(run: _Run, folder: pathlib.Path) -> None:
  checkpoint = tf.train.Checkpoint(
      networks=checkpoints.network_checkpoint(_saved_networks(run)),
      optimizers=tf.train.Checkpoint(**run.optimizers),
      weights=[run.weights[key] for key in sorted(run.weights)],
      step=run.step, images=run.images)
  run.manager = tf.train.CheckpointManager(
      checkpoint, str(folder / 'checkpoints'), run.config.training.keep)
  path = checkpoints.restore_latest(checkpoint, run.manager)
  if path:
    logging.info('%s: going on from %s (%d images)', run.stage.name, path,
                 int(run.images))


def _compiled(run: _Run, phase: stage_lib.Phase
              ) -> dict[str, step_lib.StepFunction]:
  shape = step_lib.StepShape(
      phase.resolution, phase.batch_size, run.config.seed)
  return {
      update.name: step_lib.compile_update(
          run.strategy, run.networks, update,
          {name: run.optimizers[update.optimizer_of(name)]
           for name in update.trains}, shape)
      for update in run.stage.updates}


def _weight_values(run: _Run, update: stage_lib.Update
                   ) -> dict[str, tf.Tensor]:
  return {
      term: tf.constant(float(run.weights[f'{update.name}/{term}'].value))
      if isinstance(weight, stage_lib.HalveOnPlateau)
      else tf.constant(float(weight))
      for term, weight in update.weights.items()}


def _observe(run: _Run, update: stage_lib.Update, batch_size: int,
             metrics: Mapping[str, tf.Tensor]) -> None:
  """Stops on a non-finite step; lets changing weights see the loss."""
  if not float(metrics['is_finite']):
    run.manager.save(checkpoint_number=int(run.images))
    terms = ', '.join(f'{k}={float(v):.4g}' for k, v in metrics.items()
                      if k not in ('is_finite', 'total'))
    raise TrainingError(
        f'stage {run.stage.name}, update {update.name}: loss or gradient is '
        f'not finite at step {int(run.step)} ({terms}); the last good state '
        'was saved; try a lower --set=optimizer.learning_rate=')
  for key, weight in run.weights.items():
    name, term = key.split('/')
    if name == update.name and weight.observe(
        float(metrics['total']), int(run.images), batch_size):
      run.reporter.note(
          int(run.images), f'weight/{key}', weight.describe(
              int(run.images), float(metrics[term])))


def _train_step(
    run: _Run, phase: stage_lib.Phase,
    functions: Mapping[str, step_lib.StepFunction],
    average: Callable[[tf.Tensor], None] | None, batch: Any,
    faded: float) -> dict[str, float]:
  """One pass over the updates; returns their metrics by summary name."""
  rate = optimizers_lib.learning_rate(run.stage, phase, int(run.images))
  optimizers_lib.set_learning_rate(run.optimizers, run.stage, rate)
  alpha = tf.constant(faded)
  step, images = tf.identity(run.step), tf.identity(run.images)
  values = {'optimizer/learning_rate': rate, 'progress/alpha': faded}
  for update in run.stage.updates:
    if int(step) % update.interval:
      continue
    metrics = functions[update.name](
        batch, step, images, alpha, _weight_values(run, update))
    _observe(run, update, phase.batch_size, metrics)
    for name, value in metrics.items():
      group = 'grad_norm' if name == 'grad_norm' else 'loss'
      path = update.name if group == name else f'{update.name}/{name}'
      values[f'{group}/{path}'] = value
  if average is not None:
    average(tf.constant(ema.decay(
        phase.batch_size, run.stage.ema_half_life_kimg)))
  run.step.assign_add(1)
  run.images.assign_add(phase.batch_size)
  return values


def _average_function(run: _Run) -> Callable[[tf.Tensor], None] | None:
  if not run.stage.averages:
    return None

  @tf.function
  def average(share_kept):
    for name in run.stage.averages:
      ema.update(run.networks[f'{name}_ema'], run.networks[name], share_kept)
  return average


def _report(run: _Run, values: Mapping[str, Any]) -> None:
  floats = {k: float(v) for k, v in values.items()
            if not k.endswith('/is_finite')}
  for key, weight in run.weights.items():
    floats[f'weight/{key}'] = float(weight.value)
  run.reporter.scalars(int(run.step), int(run.images), floats)


def _preview(run: _Run, batch: Mapping[str, tf.Tensor]) -> None:
  if run.stage.preview is None:
    return
  run.reporter.preview(
      int(run.images), run.stage.preview(run.networks, batch))
  if keys.WAVEFORM in batch:
    run.reporter.voices(int(run.images), batch[keys.WAVEFORM].numpy())


def _crossed(before: int, after: int, every: int) -> bool:
  return every > 0 and before // every != after // every


def _run_phase(run: _Run, span: schedule.Span, batches: Iterator[Any],
               preview_batch: stage_lib.Batch) -> None:
  """Trains from `run.images` to the end of a phase."""
  functions, average = _compiled(run, span.phase), _average_function(run)
  every = run.config.training
  while int(run.images) < span.last:
    before = int(run.images)
    if run.stage.resets_optimizer and before in span.changes:
      optimizers_lib.reset(run.optimizers)
    values = _train_step(
        run, span.phase, functions, average, next(batches),
        span.alpha(before))
    after = int(run.images)
    run.reporter.advance(after - before)
    if run.reporter.is_due() or after >= span.last:
      _report(run, values)
    if _crossed(before, after, every.preview_every):
      _preview(run, preview_batch)
    if _crossed(before, after, every.save_every):
      run.manager.save(checkpoint_number=after)


def _phases(run: _Run, make_dataset: MakeDataset,
            preview_batch: stage_lib.Batch) -> None:
  for span in schedule.spans(run.stage.phases):
    images = int(run.images)
    if images < span.last:
      dataset = run.strategy.experimental_distribute_dataset(
          make_dataset(span.phase.batch_size, images))
      _run_phase(run, span, iter(dataset), preview_batch)


def train(stage: stage_lib.Stage, config: config_lib.Config, *,
          run_root: str, replicas: int, make_dataset: MakeDataset,
          preview_batch: Mapping[str, tf.Tensor],
          provenance: Mapping[str, Any]) -> None:
  """Trains a stage to its end, going on where a run was left.

  Args:
    stage: What to train.
    config: The whole configuration, stored in the run's folder.
    run_root: Folder of all stages.
    replicas: Devices.
    make_dataset: Gives the batches, from any image on.
    preview_batch: Fixed inputs of the preview grids.
    provenance: Stored beside the configuration.

  Raises:
    CheckpointError: If inputs are missing or the folder holds another run.
    DeviceError: If the batch does not fit the devices.
    TrainingError: If a loss or gradient is not finite.
  """
  group = config.model.stddev_group if stage.name == 'generator' else 1
  for phase in stage.phases:
    distribution.check_batch(phase.batch_size, replicas, group)
  run = _build(stage, config, replicas, run_root)
  folder = checkpoints.claim(run_root, stage, config, provenance)
  _resume(run, folder)
  began = time.monotonic()
  run.reporter = summaries.Reporter(
      folder=folder, stage=stage.name, images=int(run.images),
      total_images=sum(p.images for p in stage.phases),
      log_every=config.training.log_every)
  try:
    _phases(run, make_dataset, preview_batch)
    _preview(run, preview_batch)
    path = run.manager.save(checkpoint_number=int(run.images))
  finally:
    run.reporter.close()
  checkpoints.write_json(folder / checkpoints.FINISHED, {
      'checkpoint': pathlib.Path(path).name, 'images': int(run.images),
      'step': int(run.step), 'seconds': round(time.monotonic() - began, 1)})
