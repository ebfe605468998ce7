"""What a stage builds on: stages that it restores, and their data.

A run goes on only with the inputs it was begun with, and begins only with
inputs that belong together, unless told otherwise.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
from typing import Any, Collection, Mapping

from absl import logging

from earsr_tf import config as config_lib
from earsr_tf import config_json
from earsr_tf.stages import stage as stage_lib
from earsr_tf.training import checkpoints

_PACKAGES = ('tensorflow', 'keras', 'numpy', 'tensorflow-addons',
             'tensorflow-io')


def versions() -> dict[str, str]:
  """Versions of what computes: results are exact only if they stay."""
  return {'python': platform.python_version(),
          **{name: importlib.metadata.version(name) for name in _PACKAGES}}


def sources(stage: stage_lib.Stage) -> list[str]:
  """Stages that `stage` restores networks from."""
  return list(dict.fromkeys(
      source.split('/')[0] for source in stage.restores.values()))


def fingerprints(run_root: str, stage: stage_lib.Stage) -> dict[str, str]:
  """Restored stage -> sha256 of its checkpoint's index.

  The index holds a checksum of every tensor, so it changes with any weight.

  Args:
    run_root: Folder of the stages.
    stage: The stage; what it restores is finished.

  Raises:
    CheckpointError: If a checkpoint cannot be read.
  """
  found = {}
  for source in sources(stage):
    path = checkpoints.finished_prefix(run_root, source) + '.index'
    try:
      with open(path, 'rb') as file:
        found[source] = hashlib.sha256(file.read()).hexdigest()
    except OSError as error:
      raise checkpoints.CheckpointError(
          f'{path}: cannot be read ({error.strerror}); train stage {source} '
          'again with --restart') from error
  return found


def check(run_root: str, stage: stage_lib.Stage, config: config_lib.Config,
          *, manifests: Collection[str], allows_others: bool) -> None:
  """Refuses restored stages of another model or of other data.

  Args:
    run_root: Folder of the stages.
    stage: The stage that is about to be trained.
    config: Its configuration.
    manifests: sha256 of the manifests of all the data of the run. Those of a
      restored stage must be among them, or the other way round.
    allows_others: Whether a difference is only a warning.

  Raises:
    CheckpointError: With the differences, and what to do.
  """
  model = {'model': config_json.to_json(config)['model']}
  for source in sources(stage):
    stored = checkpoints.load_record(run_root, source)
    old = {'model': config_json.to_json(
        config_json.from_json(stored['config']))['model']}
    rows = checkpoints.differences(old, model)
    # Imported weights and files of older versions do not name their data.
    sole = [stored['manifest_sha256']] if 'manifest_sha256' in stored else []
    data = set(stored.get('manifests', sole))
    if not (data <= set(manifests) or data >= set(manifests)):
      rows.append('manifest of the data: ' + ' -> '.join(
          '+'.join(name[:12] for name in sorted(names))
          for names in (data, manifests)))
    if not rows:
      continue
    what = (f'stage {source} in {run_root} was trained for something else '
            f'than stage {stage.name} is to be ({"; ".join(rows[:4])})')
    if not allows_others:
      raise checkpoints.CheckpointError(
          f'{what}; use the same settings and data, another --run_root, or '
          '--allow_other_inputs to take it nevertheless')
    logging.warning('%s; allowed', what)


def common(config: config_lib.Config, stage: str,
           provenance: Mapping[str, Any], restart: bool) -> dict[str, str]:
  """What all workers must have been started with, in words for people.

  Args:
    config: The whole configuration.
    stage: Name of the stage.
    provenance: Of config.json, with 'inputs'.
    restart: Whether an earlier run is thrown away.
  """
  parts = {
      '--stage': stage, 'configuration': config_json.to_json(config),
      'manifest of the data': provenance['manifest_sha256'],
      'version of Python or of a package': provenance['versions'],
      'checkpoint of a restored stage': provenance['inputs'],
      '--restart': restart}
  return {name: json.dumps(part, sort_keys=True)
          for name, part in parts.items()}


def warn_of_changes(folder: str, stored: Mapping[str, Any],
                    provenance: Mapping[str, Any]) -> None:
  """Logs what makes a resumed run less than exact: versions, devices, ..."""
  rows = checkpoints.differences(
      *({key: values[key]
          for key in ('versions', 'replicas', 'workers', 'rounding')
         if key in stored and key in provenance}
        for values in (stored, provenance)))
  if rows:
    logging.warning(
        '%s goes on under other circumstances (%s): results may differ in the '
        'last digits from those of an uninterrupted run', folder,
        '; '.join(rows))
