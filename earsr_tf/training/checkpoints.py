"""Run folders and checkpoints: what a stage leaves for the next one.

<run_root>/<stage>/{config.json, checkpoints/, train/, metrics.jsonl,
finished.json}; `finished.json` appears when the stage is complete.
"""

from __future__ import annotations

import json
import os
import pathlib
from typing import Any, Mapping

import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf import config_json
from earsr_tf.stages import stage as stage_lib

FINISHED = 'finished.json'


class CheckpointError(ValueError):
  """A run folder does not hold what is needed; says what to run."""


def stage_dir(run_root: str, stage: str) -> pathlib.Path:
  """The folder of a stage."""
  return pathlib.Path(run_root) / stage


def write_json(path: pathlib.Path, values: Mapping[str, Any]) -> None:
  """Writes JSON so that a reader sees the whole file or none."""
  path.parent.mkdir(parents=True, exist_ok=True)
  partial = path.with_name(f'.{path.name}.{os.getpid()}')
  partial.write_text(json.dumps(values, indent=2, sort_keys=True) + '\n',
                     encoding='utf-8')
  os.replace(partial, path)


def _read_json(path: pathlib.Path, key: str) -> Any:
  """The value of `key` in a file that this module wrote."""
  try:
    return json.loads(path.read_text(encoding='utf-8'))[key]
  except (OSError, ValueError, KeyError, TypeError) as error:
    raise CheckpointError(
        f'{path}: cannot be read ({type(error).__name__}: {error}); train the '
        'stage again with --restart') from error


def _finished_prefix(path: pathlib.Path) -> str:
  """The prefix of the checkpoint that finished.json names."""
  return str(path.parent / 'checkpoints' / _read_json(path, 'checkpoint'))


def is_finished(run_root: str, stage: str) -> bool:
  """Whether a stage has run to its end."""
  return (stage_dir(run_root, stage) / FINISHED).exists()


def check_finished(run_root: str, stages: list[str], preset: str) -> None:
  """Raises CheckpointError with the command to type if a stage is missing."""
  for stage in stages:
    if not is_finished(run_root, stage):
      raise CheckpointError(
          f'stage {stage} has not been trained in {run_root}; run: python -m '
          f'earsr_tf.train --stage={stage} --preset={preset} '
          f'--run_root={run_root}')


def load_config(run_root: str, stage: str) -> config_lib.Config:
  """The configuration a stage was trained with.

  Raises:
    CheckpointError: If the stage has no readable config.json.
  """
  path = stage_dir(run_root, stage) / 'config.json'
  if not path.exists():
    raise CheckpointError(
        f'{path} is missing: stage {stage} has not been trained in {run_root}; '
        f'run: python -m earsr_tf.train --stage={stage} '
        f'--run_root={run_root}')
  return config_json.from_json(_read_json(path, 'config'))


def differences(old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = ''
                ) -> list[str]:
  """'a.b: 1 -> 2' for every value that differs between two JSON objects."""
  rows = []
  for key in sorted(set(old) | set(new)):
    name = f'{prefix}{key}'
    a, b = old.get(key), new.get(key)
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
      a, b = ({str(i): v for i, v in enumerate(x)} for x in (a, b))
    if isinstance(a, dict) and isinstance(b, dict):
      rows += differences(a, b, name + '.')
    elif a != b:
      rows.append(f'{name}: {a} -> {b}')
  return rows


def _fixed(config: Mapping[str, Any], stage: stage_lib.Stage
           ) -> dict[str, Any]:
  """What may not change while a stage is trained."""
  fixed = {k: config.get(k) for k in ('model', stage.name, 'seed')}
  if stage.targets:
    fixed['training'] = {
        'cached_targets': config['training']['cached_targets']}
  return fixed


def claim(run_root: str, stage: stage_lib.Stage, config: config_lib.Config,
          provenance: Mapping[str, Any]) -> pathlib.Path:
  """Makes the stage's folder, or checks that the one there fits.

  Returns:
    The folder.

  Raises:
    CheckpointError: If it holds a run with another model or schedule.
  """
  folder = stage_dir(run_root, stage.name)
  path = folder / 'config.json'
  new = json.loads(json.dumps(config_json.to_json(config)))
  if path.exists():
    # Read and written again, so that fields it lacks have their defaults.
    old = json.loads(json.dumps(config_json.to_json(
        config_json.from_json(_read_json(path, 'config')))))
    rows = differences(_fixed(old, stage), _fixed(new, stage))
    if rows:
      raise CheckpointError(
          f'{folder} holds a run with another configuration '
          f'({"; ".join(rows[:4])}); use another --run_root, or --restart to '
          'throw that run away')
    return folder
  write_json(path, {'stage': stage.name, 'equation': stage.equation,
                    'config': new, **provenance})
  return folder


