"""What lives as long as a run: networks, averages, optimizers, counters."""

from __future__ import annotations

import dataclasses
import itertools
import pathlib

from absl import logging
import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf.stages import stage as stage_lib
from earsr_tf.training import checkpoints
from earsr_tf.training import distribution
from earsr_tf.training import ema
from earsr_tf.training import guards
from earsr_tf.training import optimizers as optimizers_lib
from earsr_tf.training import store as store_lib
from earsr_tf.training import weights as weights_lib
from earsr_tf.training import workers as workers_lib
from earsr_tf.training.monitoring import hyperparameters
from earsr_tf.training.monitoring import observations
from earsr_tf.training.monitoring import previews
from earsr_tf.training.monitoring import profiling
from earsr_tf.training.monitoring import summaries


@dataclasses.dataclass
class Run:
  """A stage in training.

  Attributes:
    stage: What is trained.
    config: The whole configuration.
    strategy: Holds the networks' variables.
    networks: All networks, and the averages as '<network>_ema'.
    optimizers: By key, with all slots.
    weights: Loss weights that change.
    skips: Steps that were not finite.
    step: [] int64, steps so far.
    images: [] int64, images shown so far.
    store: The run's checkpoints.
    reporter: Where it reports.
    workers: The processes that train it together.
    observer: What it measures for its records.
    previews: What it shows of its networks.
    profile: Which of its steps are profiled.
    rollbacks: How often this process went back to a checkpoint ...
    failed_at: ... and the images at which that last became necessary.
  """
  stage: stage_lib.Stage
  config: config_lib.Config
  strategy: tf.distribute.Strategy
  networks: dict[str, tf.keras.Model]
  optimizers: dict[str, tf.keras.optimizers.legacy.Optimizer]
  weights: dict[str, weights_lib.PlateauWeight]
  skips: guards.Skips
  step: tf.Variable
  images: tf.Variable
  store: store_lib.Store | None = None
  reporter: summaries.Reporter | summaries.Silence | None = None
  workers: workers_lib.Workers = dataclasses.field(
      default_factory=workers_lib.Workers)
  observer: observations.Observer | None = None
  previews: previews.Previews | None = None
  profile: profiling.Profile | None = None
  rollbacks: int = 0
  failed_at: int = -1

  def save(self) -> str:
    """Saves a checkpoint of this moment; returns its prefix.

    What the record says is on the disk before the checkpoint that a later
    start goes on from.
    """
    self.reporter.sync()
    return self.store.save(int(self.images))


def build(stage: stage_lib.Stage, config: config_lib.Config, *, replicas: int,
          run_root: str) -> Run:
  """Makes a run at its beginning; networks have their first weights.

  Args:
    stage: What to train.
    config: The whole configuration; its seed gives the first weights.
    replicas: Devices.
    run_root: Folder of all stages, for the networks that are restored.

  Raises:
    CheckpointError: If inputs are missing or do not fit.
    DeviceError: If there are not so many devices.
  """
  strategy = distribution.make_strategy(replicas)
  if config.training.deterministic:
    tf.config.experimental.enable_op_determinism()
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
  return Run(
      stage, config, strategy, networks, optimizers, weights_lib.make(stage),
      guards.Skips(stage=stage),
      step=tf.Variable(0, dtype=tf.int64, trainable=False),
      images=tf.Variable(0, dtype=tf.int64, trainable=False),
      workers=workers_lib.join(replicas))


def start(run: Run, make_dataset: workers_lib.MakeDataset) -> None:
  """Sets first weights by the run's first images, as its stage says."""
  stage, batches = run.stage, iter(())
  if stage.start_images:
    batches = itertools.islice(
        iter(make_dataset(stage.start_batch, 0)),
        stage.start_images // stage.start_batch)
  with run.strategy.scope():
    stage.start(run.networks, batches)


def saved_networks(run: Run) -> dict[str, tf.keras.Model]:
  """What moves or is handed on; frozen inputs stay where they came from."""
  moving = {name for update in run.stage.updates for name in update.trains}
  moving |= {f'{name}_ema' for name in run.stage.averages}
  return {name: run.networks[name]
          for name in sorted(moving | set(run.stage.outputs))}


def watch(run: Run, batch: stage_lib.Batch,
          profile_steps: tuple[int, int] | None, folder: pathlib.Path) -> None:
  """Prepares what looks at the run; its networks have their first weights.

  Args:
    run: The run.
    batch: Fixed inputs of previews and observations.
    profile_steps: First and last step that the chief's profiler records.
    folder: Of the stage.
  """
  fixed = observations.Fixed(
      stage=run.stage, networks=run.networks, batch=batch,
      seed=run.config.seed)
  run.observer = observations.Observer(fixed=fixed)
  run.previews = previews.Previews(fixed=fixed)
  run.profile = profiling.Profile(
      steps=profile_steps if run.workers.is_chief else None,
      folder=folder / summaries.FOLDER)


def open_reporter(run: Run, folder: pathlib.Path
                  ) -> summaries.Reporter | summaries.Silence:
  """Where the run reports from its present image on; the chief's job.

  Raises:
    StorageError: If the record cannot be written.
  """
  if not run.workers.is_chief:
    return summaries.Silence()
  reporter = summaries.Reporter(
      folder=folder, stage=run.stage.name, images=int(run.images),
      total_images=sum(p.images for p in run.stage.phases),
      log_every=run.config.training.log_every)
  reporter.hyperparameters(
      hyperparameters.core_values(run.config, run.stage))
  return reporter


def resume(run: Run, folder: pathlib.Path) -> None:
  """Opens the run's checkpoints and goes on from the newest intact one.

  Raises:
    CheckpointError: If there are checkpoints and none can be restored.
    ClusterError: If workers found different ones.
  """
  networks = saved_networks(run)
  weights = [run.weights[key] for key in sorted(run.weights)]
  checkpoint = tf.train.Checkpoint(
      networks=checkpoints.network_checkpoint(networks),
      optimizers=tf.train.Checkpoint(**run.optimizers),
      weights=weights, skips=run.skips, step=run.step, images=run.images)
  variables = [v for part in (*networks.values(), *weights, run.skips)
               for v in part.variables]
  variables += [v for o in run.optimizers.values() for v in o.variables()]
  run.store = store_lib.Store(
      checkpoint=checkpoint, variables=variables,
      folder=folder / 'checkpoints', keep=run.config.training.keep,
      writes=run.workers.is_chief)
  path = run.store.restore_newest()
  if path:
    logging.info('%s: going on from %s (%d images)', run.stage.name, path,
                 int(run.images))
  run.workers.check_same({'newest checkpoint': str(int(run.images))})
