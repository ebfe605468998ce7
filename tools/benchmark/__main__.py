"""python -m tools.benchmark --suite=data: how fast, on this machine, now.

Prints a table and, with --output, writes the same as JSON. A suite is one
module with PARTS and `measure(options)`, which yields rows. Numbers of one run
may be compared with each other, those of two runs hardly.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import pathlib
import sys

from absl import flags

from earsr_tf import cli
from earsr_tf import config as config_lib
from tools.benchmark import measurement
from tools.benchmark import peers

# Name -> module.
SUITES = {name: f'tools.benchmark.{name}' for name in (
    'data', 'inference', 'phase_ends', 'serving', 'small', 'training')}


def main() -> None:
  """Measures and prints."""
  values = flags.FLAGS
  suite = importlib.import_module(SUITES[values.suite])
  unknown = set(values.parts) - set(suite.PARTS)
  if unknown:
    raise cli.InputError(
        f'--parts={",".join(sorted(unknown))}: the parts of {values.suite} '
        f'are {", ".join(suite.PARTS)}', cli.USAGE)
  if values.peers and values.suite != 'inference':
    raise cli.InputError(
        f'--peers: only --suite=inference has peers, not {values.suite}',
        cli.USAGE)
  machine = measurement.machine()
  rows = []
  for row in suite.measure(
      measurement.Options(values.input, values.rounds, tuple(values.parts),
                          values.preset, tuple(values.peers))):
    print(f'{row.name}: {row.value:.4g} {row.unit}', file=sys.stderr)
    rows.append(row)
  command = f'python -m tools.benchmark {" ".join(sys.argv[1:])}'
  print(f'`{command}`, {machine["processor"]}, {machine["cores"]} cores, '
        f'load before the run {machine["load"]}, {machine["date"]}\n')
  print(measurement.table(rows))
  if values.output:
    content = {'suite': values.suite, 'machine': machine,
               'rows': [dataclasses.asdict(row) for row in rows]}
    pathlib.Path(values.output).write_text(
        json.dumps(content, indent=1) + '\n', 'utf-8')


if __name__ == '__main__':
  flags.DEFINE_enum('suite', 'data', sorted(SUITES), 'What to measure.')
  flags.DEFINE_string(
      'input', '', 'Tree of clips to prepare; by default a SyntheticVox of 16 '
      'people is made.')
  flags.DEFINE_integer(
      'rounds', 3, 'Turns of every case; medians are reported.', lower_bound=1)
  flags.DEFINE_enum(
      'preset', 'paper', config_lib.PRESETS, 'Sizes of the networks.')
  flags.DEFINE_list(
      'parts', [], 'Parts of the suite; all by default.')
  flags.DEFINE_multi_enum(
      'peers', [], peers.PEERS, 'Frameworks that take turns with ours, with '
      'networks of equal shapes, in --suite=inference.')
  flags.DEFINE_string('output', '', 'JSON file for the numbers.')
  cli.run(main)
