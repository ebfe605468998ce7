"""Beam's runner and options out of a command line."""

from __future__ import annotations

import contextlib
from typing import Iterator, Sequence

from apache_beam.options import pipeline_options
from apache_beam.runners import runner as runner_lib
from apache_beam.runners.portability import fn_api_runner

from earsr_tf import config as config_lib

DEFAULT_RUNNER = 'FnApiRunner'
DASK_RUNNER = 'DaskRunner'
_DASK = f'apache_beam.runners.dask.dask_runner.{DASK_RUNNER}'
# Of what a runner says: some send whole tracebacks.
_LONGEST = 300
# Two shards at a time: while the last clips of one are decoded, the workers
# that are free go on with the other.
_DEFAULTS = ('--direct_num_workers=2', '--direct_running_mode=multi_threading')


class RunnerError(RuntimeError):
  """A runner cannot be reached, or gave up; what it said is in the message.

  Attributes:
    exit_code: What a command ends with: a service is not available.
  """
  exit_code = 69


def make(
    known: Sequence[str], unchecked: Sequence[str] = ()
) -> pipeline_options.PipelineOptions:
  """Options of a pipeline.

  Args:
    known: Arguments that Beam must know, such as `--runner=FlinkRunner`.
    unchecked: Arguments for a runner that Beam need not know itself.

  Raises:
    ConfigError: If Beam does not know one of `known`.
  """
  options = pipeline_options.PipelineOptions(list(known))
  if _name(options) == DASK_RUNNER:
    _load(_DASK)  # which brings its options with it
    # Else one worker gets 128 shards.
    known = ['--dask_partition_size=1', *known] if not any(
        x.startswith(('--dask_partition', '--dask_npart')) for x in known
    ) else known
    options = pipeline_options.PipelineOptions(list(known))
  understood = options.get_all_options(retain_unknown_options=False)
  for name in options.get_all_options(retain_unknown_options=True):
    if name not in understood:
      raise config_lib.ConfigError(
          f'unknown flag --{name}: neither this command nor Beam has it; see '
          '--help, or write it behind -- if your runner knows it')
  stray = [x for i, x in enumerate(known) if not x.startswith('-') and (
      not i or '=' in known[i - 1] or not known[i - 1].startswith('-'))]
  if stray:
    raise config_lib.ConfigError(
        f'unexpected argument {stray[0]}; flags look like --name=value')
  is_told = any(x.startswith('--direct_') for x in known)
  return pipeline_options.PipelineOptions(
      [*(() if is_told else _DEFAULTS), *known, *unchecked])


def runner(
    options: pipeline_options.PipelineOptions) -> runner_lib.PipelineRunner:
  """The runner that the options name; in this process if they name none.

  Beam's own default, `DirectRunner`, tries to download a program.

  Raises:
    ConfigError: If there is no such runner.
  """
  name = _name(options)
  if not name or name == DEFAULT_RUNNER:
    return fn_api_runner.FnApiRunner()
  return _load(_DASK if name == DASK_RUNNER else name)


def _name(options: pipeline_options.PipelineOptions) -> str | None:
  """The runner that the options name."""
  return options.view_as(pipeline_options.StandardOptions).runner


def _load(name: str) -> runner_lib.PipelineRunner:
  """The runner of a name.

  Raises:
    ConfigError: If there is no such runner, or a package of its is missing.
  """
  try:
    return runner_lib.create_runner(name)
  except (ValueError, ImportError) as e:
    hint = ("; pip install -c constraints.txt 'dask[distributed]'"
            if name == _DASK else '')
    raise config_lib.ConfigError(
        f'--runner={name.rpartition(".")[2]}: {" ".join(str(e).split())}{hint}'
    ) from None


@contextlib.contextmanager
def explained(runner_used: runner_lib.PipelineRunner) -> Iterator[None]:
  """Says in one sentence what went wrong in a runner elsewhere.

  What goes wrong in this process, in the default runner, is left as it is.

  Raises:
    RunnerError: If the runner failed.
  """
  try:
    yield
  except Exception as e:
    if isinstance(runner_used, fn_api_runner.FnApiRunner):
      raise
    said = ' '.join(str(e).split())[:_LONGEST] or 'no answer'
    raise RunnerError(
        f'{type(runner_used).__name__}: {type(e).__name__}: {said}; see that '
        'the address in its flags is right (--job_endpoint, --flink_master,'
        ' --dask_client_address ...)'
        ' and look into its log; finished shards are kept') from e