def network_checkpoint(networks: Mapping[str, tf.Module]
                       ) -> tf.train.Checkpoint:
  """The part of a checkpoint that holds networks, by name."""
  return tf.train.Checkpoint(**networks)


def stored_networks(run_root: str, stage: str) -> frozenset[str]:
  """Names of the networks that a finished stage's checkpoint holds.

  Args:
    run_root: Folder of the stages.
    stage: A finished stage; an imported one may lack networks.

  Raises:
    CheckpointError: If the checkpoint cannot be read.
  """
  prefix = _finished_prefix(stage_dir(run_root, stage) / FINISHED)
  try:
    names = [name for name, _ in tf.train.list_variables(prefix)]
  except (ValueError, tf.errors.OpError) as error:
    raise CheckpointError(
        f'{prefix}: cannot be read ({type(error).__name__}); train the stage '
        'again with --restart') from error
  return frozenset(name.split('/')[1] for name in names
                   if name.startswith('networks/'))


def restore_networks(networks: Mapping[str, tf.Module],
                     sources: Mapping[str, str], run_root: str) -> None:
  """Fills networks from finished stages.

  Args:
    networks: Name -> network whose variables exist.
    sources: Name -> '<stage>/<network>'.
    run_root: Folder of the stages.

  Raises:
    CheckpointError: If a stage is not finished, or its checkpoint lacks a
      variable or has another shape.
  """
  for name, source in sources.items():
    stage, network = source.split('/')
    path = stage_dir(run_root, stage) / FINISHED
    if not path.exists():
      raise CheckpointError(
          f'stage {stage} has not been trained in {run_root}; run: python -m '
          f'earsr_tf.train --stage={stage} --run_root={run_root}')
    prefix = _finished_prefix(path)
    reader = tf.train.Checkpoint(
        networks=network_checkpoint({network: networks[name]}))
    try:
      # `read`, not `restore`: that one asks for a counter of saves, too.
      reader.read(prefix).expect_partial().assert_existing_objects_matched()
    except (AssertionError, ValueError, IndexError, tf.errors.OpError) as error:
      if network not in stored_networks(run_root, stage):
        raise CheckpointError(
            f'{prefix}: holds no {network} (imported weights lack what was '
            f'not published); train stage {stage} in another --run_root'
            ) from error
      reason = str(error).strip().split('\n')[0][:200]
      raise CheckpointError(
          f'{prefix}: cannot provide {source} ({reason}); was it trained with '
          'another model configuration?') from error


def save_networks(run_root: str, stage: str, networks: Mapping[str, tf.Module],
                  config: config_lib.Config) -> None:
  """Writes a finished stage that holds just `networks`.

  For importers of published weights, and for tests.
  """
  folder = stage_dir(run_root, stage)
  write_json(folder / 'config.json', {
      'stage': stage, 'config': config_json.to_json(config)})
  saver = tf.train.Checkpoint(networks=network_checkpoint(networks))
  path = saver.write(str(folder / 'checkpoints' / 'ckpt-1'))
  write_json(folder / FINISHED, {
      'checkpoint': os.path.basename(path), 'images': 0, 'step': 0})


def restore_latest(checkpoint: tf.train.Checkpoint,
                   manager: tf.train.CheckpointManager) -> str | None:
  """Restores the newest checkpoint of a run that is under way.

  Returns:
    Its prefix, or None for a fresh run.

  Raises:
    CheckpointError: If it cannot be restored completely.
  """
  path = manager.latest_checkpoint
  if path is None:
    return None
  try:
    checkpoint.restore(path).assert_existing_objects_matched()
  except (AssertionError, ValueError, IndexError, tf.errors.OpError) as error:
    reason = str(error).strip().split('\n')[0][:200]
    raise CheckpointError(
        f'{path}: cannot be restored ({reason}); remove it to go on from the '
        'one before, or use --restart') from error
  return path
