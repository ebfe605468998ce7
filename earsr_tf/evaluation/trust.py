"""Whether the judges can see: their verdict on originals, and in words.

Imports no TensorFlow.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any, Mapping

from earsr_tf import config_judge
from earsr_tf.evaluation import report

_SETS = {'closed': 'closed set', 'open': 'open set'}


def verdict(sets: Mapping[str, Mapping[str, Any]],
            least: config_judge.JudgeConfig) -> dict[str, Any]:
  """Compares the judges' accuracy on originals with what is asked of them.

  Args:
    sets: 'closed' and 'open' -> `rows` with `identity_accuracy` and
      `gender_accuracy` of `original`, shares; NaN where nothing is known.
    least: What is asked.

  Returns:
    JSON-ready: `trusted`, `reasons` (sentences; empty if trusted), `least`.
  """
  reasons = []
  for name, part in sets.items():
    row = part['rows'].get('original', {})
    wanted = {'C_i': ('identity_accuracy', {
        'closed': least.least_identity_closed,
        'open': least.least_identity_open}[name]),
              'C_g': ('gender_accuracy', least.least_gender)}
    for judge, (score, bound) in wanted.items():
      share = row.get(score, math.nan)
      if not share >= bound and bound > 0.0:
        found = ('nothing' if math.isnan(share)
                 else f'{report.number(share, 1, 100.0)} %')
        reasons.append(
            f'{judge} names {found} of the {_SETS[name]}\'s original images '
            f'right; {report.number(bound, 1, 100.0)} % are asked for')
  return {'trusted': not reasons, 'reasons': reasons,
          'least': dataclasses.asdict(least)}


def sentence(results: Mapping[str, Any]) -> str:
  """The verdict for a console, '' if the judges are trusted.

  Args:
    results: What evaluation.json holds; of an older one, without `judge`,
      nothing is said.
  """
  judge = results.get('judge', {})
  if judge.get('trusted', True):
    return ''
  return ('This evaluation is not to be trusted in identity and gender: '
          + '; '.join(judge['reasons']))


def markdown(results: Mapping[str, Any]) -> list[str]:
  """The section on the judges, as paragraphs; none without `judge`.

  Args:
    results: What evaluation.json holds.
  """
  judge = results.get('judge')
  if not judge:
    return []
  said = sentence(results)
  parts = ['## The judges', f'{said}.' if said else
           'C_i and C_g reach on original images what is asked of them.']
  curves = {name: judge['curve'][name] for name in results['sets']
            if judge.get('curve', {}).get(name)}
  if curves:
    parts += [
        'What they read in originals that were reduced by box to a smaller '
        'side and enlarged again, bilinearly: no method that knows only so '
        'many pixels is read better.', _curve_table(curves)]
  return parts


def _curve_table(curves: Mapping[str, Mapping[str, Mapping[str, float]]]
                 ) -> str:
  """A line per side, two columns per set."""
  header = ['Original, blurred to'] + [
      f'Acc {judge}, % ({name})' for name in curves for judge in ('C_i', 'C_g')]
  lines = ['| ' + ' | '.join(header) + ' |',
           '|---|' + '---:|' * (len(header) - 1)]
  for side in next(iter(curves.values())):
    cells = [f'{side}x{side}'] + [
        report.number(curve[side][score], 1, 100.0)
        for curve in curves.values()
        for score in ('identity_accuracy', 'gender_accuracy')]
    lines.append('| ' + ' | '.join(cells) + ' |')
  return '\n'.join(lines)
