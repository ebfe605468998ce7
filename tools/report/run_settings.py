"""How a run was set up, for tools/report: settings, circumstances, data."""

from __future__ import annotations

import json
from typing import Any, Sequence

from earsr_tf import config as config_lib
from earsr_tf import config_json
from earsr_tf import presets
from earsr_tf.data import manifest as manifest_lib
from tools.report import run_files

ABSENT = 'absent'
# Of config.json: what has a place of its own in the page.
_ELSEWHERE = ('config', 'stage', 'equation')


def flatten(values: Any, prefix: str = '') -> dict[str, str]:
  """'a.b.0' -> JSON text, for every value of nested objects and lists."""
  if isinstance(values, (list, tuple)):
    values = {str(i): value for i, value in enumerate(values)}
  if not isinstance(values, dict) or not values:
    return {prefix: json.dumps(values)}
  flat = {}
  for name, value in values.items():
    flat.update(flatten(value, f'{prefix}.{name}' if prefix else str(name)))
  return flat


def differences(stages: Sequence[run_files.Stage], problems: list[str]
                ) -> list[dict[str, str]]:
  """Where configurations differ from their presets.

  Args:
    stages: Of the run.
    problems: Gets a sentence for a preset that there is not.

  Returns:
    Rows with `name`, `preset`, `usual`, `value` and `stages`: those that have
    it so.
  """
  rows: dict[tuple[str, ...], list[str]] = {}
  for stage in stages:
    preset = str(stage.config.get('preset', ABSENT))
    try:
      usual = flatten(config_json.to_json(presets.get(preset)))
    except config_lib.ConfigError:
      problems.append(
          f'stage {stage.name}: preset {preset} is unknown to this version')
      continue
    given = flatten(stage.config)
    for name in dict.fromkeys((*usual, *given)):
      a, b = usual.get(name, ABSENT), given.get(name, ABSENT)
      if a != b:
        rows.setdefault((name, preset, a, b), []).append(stage.name)
  return [
      {'name': name, 'preset': preset, 'usual': a, 'value': b,
       'stages': 'all' if len(found) == len(stages) else ', '.join(found)}
      for (name, preset, a, b), found in sorted(rows.items())]


def circumstances(stage: run_files.Stage) -> dict[str, str]:
  """Command, data, versions and so on, in words."""
  facts = {name: _words(value) for name, value in stage.settings.items()
           if name not in _ELSEWHERE}
  for name in ('preset', 'seed'):
    if name in stage.config:
      facts[name] = _words(stage.config[name])
  return facts


def shared(stages: Sequence[run_files.Stage]) -> dict[str, str]:
  """The circumstances that are the same for all stages."""
  facts = [circumstances(stage) for stage in stages]
  return {name: value for name, value in (facts[0] if facts else {}).items()
          if all(other.get(name) == value for other in facts)}


def data(data_dir: str, stages: Sequence[run_files.Stage]
         ) -> dict[str, Any]:
  """What the page says of prepared data: `manifest`, `splits`, `others`.

  Args:
    data_dir: Folder of the shards; these are not read.
    stages: Those trained on other data are in `others`.

  Raises:
    DataError: If there is no readable manifest.
  """
  manifest = manifest_lib.read_manifest(data_dir, check_sizes=False)
  return {
      'manifest': manifest,
      'splits': [
          {'name': name, 'records': sum(s.records for s in shards),
           'speakers': len(manifest.speakers.get(name, ())),
           'shards': len(shards), 'mb': sum(s.bytes for s in shards) / 1e6}
          for name, shards in manifest.splits.items()],
      'others': [stage.name for stage in stages
                 if manifest.sha256 not in _data_of(stage, manifest.sha256)]}


def _data_of(stage: run_files.Stage, default: str) -> list[str]:
  """sha256 of the manifests of a stage's data; imported weights name none."""
  sole = [stage.settings.get('manifest_sha256', default)]
  return stage.settings.get('manifests', sole)


def _words(value: Any) -> str:
  """A value as text; objects as 'name value, name value'."""
  if isinstance(value, dict):
    return ', '.join(f'{k} {_words(v)}' for k, v in value.items()) or 'none'
  return str(value)
