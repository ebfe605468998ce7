"""python -m pipelines.run --preset=demo: the whole road, one command.

Makes or takes data, prepares and checks it, trains all stages, evaluates,
exports, pushes what is good enough, super-resolves held-out people, and ends
with <root>/result.png and a small table. The same command again goes on where
it was left and repeats only what a change of settings, data or code made
necessary.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
import sys
import time
import traceback

from absl import flags

from earsr_tf import cli
from earsr_tf import config as config_lib
from earsr_tf import config_json
from earsr_tf import durable
from earsr_tf import environment
from earsr_tf import flags as flags_lib
from earsr_tf import presets
from pipelines import plan as plan_lib
from pipelines import reporting
from pipelines import store

INTERRUPTED = 130


def _run_locked(plan: plan_lib.Plan, started: float) -> None:
  """Runs the plan; the caller holds the root's lock."""
  environment.load_tensorflow()
  from pipelines import executors
  from pipelines import local_runner
  from pipelines import pipeline as pipeline_lib
  store.note(plan.root, plan.metadata)
  durable.write_json(
      plan.root / executors.CONFIG, config_json.to_json(plan.config))
  local_runner.run(pipeline_lib.make(plan))
  steps = local_runner.last_run(plan.root)
  seconds = time.monotonic() - started
  table = reporting.time_table(steps, seconds)
  durable.write_json(plan.root / 'times.json', {
      'total_seconds': round(seconds, 1),
      'steps': [dataclasses.asdict(step) for step in steps]})
  if plan.is_complete:
    _print_results(plan.root)
  print(table)
  if plan.is_complete:
    print(f'Picture: {plan.root / executors.PICTURE}')


def _print_results(root: pathlib.Path) -> None:
  """Prints the table of the newest evaluation and whether it was pushed."""
  from earsr_tf.evaluation import report
  from earsr_tf.evaluation import trust
  from pipelines import artifacts
  from pipelines import gates
  from pipelines import local_runner
  folder = local_runner.output_uri(root, artifacts.Report.TYPE_NAME)
  results = json.loads(
      (pathlib.Path(folder) / 'evaluation.json').read_text(encoding='utf-8'))
  print(report.summary(results))
  if said := trust.sentence(results):
    print(said)
  print(gates.outcome(root))
  print()


def run(plan: plan_lib.Plan) -> int:
  """Runs a plan to its end; a failure is one line on stderr.

  Args:
    plan: What to run and where.

  Returns:
    The exit code: 0, or what kind of failure it was.
  """
  import filelock
  started = time.monotonic()
  reporting.set_up(plan.root)
  try:
    with filelock.FileLock(plan.root / '.lock', timeout=0):
      _run_locked(plan, started)
    return 0
  except filelock.Timeout:
    print(f'error: another run is at work in {plan.root}; wait for it or give '
          'another --root', file=sys.stderr)
    return cli.USAGE
  except KeyboardInterrupt:
    print(f'interrupted; the same command goes on; see '
          f'{plan.root / reporting.LOG}', file=sys.stderr)
    return INTERRUPTED
  except Exception as error:  # noqa: BLE001
    if cli.exit_code(error) == cli.INTERRUPTED:
      print(f'stopped: {reporting.failure(error, plan.root)}', file=sys.stderr)
      return cli.INTERRUPTED
    with open(plan.root / reporting.LOG, 'a', encoding='utf-8') as log:
      traceback.print_exc(file=log)
    print(f'error: {reporting.failure(error, plan.root)}', file=sys.stderr)
    return cli.exit_code(error) or cli.INTERNAL


def plan_from_flags() -> plan_lib.Plan:
  """Returns what the flags ask for.

  Raises:
    ConfigError: If a flag is wrong.
  """
  values = flags.FLAGS
  config = presets.get(values.preset)
  if values.seed is not None:
    config = dataclasses.replace(config, seed=values.seed)
  return plan_lib.make(
      flags_lib.apply_settings(config, values.set), root=values.root,
      dataset=values.dataset, data=values.data, shards=values.shards,
      speakers=values.speakers, stages=values.stages, push_to=values.push_to,
      metadata=values.metadata)


def main() -> int:
  """Runs the pipeline that the flags ask for; returns the exit code."""
  plan = plan_from_flags()
  if flags.FLAGS.dry_run:
    print(plan_lib.describe(plan))
    return 0
  environment.require(environment.TFX)
  return run(plan)


def define_flags() -> None:
  """Defines the flags of this command."""
  flags.DEFINE_enum(
      'preset', 'demo', config_lib.PRESETS, 'Sizes and schedules.')
  flags.DEFINE_string(
      'root', '', 'Folder of everything the run writes; default: the '
      'name of the preset.')
  flags.DEFINE_string(
      'dataset', 'synthetic',
      'Where the data come from: synthetic, voxceleb2, pairs.')
  flags.DEFINE_string(
      'data', '', 'Folder of an existing tree of that data set; a synthetic '
      'one is made otherwise.')
  flags.DEFINE_string(
      'shards', '', 'Folder of prepared shards, instead of a tree.')
  flags.DEFINE_integer(
      'speakers', None, 'Overrides the number of synthetic people.',
      lower_bound=2)
  flags.DEFINE_integer('seed', None, 'Overrides the seed of the preset.')
  flags.DEFINE_list(
      'stages', [], 'Stages to train, with what they need; all unless given. '
      'Evaluation and export follow when all are there.')
  flags.DEFINE_multi_string(
      'set', [], 'Overrides a configuration value, such as '
      'optimizer.learning_rate=1e-4 or invert.phases.0.images=1000.')
  flags.DEFINE_string(
      'push_to', '', 'Folder of numbered versions that blessed models are '
      'pushed to; default: serving_models below --root.')
  flags.DEFINE_string(
      'metadata', '', 'mysql://USER@HOST:PORT/DATABASE, password in the '
      f'variable {store.PASSWORD}: a server for the metadata, instead of a '
      'file below --root.')
  flags.DEFINE_bool('dry_run', False, 'Print the plan and stop.')


if __name__ == '__main__':
  define_flags()
  cli.run(main)
