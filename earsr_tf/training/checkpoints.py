"""Run folders and checkpoints: what a stage leaves for the next one.

<run_root>/<stage>/{config.json, checkpoints/, train/, metrics.jsonl,
finished.json}; `finished.json` appears when the stage is complete.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
from typing import Any, Mapping

import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf import config_json
from earsr_tf import durable
from earsr_tf.stages import stage as stage_lib

FINISHED = 'finished.json'


class CheckpointError(ValueError):
  """A run folder does not hold what is needed; says what to run."""


def stage_dir(run_root: str, stage: str) -> pathlib.Path:
  """The folder of a stage."""
  return pathlib.Path(run_root) / stage


def _read_json(path: pathlib.Path, key: str) -> dict[str, Any]:
  """What is in a file that this module wrote; it has a value for `key`."""
  try:
    values = json.loads(path.read_text(encoding='utf-8'))
    values[key]  # raises KeyError
    return values
  except (OSError, ValueError, KeyError, TypeError) as error:
    raise CheckpointError(
        f'{path}: cannot be read ({type(error).__name__}: {error}); train the '
        'stage again with --restart') from error


def finished_prefix(run_root: str, stage: str) -> str:
  """The prefix of the checkpoint of a finished stage.

  Raises:
    CheckpointError: If finished.json cannot be read.
  """
  folder = stage_dir(run_root, stage)
  name = _read_json(folder / FINISHED, 'checkpoint')['checkpoint']
  return str(folder / 'checkpoints' / name)


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


def load_record(run_root: str, stage: str) -> dict[str, Any]:
  """All that config.json of a stage says: `config`, and its circumstances.

  Raises:
    CheckpointError: If the stage has no readable config.json.
  """
  path = stage_dir(run_root, stage) / 'config.json'
  if not path.exists():
    raise CheckpointError(
        f'{path} is missing: stage {stage} has not been trained in {run_root}; '
        f'run: python -m earsr_tf.train --stage={stage} '
        f'--run_root={run_root}')
  return _read_json(path, 'config')


def load_config(run_root: str, stage: str) -> config_lib.Config:
  """The configuration a stage was trained with.

  Raises:
    CheckpointError: If the stage has no readable config.json.
  """
  return config_json.from_json(load_record(run_root, stage)['config'])


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


def _circumstances(stored: Mapping[str, Any], new: Mapping[str, Any]
                   ) -> list[str]:
  """What differs in data and restored stages, where both name them."""
  names = {'manifest_sha256': 'manifest of the data', 'inputs': 'weights of'}
  rows = differences(
      *({label: values[key] for key, label in names.items()
         if key in stored and key in new} for values in (stored, new)))
  # Hashes: their beginnings tell them apart.
  return [re.sub(r'\b([0-9a-f]{12})[0-9a-f]{52}\b', r'\1', row)
          for row in rows]


def _fixed(config: Mapping[str, Any], stage: stage_lib.Stage
           ) -> dict[str, Any]:
  """What may not change while a stage is trained."""
  shaping = ('model', 'optimizer', *stage.reads, stage.name, 'seed')
  fixed = {k: config.get(k) for k in shaping}
  if stage.targets:
    fixed['training'] = {
        'cached_targets': config['training']['cached_targets']}
  return fixed


def claim(run_root: str, stage: stage_lib.Stage, config: config_lib.Config,
          provenance: Mapping[str, Any]) -> pathlib.Path:
  """Makes the stage's folder, or checks that the one there fits.

  Args:
    run_root: Folder of the stages.
    stage: What is to be trained.
    config: Its configuration.
    provenance: Kept in config.json. Of a run that goes on, 'manifest_sha256'
      (the data) and 'inputs' (restored stages) must be what they were.

  Returns:
    The folder.

  Raises:
    CheckpointError: If it holds a run with another model, schedule, seed,
      optimizer, data or inputs.
  """
  folder = stage_dir(run_root, stage.name)
  path = folder / 'config.json'
  new = json.loads(json.dumps(config_json.to_json(config)))
  if path.exists():
    stored = _read_json(path, 'config')
    # Read and written again, so that fields it lacks have their defaults.
    old = json.loads(json.dumps(config_json.to_json(
        config_json.from_json(stored['config']))))
    rows = differences(_fixed(old, stage), _fixed(new, stage))
    rows += _circumstances(stored, provenance)
    if rows:
      raise CheckpointError(
          f'{folder} holds a run with another configuration or other inputs '
          f'({"; ".join(rows[:4])}); use another --run_root, or --restart to '
          'throw that run away')
    return folder
  durable.write_json(path, {'stage': stage.name, 'equation': stage.equation,
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
  prefix = finished_prefix(run_root, stage)
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
    prefix = finished_prefix(run_root, stage)
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
  durable.write_json(folder / 'config.json', {
      'stage': stage, 'config': config_json.to_json(config)})
  saver = tf.train.Checkpoint(networks=network_checkpoint(networks))
  path = saver.write(str(folder / 'checkpoints' / 'ckpt-1'))
  durable.write_json(folder / FINISHED, {
      'checkpoint': os.path.basename(path), 'images': 0, 'step': 0})
