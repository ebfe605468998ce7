"""python -m earsr_tf.train --stage=invert: trains one stage of the paper.

Starting the same command again goes on where it was left.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
import sys
import time
from typing import Any, Callable, Sequence

from absl import flags
from absl import logging

from earsr_tf import cli
from earsr_tf import config as config_lib
from earsr_tf import config_json
from earsr_tf import flags as flags_lib
from earsr_tf.data import mixture as mixture_lib

_HEARING = ('audio', 'fusion')  # stages that hear voices


def _provenance(config: config_lib.Config, dataset: str, data_dir: str,
                data: mixture_lib.Mixture, replicas: int) -> dict[str, Any]:
  """What config.json keeps besides the configuration."""
  from earsr_tf.training import cluster
  from earsr_tf.training import distribution
  from earsr_tf.training import inputs
  return {
      'command': ' '.join(sys.argv), 'dataset': dataset, 'data_dir': data_dir,
      'manifest_sha256': data.sha256, **(
          {'manifests': sorted(m.sha256 for m in data.manifests)}
          if len(data.manifests) > 1 else {}), 'versions': inputs.versions(),
      'replicas': distribution.total(replicas),
      'workers': cluster.from_environment().count,
      'rounding': {'micro_batch': config.training.micro_batch,
                   'precision': config.training.precision},
      'date': time.strftime('%Y-%m-%d %H:%M:%S')}


def _clip_names(data: mixture_lib.Mixture, splits: tuple[str, ...], seed: int
                ) -> Callable[[int, int], Sequence[str]]:
  """(batch_size, start_images) -> names of the clips of that batch."""
  from earsr_tf.data import batching
  from earsr_tf.data import keys

  def names(batch_size: int, start: int) -> list[str]:
    """Names of the clips of the batch that begins at `start`."""
    batch = next(iter(batching.make_dataset(
        data, splits=splits, inputs=(keys.CLIP,), batch_size=batch_size,
        seed=seed, start_images=start)))
    return [name.decode() for name in batch[keys.CLIP].numpy()]

  return names


def _read_data(dataset: str, data_dir: str, stage: str) -> mixture_lib.Mixture:
  """Refuses data that are missing, of another kind or without voices.

  TensorFlow is not loaded yet.
  """
  from earsr_tf.data import dataset as dataset_lib
  spec = dataset_lib.get(dataset)
  data = mixture_lib.read(data_dir, stage, spec.make_command)
  for manifest in data.manifests:
    if len(data.known) == 1 and manifest.dataset != dataset:
      raise config_lib.ConfigError(
          f'--data_dir={data_dir} holds the dataset {manifest.dataset}, not '
          f'{dataset}; use --dataset={manifest.dataset}')
    if stage in _HEARING:
      manifest.check_voices(f'stage {stage}')
  return data


def _verify_shards(data: mixture_lib.Mixture, splits: set[str], run_root: str,
                   writes: bool) -> None:
  """Refuses shards that are not those that the manifest describes."""
  from earsr_tf.data import integrity
  from earsr_tf.data import manifest as manifest_lib
  began = time.monotonic()
  for manifest in data.manifests:
    read = integrity.check_shards(
        manifest, [name for name in manifest_lib.SPLITS
                   if name in splits and manifest.splits[name]],
        memory=os.path.join(run_root, integrity.FILE_NAME), writes=writes)
    if read:
      logging.info('%s: %.0f MB verified in %.1f s', manifest.data_dir,
                   read / 1e6, time.monotonic() - began)


def _with_classes(config: config_lib.Config, speakers: int
                  ) -> config_lib.Config:
  """Gives C_i a class for each speaker, unless the configuration says."""
  classes = config.attributes.num_speakers or speakers
  if classes < speakers:
    raise config_lib.ConfigError(
        f'attributes.num_speakers={classes}: the data hold {speakers} '
        'speakers; use 0 for as many as there are')
  return dataclasses.replace(config, attributes=dataclasses.replace(
      config.attributes, num_speakers=classes))


def run(config: config_lib.Config, stage: str, *, dataset: str = 'synthetic',
        data_dir: str = 'data', run_root: str = 'runs', replicas: int = 1,
        restart: bool = False, allow_other_inputs: bool = False,
        verify_data: bool = True,
        profile_steps: tuple[int, int] | None = None) -> None:
  """Trains one stage to its end; does nothing if it is finished.

  Args:
    config: Resolved configuration.
    stage: One of `config.TRAINABLE`.
    dataset: Name of the dataset the shards were made from.
    data_dir: Folder of the shards, or several; see `mixture.parse`.
    run_root: Folder of all stages.
    replicas: Devices.
    restart: Whether to remove an earlier run of this stage first.
    allow_other_inputs: Whether restored stages may be of another model
      configuration or other data.
    verify_data: Whether to compare the shards' checksums first.
    profile_steps: First and last step that the profiler records, if any.

  Raises:
    ConfigError, DataError, CheckpointError, DeviceError, TrainingError,
      StorageError, LockedError, ClusterError, LostWorkerError,
      OutOfMemoryError: With one sentence that says what to do.
    Interrupted: If SIGTERM or SIGINT came; the state is saved.
  """
  data = _read_data(dataset, data_dir, stage)
  from earsr_tf.training import cluster
  if not cluster.from_environment().is_chief:  # refused before TensorFlow loads
    logging.set_verbosity(logging.ERROR)  # the chief says it all
  from earsr_tf import environment
  environment.load_tensorflow()
  from earsr_tf.data import batching
  from earsr_tf.training import inputs
  from earsr_tf.training import memory
  from earsr_tf.training import workers as workers_lib
  from earsr_tf.training.monitoring import fixed_batch
  workers = workers_lib.join(replicas)
  info = batching.data_info(data)
  if stage == 'attributes':
    config = _with_classes(config, len(info.speakers))
  made = importlib.import_module(f'earsr_tf.stages.{stage}').stage(config)
  provenance = _provenance(
      config, dataset, data_dir, data, replicas)
  with (workers.explained(f'stage {stage}'),
        memory.explained(f'stage {stage}', memory.training_remedy(made))):
    if not _is_wanted(config, made, provenance, data.known, run_root=run_root,
                      restart=restart, allow_other_inputs=allow_other_inputs):
      return
    if verify_data:
      _verify_shards(data, {*made.splits, *fixed_batch.splits(made, info)},
                     run_root, workers.is_chief)
    workers.check_same(inputs.common(config, stage, provenance, restart))
    with workers.hold(run_root, stage, restart):
      _train(config, made, info, data, run_root=run_root,
             replicas=replicas, provenance=provenance, workers=workers,
             profile_steps=profile_steps)


def _is_wanted(config: config_lib.Config, made: Any,
               provenance: dict[str, Any], known: frozenset[str], *,
               run_root: str, restart: bool, allow_other_inputs: bool) -> bool:
  """Whether there is something to train; refuses what does not fit.

  Adds the restored stages to `provenance`.
  """
  from earsr_tf.training import checkpoints
  from earsr_tf.training import inputs
  folder = checkpoints.stage_dir(run_root, made.name)
  checkpoints.check_finished(run_root, inputs.sources(made), config.preset)
  inputs.check(run_root, made, config,
               manifests=known,
               allows_others=allow_other_inputs)
  provenance['inputs'] = inputs.fingerprints(run_root, made)
  if restart:
    return True
  if (folder / 'config.json').exists():
    checkpoints.claim(run_root, made, config, provenance)  # refuses early
  if checkpoints.is_finished(run_root, made.name):
    logging.info('%s: already finished in %s', made.name, folder)
    return False
  return True


def _train(config: config_lib.Config, made: Any, info: Any,
           data: mixture_lib.Mixture, *, run_root: str, replicas: int,
           provenance: dict[str, Any], workers: Any,
           profile_steps: tuple[int, int] | None) -> None:
  """Trains a stage on prepared data; the caller holds the lock."""
  from earsr_tf.data import batching
  from earsr_tf.data import stream
  from earsr_tf.training import loop
  from earsr_tf.training import target_cache
  from earsr_tf.training.monitoring import fixed_batch
  with stream.explained(data.data_dir):
    with workers.chief_first():  # the others find what the chief computed
      found = target_cache.ensure(made, config, run_root=run_root, data=data)
    source = batching.TrainingData(
        data=data, splits=made.splits, inputs=made.inputs, targets=found)
    loop.train(
        made, config, run_root=run_root, replicas=replicas,
        make_dataset=lambda batch_size, start, share=None: source.batches(
            batch_size=batch_size, seed=config.seed, start_images=start,
            mirror=made.mirror, share=share),
        preview_batch=fixed_batch.read(made, config, data, info),
        provenance=provenance,
        clips=_clip_names(data, made.splits, config.seed),
        profile_steps=profile_steps)


def cost(config: config_lib.Config, stage: str, trial_steps: int = 0
         ) -> dict[str, Any]:
  """Parameters, memory and operations of a step, and how long it will take.

  Args:
    config: Resolved configuration.
    stage: One of `config.TRAINABLE`.
    trial_steps: Steps on random data that are taken to predict time and
      memory; with 0 nothing is allocated and nothing predicted.

  Returns:
    JSON-ready values of the stage's costliest phase.

  Raises:
    OutOfMemoryError: If there is too little memory for the steps.
  """
  from earsr_tf import environment
  environment.load_tensorflow()
  from earsr_tf.training import prediction
  from earsr_tf.training import trial_step
  # VGG16's weights do not matter here and may have to be downloaded.
  step = trial_step.TrialStep(
      name=stage, config=prediction.without_files(config))
  counted = step.cost.to_json()
  if not trial_steps:
    return counted
  return {**counted, 'predicted': prediction.predict(
      step, trial_steps).to_json()}


def _resolve_config() -> config_lib.Config:
  """The configuration that the flags ask for, those of this command last."""
  values, config = flags_lib.FLAGS, flags_lib.resolve_config()
  own = {name: getattr(values, name) for name in ('micro_batch', 'precision')
         if getattr(values, name) is not None}
  return dataclasses.replace(
      config, training=dataclasses.replace(config.training, **own))


def main() -> None:
  """Trains what the flags name."""
  values = flags_lib.FLAGS
  config = _resolve_config()
  profile_steps = flags_lib.profile_range(values.profile_steps)
  if values.dry_run:
    print(json.dumps({
        'stage': values.stage, 'cost': cost(
            config, values.stage, values.trial_steps),
        **config_json.to_json(config)}, indent=2))
    return
  run(config, values.stage, dataset=values.dataset, data_dir=values.data_dir,
      run_root=values.run_root, replicas=values.replicas,
      restart=values.restart, allow_other_inputs=values.allow_other_inputs,
      verify_data=values.verify_data, profile_steps=profile_steps)


if __name__ == '__main__':
  flags_lib.define_run_flags()
  flags.DEFINE_enum('stage', None, config_lib.TRAINABLE, 'What to train.')
  flags.DEFINE_bool(
      'restart', False, 'Throw an earlier run of this stage away.')
  flags.DEFINE_bool(
      'allow_other_inputs', False, 'Restore stages that were trained with '
      'another model configuration or on other data.')
  flags.DEFINE_bool(
      'verify_data', True, "Compare the shards' checksums with the manifest "
      'before training; what was compared once is remembered.')
  flags.DEFINE_string(
      'profile_steps', None, 'Steps of the stage, FIRST:LAST, that the '
      "profiler records for TensorBoard's page Profile.")
  flags.DEFINE_integer(
      'micro_batch', None, 'Images that a replica computes at a time, at most, '
      'to save memory; 0: all. Sets training.micro_batch.', lower_bound=0)
  flags.DEFINE_enum(
      'precision', None, config_lib.PRECISIONS,
      'Of convolutions and matrix products. Sets training.precision.')
  flags.DEFINE_integer(
      'trial_steps', 3, 'Steps on random data that --dry_run takes to predict '
      'time and memory; 0: none, only counts.', lower_bound=0)
  flags.mark_flag_as_required('stage')
  cli.run(main)
