"""Whether a model is good enough to be pushed: thresholds, and the last one.

What is judged is what would be served: where `model.consistency` makes a
correction part of the export, row (h)+, beside bicubic corrected alike, so that
a gain is the model's and not the correction's.

Imports no TensorFlow.
"""

from __future__ import annotations

import math
from typing import Any, Iterator, Mapping

from earsr_tf import config_gate
from earsr_tf.evaluation import trust
from earsr_tf.ops import consistency_mode

MODEL, BASELINE = 'h', 'bicubic'  # rows of an evaluation, without correction
# Of a model, kept to be compared with the next one's.
SCORES = ('psnr', 'lr_consistency', 'identity_accuracy', 'gender_accuracy')
_JUDGED = {'identity_accuracy': ('identity', 'C_i names right'),
           'gender_accuracy': ('gender', 'C_g names right')}


def served(results: Mapping[str, Any]) -> tuple[str, str]:
  """The rows that stand for what is served, and for bicubic beside it.

  Args:
    results: What evaluation.json holds; of a pipeline's evaluation,
      `consistency` is that of the model and its export.
  """
  mark = '' if results['consistency'] == consistency_mode.OFF else '+'
  return MODEL + mark, BASELINE + mark


def scores(results: Mapping[str, Any]
           ) -> dict[str, dict[str, float | None]]:
  """The figures of what is served, by set.

  Args:
    results: What evaluation.json holds.

  Returns:
    'closed' and 'open' -> `SCORES`; dB, levels, and shares; None where nothing
    is known.
  """
  row, _ = served(results)
  return {name: {score: part['rows'].get(row, {}).get(score)
                 for score in SCORES}
          for name, part in results['sets'].items()}


def verdict(
    results: Mapping[str, Any], asked: config_gate.BlessingConfig,
    last: Mapping[str, Any] | None = None) -> dict[str, Any]:
  """Blesses a model, or says why not.

  Args:
    results: What evaluation.json holds.
    asked: What is asked of the model.
    last: The verdict on the model that was blessed last; None if none was.

  Returns:
    JSON-ready: `blessed`, `reasons` (sentences; empty if blessed), `notes`,
    `scores`, the `row` that they are of, and `data`, the sha256 of the manifest
    that was evaluated.
  """
  reasons, notes = [], []
  if not asked.needs_judges:
    notes.append('judges were not heard (blessing.needs_judges=False)')
  elif said := _blind(results.get('judge')):
    reasons.append(said)
  if not results['sets']:
    reasons.append('nothing was evaluated')
  row, base = served(results)
  for name, part in results['sets'].items():
    rows = part['rows']
    reasons += _below(name, rows.get(row, {}), rows.get(base, {}), asked)
  data = results['provenance'].get('data_manifest_sha256', '')
  found = scores(results)
  if last is not None and last['data'] != data:
    notes.append('the model that was blessed last was evaluated on other data '
                 'and is not compared')
  elif last is not None:
    reasons += _lost(found, last['scores'], asked)
  return {'blessed': not reasons, 'reasons': reasons, 'notes': notes,
          'scores': found, 'row': row, 'data': data}


def sentence(found: Mapping[str, Any]) -> str:
  """A verdict for a console.

  Args:
    found: What `verdict` returned.
  """
  head = ('The model is blessed' if found['blessed'] else
          'The model is not blessed: ' + '; '.join(found['reasons']))
  return '; '.join([head, *found['notes']])


def _blind(judge: Mapping[str, Any] | None) -> str:
  """Why the judges cannot be heard; '' if they can.

  A judge of whom nothing is asked is trusted by `trust`, but blesses nothing.
  """
  if not judge:
    return 'nothing is known about the judges; evaluate again'
  unasked = [name for name, bound in judge['least'].items() if not bound]
  if judge['trusted'] and unasked:
    return (f'nothing is asked of the judges (judge.{unasked[0]}=0), so they '
            'may not see; ask something, or set blessing.needs_judges=False')
  return trust.sentence({'judge': judge})


def _number(row: Mapping[str, Any], score: str) -> float:
  """A figure of a row, NaN if it has none."""
  value = row.get(score)
  return math.nan if value is None else float(value)


def _below(name: str, model: Mapping[str, Any], base: Mapping[str, Any],
           asked: config_gate.BlessingConfig) -> Iterator[str]:
  """What a set's figures lack; NaN is never enough."""
  gain = _number(model, 'psnr') - _number(base, 'psnr')
  if not gain >= asked.least_psnr_gain:
    yield (f'{name} set: PSNR is {gain:+.2f} dB from bicubic; '
           f'blessing.least_psnr_gain asks for {asked.least_psnr_gain:+g}')
  levels = _number(model, 'lr_consistency')
  if not levels <= asked.most_lr_consistency:
    yield (f'{name} set: the output is {levels:.2f} levels from its input; '
           f'blessing.most_lr_consistency allows {asked.most_lr_consistency:g}')
  for score, (setting, words) in _heard(asked).items():
    gain = _number(model, score) - _number(base, score)
    least = getattr(asked, f'least_{setting}_gain')
    if not gain >= least:
      yield (f'{name} set: of what {words}, {100 * gain:+.1f} points from '
             f'bicubic; blessing.least_{setting}_gain asks for '
             f'{100 * least:+g}')


def _heard(asked: config_gate.BlessingConfig) -> dict[str, tuple[str, str]]:
  """The scores of judges that count: all or none."""
  return _JUDGED if asked.needs_judges else {}


def _lost(found: Mapping[str, Mapping[str, float | None]],
          last: Mapping[str, Mapping[str, float | None]],
          asked: config_gate.BlessingConfig) -> Iterator[str]:
  """What got worse since the model that was blessed last."""
  allowed = {'psnr': ('psnr', 1.0, 'dB of PSNR'), **{
      score: (setting, 100.0, f'points of what {words}')
      for score, (setting, words) in _heard(asked).items()}}
  for name in sorted(found.keys() & last.keys()):
    for score, (setting, scale, words) in allowed.items():
      loss = _number(last[name], score) - _number(found[name], score)
      most = getattr(asked, f'most_{setting}_loss')
      if loss > most:
        yield (f'{name} set: {scale * loss:.2f} {words} fewer than the model '
               f'that was blessed last; blessing.most_{setting}_loss allows '
               f'{scale * most:g}')
