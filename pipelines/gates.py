"""The work of the components that let data and models pass, or not."""

from __future__ import annotations

import json
import pathlib
from typing import Any, Mapping

from absl import logging

from earsr_tf import config as config_lib
from earsr_tf import config_json
from earsr_tf import durable
from pipelines import artifacts
from pipelines import executors
from pipelines import store

FIGURES = 'figures.json'
VERDICT = 'verdict.json'  # beside a file BLESSED or NOT_BLESSED, as in TFX
PUSHED = 'pushed.json'


def validate(
    shards: artifacts.Shards, figures: artifacts.Figures, *, root: str) -> None:
  """Refuses data that are not as the schema asks, or drifted.

  Args:
    shards: Data.
    figures: What they hold.
    root: Folder of the pipeline.

  Raises:
    DataError: With all that is wrong.
  """
  from earsr_tf.data import figures as figures_lib
  from earsr_tf.data import manifest as manifest_lib
  from pipelines import data_check
  with executors.step('Validate', shards.path):
    config = _config(root)
    manifest = manifest_lib.read_manifest(shards.path)
    found = figures_lib.summary(
        manifest, figures_lib.count(manifest, config.schema.most_read))
    said = data_check.problems(found, config.schema, config.model.image_size)
    before = store.Reader(root=pathlib.Path(root)).newest(
        artifacts.Figures.TYPE_NAME)
    if before is not None:
      said += data_check.drift(
          found, _read(before.uri, FIGURES), config.schema)
    if said:
      raise data_check.refusal(shards.path, said)
    durable.write_json(pathlib.Path(figures.uri) / FIGURES, found)
    figures.clips = sum(found['clips'].values())
    figures.sha256 = manifest.sha256


def bless(
    report: artifacts.Report, blessing: artifacts.Blessing, *, root: str
) -> None:
  """Compares an evaluation with what is asked, and with the last blessed.

  Args:
    report: The evaluation.
    blessing: The verdict.
    root: Folder of the pipeline.
  """
  from earsr_tf.evaluation import blessing as blessing_lib
  with executors.step('Bless', 'thresholds and the last blessed model'):
    last = store.Reader(root=pathlib.Path(root)).newest(
        artifacts.Blessing.TYPE_NAME,
        lambda artifact: artifact.properties['blessed'].int_value == 1)
    found = blessing_lib.verdict(
        _read(report.uri, 'evaluation.json'), _config(root).blessing,
        None if last is None else _read(last.uri, VERDICT))
    _write_verdict(blessing, found, '')
    logging.info('Bless: %s', blessing_lib.sentence(found))


def infra_validate(
    model: artifacts.Model, blessing: artifacts.InfraBlessing) -> None:
  """Has the export answer its warm-up requests in a fresh process.

  Args:
    model: The exported model.
    blessing: The verdict.
  """
  from earsr_tf.serving import export_manifest
  from pipelines import infra
  with executors.step('InfraValidate', 'the export in a fresh process'):
    found = infra.check(export_manifest.newest(model.uri))
    _write_verdict(blessing, found, 'INFRA_')
    for reason in found['reasons']:
      logging.info('InfraValidate: %s', reason)


def push(
    model: artifacts.Model, blessing: artifacts.Blessing,
    infra: artifacts.InfraBlessing, pushed: artifacts.Pushed, *, root: str,
    target: str) -> None:
  """Copies a model that was blessed twice to where a server looks.

  Args:
    model: The exported model.
    blessing: Of the evaluation.
    infra: Of the export.
    pushed: The result.
    root: Folder of the pipeline.
    target: Folder of numbered versions.
  """
  from earsr_tf.serving import export_manifest
  from pipelines import push as push_lib
  with executors.step('Push', target):
    reasons = [reason for verdict in (blessing, infra)
               for reason in _read(verdict.uri, VERDICT)['reasons']]
    folder = ''
    if not reasons:
      folder = str(push_lib.push(
          export_manifest.newest(model.uri), pathlib.Path(target),
          {'pipeline': {'root': root, 'model': model.id}}))
    pushed.path = folder
    durable.write_json(
        pathlib.Path(pushed.uri) / PUSHED, {'path': folder, 'reasons': reasons})


def outcome(root: pathlib.Path) -> str:
  """Says of the last model whether, and where, it was pushed."""
  found = store.Reader(root=root).newest(artifacts.Pushed.TYPE_NAME)
  if found is None:
    return ''
  values = _read(found.uri, PUSHED)
  if values['path']:
    return (f'Pushed: {values["path"]}; serve it with python -m earsr_tf.serve '
            f'--model={pathlib.Path(values["path"]).parent}')
  return f'Not pushed: {"; ".join(values["reasons"])}'


def _write_verdict(
    blessing: artifacts.Blessing | artifacts.InfraBlessing,
    found: Mapping[str, Any], prefix: str) -> None:
  """Writes a verdict, and the empty file that TFX's own tools look for."""
  folder = pathlib.Path(blessing.uri)
  durable.write_json(folder / VERDICT, found)
  name = 'BLESSED' if found['blessed'] else 'NOT_BLESSED'
  durable.write(folder / f'{prefix}{name}', b'')
  blessing.blessed = int(found['blessed'])


def _config(root: str) -> config_lib.Config:
  """The configuration of a pipeline."""
  return config_json.from_json(_read(root, executors.CONFIG))


def _read(folder: str, name: str) -> Any:
  """A file of JSON."""
  return json.loads(pathlib.Path(folder, name).read_text(encoding='utf-8'))
