"""python -m pipelines.lineage MODEL_DIR: what a pushed model was made from.

Prints data, code, configuration and metrics of the newest version in a folder,
or of one version, out of the metadata store of the pipeline that pushed it.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
from typing import Any, Iterator

from absl import flags

from earsr_tf import cli
from earsr_tf import environment
from earsr_tf.serving import export_manifest
from pipelines import artifacts
from pipelines import store

_HOPS = 100  # more than any pipeline of ours is long


@dataclasses.dataclass(frozen=True)
class Lineage:
  """Everything that led to a pushed model.

  Attributes:
    version: Folder of the version.
    facts: Its manifest.
    steps: (component, parameters) of the executions, in order.
    made: TYPE_NAME -> (uri, properties) of each artifact, in order.
  """
  version: pathlib.Path
  facts: dict[str, Any]
  steps: list[tuple[str, dict[str, Any]]]
  made: dict[str, list[tuple[str, dict[str, Any]]]]


def find(model_dir: str, root: str = '') -> Lineage:
  """Asks the metadata store.

  Args:
    model_dir: Folder of versions, or one of them.
    root: Folder of the pipeline, if it was moved.

  Raises:
    ExportError: If there is no version, or no pipeline pushed it.
    InputError: If the pipeline's store is not there, or lacks the model.
  """
  version = export_manifest.newest(model_dir)
  facts = export_manifest.verify(version)
  if 'pipeline' not in facts:
    raise export_manifest.ExportError(
        f'{version}: no pipeline pushed this version, so nothing is recorded '
        f'of it but {export_manifest.NAME}; push models with python -m '
        'pipelines.run')
  home = pathlib.Path(root or facts['pipeline']['root'])
  if not store.exists(home):
    raise cli.InputError(
        f'{home}: the pipeline that made {version} has no metadata there; say '
        'with --root where its folder is now')
  reader = store.Reader(root=home)
  graph = _upstream(reader, facts['pipeline']['model'])
  if not graph.executions:
    raise cli.InputError(
        f'{home}: its metadata do not know the model of {version}; say with '
        '--root which pipeline made it')
  made: dict[str, list[tuple[str, dict[str, Any]]]] = {}
  for artifact in sorted(graph.artifacts, key=lambda a: a.id):
    made.setdefault(artifact.type, []).append(
        (artifact.uri, _plain(artifact.properties)))
  return Lineage(version, facts, [
      (reader.node(execution), _plain(execution.custom_properties))
      for execution in sorted(graph.executions, key=lambda e: e.id)], made)


def _upstream(reader: store.Reader, model: int) -> Any:
  """All that led to the push of a model, as ML Metadata's `LineageGraph`."""
  from ml_metadata.proto import metadata_store_pb2
  options = metadata_store_pb2.LineageSubgraphQueryOptions
  used = {event.execution_id for event in
          reader.store.get_events_by_artifact_ids([model])}
  pushed = [e for e in reader.store.get_executions_by_id(sorted(used))
            if e.type.endswith('.Push')]
  if not pushed:
    return metadata_store_pb2.LineageGraph()
  newest = max(execution.id for execution in pushed)
  return reader.store.get_lineage_subgraph(options(
      starting_executions=options.StartingNodes(filter_query=f'id = {newest}'),
      max_num_hops=_HOPS, direction=options.Direction.UPSTREAM))


def _plain(properties: Any) -> dict[str, Any]:
  """ML Metadata's values as Python's."""
  return {name: getattr(value, value.WhichOneof('value'))
          for name, value in sorted(properties.items())
          if value.WhichOneof('value')}


def describe(found: Lineage) -> Iterator[str]:
  """The lineage as lines of text."""
  facts = found.facts
  yield f'model {found.version}, exported {facts.get("date", "")}'
  yield '\ndata'
  for name, parameters in found.steps:
    if name in ('MakeSynthetic', 'UseTree', 'UseShards'):
      yield f'  {name}: ' + _pairs(parameters, without=('code',))
  for _, shards in found.made.get(artifacts.Shards.TYPE_NAME, []):
    yield '  ' + _pairs(shards)
  yield '\ncode (hashes of the sources that a step can reach)'
  for name, parameters in found.steps:
    if 'code' in parameters:
      yield f'  {name:<16}{parameters["code"]}'
  yield f'  {_pairs(facts.get("versions", {}))}'
  yield '\nconfiguration'
  yield f'  {facts.get("training_command", "")}'
  for name, parameters in found.steps:
    if 'settings' in parameters:
      yield f'  {name:<16}{parameters["settings"]}'
  yield '\nmetrics'
  yield from _metrics(found)


def _pairs(values: dict[str, Any], without: tuple[str, ...] = ()) -> str:
  """name=value, ..."""
  return ', '.join(f'{name}={value}' for name, value in values.items()
                   if name not in without)


def _metrics(found: Lineage) -> Iterator[str]:
  """What the blessing was given for, and the whole table if it is there."""
  for uri, _ in found.made.get(artifacts.Blessing.TYPE_NAME, []):
    path = pathlib.Path(uri, 'verdict.json')
    if path.is_file():
      verdict = json.loads(path.read_text(encoding='utf-8'))
      for name, scores in verdict['scores'].items():
        yield f'  {name} set: {_pairs(scores)}'
  for uri, _ in found.made.get(artifacts.Report.TYPE_NAME, []):
    yield f'  all figures: {uri}'


def main(model_dir: str) -> None:
  """Prints the lineage of a model."""
  environment.require(environment.TFX)
  environment.quieten()
  found = find(model_dir, flags.FLAGS.root)
  if flags.FLAGS.json:
    print(json.dumps({'version': str(found.version), 'manifest': found.facts,
                      'steps': found.steps, 'artifacts': found.made}, indent=2))
  else:
    print('\n'.join(describe(found)))


if __name__ == '__main__':
  flags.DEFINE_string(
      'root', '', 'Folder of the pipeline, if it is not where it was.')
  flags.DEFINE_bool('json', False, 'Everything, as JSON.')
  cli.run(main, argument='folder of pushed models')
