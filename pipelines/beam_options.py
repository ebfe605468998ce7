"""Beam's runner and options out of a command line."""

from __future__ import annotations

from typing import Sequence

from apache_beam.options import pipeline_options
from apache_beam.runners import runner as runner_lib
from apache_beam.runners.portability import fn_api_runner

from earsr_tf import config as config_lib

DEFAULT_RUNNER = 'FnApiRunner'
# Two shards at a time: while the last clips of one are decoded, the workers
# that are free go on with the other.
_DEFAULTS = ('--direct_num_workers=2', '--direct_running_mode=multi_threading')


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
  name = options.view_as(pipeline_options.StandardOptions).runner
  if not name or name == DEFAULT_RUNNER:
    return fn_api_runner.FnApiRunner()
  try:
    return runner_lib.create_runner(name)
  except (ValueError, ImportError) as e:
    raise config_lib.ConfigError(
        f'--runner={name}: {" ".join(str(e).split())}') from None
