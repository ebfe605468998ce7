"""Runs a pipeline in this process and reads back what happened.

The metadata store (<root>/metadata.sqlite) is the record: states and times
come from it, nothing is counted twice.
"""

from __future__ import annotations

import dataclasses
import pathlib

from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration import pipeline as tfx_pipeline
from tfx.orchestration.local import local_dag_runner


@dataclasses.dataclass(frozen=True)
class StepResult:
  """What became of a component in the last run.

  Attributes:
    name: The component.
    state: 'COMPLETE', 'CACHED', 'FAILED' or 'RUNNING' (it was killed).
    seconds: From its registration to the publication of its outputs.
  """
  name: str
  state: str
  seconds: float


def run(pipeline: tfx_pipeline.Pipeline) -> None:
  """Runs all components whose inputs, parameters or code have changed.

  Args:
    pipeline: The pipeline; its metadata store remembers finished work.

  Raises:
    Exception: What a component raised; later components do not run.
  """
  local_dag_runner.LocalDagRunner().run(pipeline)


def _store(root: pathlib.Path) -> metadata_store.MetadataStore:
  config = metadata_store_pb2.ConnectionConfig()
  config.sqlite.filename_uri = str(root / 'metadata.sqlite')
  return metadata_store.MetadataStore(config)


def last_run(root: pathlib.Path) -> list[StepResult]:
  """Returns what became of the components in the last run, in order.

  Args:
    root: Folder of the pipeline.
  """
  store = _store(root)
  runs = store.get_contexts_by_type('pipeline_run')
  if not runs:
    return []
  newest = max(runs, key=lambda context: context.id)
  types = {kind.id: kind.name for kind in store.get_execution_types()}
  executions = sorted(
      store.get_executions_by_context(newest.id), key=lambda e: e.id)
  return [
      StepResult(
          name=types[execution.type_id].rpartition('.')[2],
          state=metadata_store_pb2.Execution.State.Name(
              execution.last_known_state),
          seconds=(execution.last_update_time_since_epoch
                   - execution.create_time_since_epoch) / 1000.0)
      for execution in executions]


def output_uri(root: pathlib.Path, type_name: str) -> str:
  """Returns the folder of the newest live artifact of a type, or ''."""
  live = [
      artifact for artifact in _store(root).get_artifacts_by_type(type_name)
      if artifact.state == metadata_store_pb2.Artifact.LIVE]
  return max(live, key=lambda artifact: artifact.id).uri if live else ''
