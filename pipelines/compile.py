"""python -m pipelines.compile --output=pipeline.json: the Kubeflow IR.

Takes the flags of pipelines.run. Needs the whole of TFX (on Python 3.10): the
SDK in use here runs pipelines and cannot compile them.
"""

from __future__ import annotations

import importlib
import importlib.util
import pathlib
from typing import Any

from absl import flags

from earsr_tf import cli
from earsr_tf import environment
from pipelines import run

_RUNNER = 'tfx.orchestration.kubeflow.v2.kubeflow_v2_dag_runner'


def _runner() -> Any:
  """TFX's compiler.

  Raises:
    MissingPackageError: If the whole of TFX is not installed.
  """
  try:
    found = importlib.util.find_spec(_RUNNER)
  except ModuleNotFoundError:  # a package above it is not there
    found = None
  if found is None:
    raise environment.MissingPackageError(
        'compiling for Kubeflow needs the whole of TFX, and ml-pipelines-sdk '
        "is a part of it; use Python 3.10, pip install 'tfx[kfp]==1.15.1', and "
        'run this command there (docs/scaling.md)')
  return importlib.import_module(_RUNNER)


def compile_to(output: pathlib.Path, pipeline: Any, image: str) -> None:
  """Writes the IR of a pipeline.

  Args:
    output: File to write.
    pipeline: A TFX pipeline.
    image: Container image that has this project installed.

  Raises:
    MissingPackageError: If the whole of TFX is not installed.
  """
  runner = _runner()
  output.parent.mkdir(parents=True, exist_ok=True)
  runner.KubeflowV2DagRunner(
      config=runner.KubeflowV2DagRunnerConfig(default_image=image),
      output_dir=str(output.parent), output_filename=output.name).run(pipeline)


def main() -> None:
  """Compiles the pipeline that the flags ask for."""
  _runner()
  plan = run.plan_from_flags()
  from pipelines import pipeline as pipeline_lib
  output = pathlib.Path(flags.FLAGS.output).resolve()
  compile_to(output, pipeline_lib.make(plan), flags.FLAGS.image)
  print(output)


if __name__ == '__main__':
  run.define_flags()
  flags.DEFINE_string('output', 'pipeline.json', 'A file to write.')
  flags.DEFINE_string(
      'image', 'earsr_tf', 'Container image with this project installed.')
  cli.run(main)
