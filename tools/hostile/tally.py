"""What became of many files: a table and the worst of them, in Markdown."""

from __future__ import annotations

import collections

from earsr_tf import cli
from tools.hostile import reading

_REFUSAL_S = 2.0


def report(outcomes: list[reading.Outcome], listed: int) -> str:
  """The tally as Markdown."""
  by_file = collections.defaultdict(dict)
  for outcome in outcomes:
    by_file[outcome.file][outcome.role] = outcome
  rows = collections.defaultdict(collections.Counter)
  for name, both in by_file.items():
    group = name.partition('/')[0] if '/' in name else 'files'
    used = [role for role, o in both.items() if not o.reason]
    rows[group][' and '.join(used) or 'refused'] += 1
    rows['**all**'][' and '.join(used) or 'refused'] += 1
  kinds = ('face', 'voice', 'face and voice', 'refused')
  lines = ['| folder | files | face only | voice only | both | refused |',
           '|---|---|---|---|---|---|']
  for group, counts in sorted(rows.items(), key=lambda r: (
      r[0] == '**all**', r[0])):
    lines.append(f'| {group} | {counts.total()} | ' + ' | '.join(
        str(counts[kind]) for kind in kinds) + ' |')
  refusals = [o for o in outcomes if o.reason]
  slow = [o for o in refusals if o.seconds >= _REFUSAL_S]
  lines += ['', f'{len(outcomes)} readings, {len(refusals)} refused; '
            f'{len(slow)} refusals took {_REFUSAL_S:g} s or more, '
            f'{sum(o.seconds >= reading.LIMIT_S for o in outcomes)} readings '
            f'{reading.LIMIT_S:g} s or more, '
            f'{sum(o.bytes >= reading.LIMIT_BYTES for o in outcomes)} needed '
            f'1 GB, {sum(not o.is_clean for o in outcomes)} ended badly.', '']
  for title, key in (('slowest', lambda o: -o.seconds),
                     ('largest', lambda o: -o.bytes)):
    lines += [f'- {title}: {line(o)}'
              for o in sorted(outcomes, key=key)[:listed]]
  return '\n'.join(lines) + '\n'


def line(o: reading.Outcome) -> str:
  """An outcome in words."""
  return cli.printable(
      f'`{o.file}` as {o.role}: {o.seconds:.1f} s, {o.bytes >> 20} MB, '
      f'{o.reason or "used"}')
