"""Runs a pipeline in this process and reads back what happened.

The metadata store (`pipelines/store.py`) is the record: states and times
come from it, nothing is counted twice.
"""

from __future__ import annotations

import dataclasses
import pathlib

from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration import pipeline as tfx_pipeline
from tfx.orchestration.local import local_dag_runner

from pipelines import store


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


def last_run(root: pathlib.Path) -> list[StepResult]:
  """Returns what became of the components in the last run, in order.

  Args:
    root: Folder of the pipeline.
  """
  reader = store.Reader(root=root)
  return [
      StepResult(
          name=reader.node(execution),
          state=metadata_store_pb2.Execution.State.Name(
              execution.last_known_state),
          seconds=(execution.last_update_time_since_epoch
                   - execution.create_time_since_epoch) / 1000.0)
      for execution in reader.last_executions()]


def output_uri(root: pathlib.Path, type_name: str) -> str:
  """Returns the folder of the newest live artifact of a type, or ''."""
  found = store.Reader(root=root).newest(type_name)
  return '' if found is None else found.uri
