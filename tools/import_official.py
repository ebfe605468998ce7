"""Turns the authors' published weights into a run folder.

    python -m tools.import_official --checkpoint=DIR/model-0 --run_root=DIR

Then `python -m earsr_tf.export --run_root=DIR` makes a SavedModel. See
docs/official_weights.md.
"""

from __future__ import annotations

import collections
from typing import Any

from absl import flags

from earsr_tf import cli
from earsr_tf import environment

_CHECKPOINT = flags.DEFINE_string(
    'checkpoint', None, "Prefix of the authors' Saver checkpoint: .../model-0.",
    required=True)
_RUN_ROOT = flags.DEFINE_string(
    'run_root', None, 'A run folder to make: absent or empty.', required=True)
_SNAPSHOT = flags.DEFINE_string(
    'snapshot', '', "The authors' StyleGAN snapshot (network-snapshot-*.pkl), "
    'for stage generator; inference needs none.')


def _summary(record: dict[str, Any]) -> str:
  """What was taken and what was not, in a few lines."""
  left = collections.Counter(
      name.split('/')[0] for name in record['ignored'])
  lines = [f'{network}: {count} tensors'
           for network, count in record['networks'].items()]
  lines += [f'tuned generator: {record["copy"]}']
  if record['absent']:
    lines += [f'absent and not needed: {len(record["absent"])} tensors ('
              f'{record["absent"][0]}, ...)']
  lines += [f'ignored: {len(record["ignored"])} tensors' + ''.join(
      f', {scope} {count}' for scope, count in sorted(left.items()))]
  return '\n'.join(lines)


def main() -> None:
  """Imports what the flags name."""
  environment.load_tensorflow()
  from tools.official import run_folder
  record = run_folder.write(
      _CHECKPOINT.value, _RUN_ROOT.value, _SNAPSHOT.value)
  print(_summary(record))
  print(f'{_RUN_ROOT.value}: written; {run_folder.RECORD} lists every name; '
        f'next: python -m earsr_tf.export --run_root={_RUN_ROOT.value} '
        '--output=serving_models')


if __name__ == '__main__':
  cli.run(main)
