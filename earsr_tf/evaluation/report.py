"""Writing results: whole files only, provenance, and the short table.

Imports no TensorFlow, so that a command can refuse a bad path at once.
"""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import math
import os
import platform
import sys
from typing import Any, Mapping

import numpy as np

from earsr_tf.evaluation import floor_marks

_PACKAGES = ('tensorflow', 'keras', 'tensorflow-io', 'numpy', 'Pillow')


def to_json(results: Mapping[str, Any]) -> bytes:
  """Serialises results as strict JSON: NaN and infinities become null."""
  return (json.dumps(_plain(results), indent=2, sort_keys=False,
                     allow_nan=False) + '\n').encode('utf-8')


def provenance(**facts: Any) -> dict[str, Any]:
  """Says where numbers come from: command, versions, machine, date.

  Args:
    **facts: Entries that only the caller knows, such as preset or seed.

  Returns:
    A JSON-ready mapping.
  """
  versions = {}
  for package in _PACKAGES:
    try:
      versions[package] = importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
      versions[package] = 'absent'
  return {
      'command': command_line(),
      **facts,
      'date': datetime.datetime.now(
          datetime.timezone.utc).isoformat(timespec='seconds'),
      'machine': {'cpu': cpu_model(), 'cores': usable_cores()},
      'python': platform.python_version(),
      'versions': versions,
  }


def command_line() -> str:
  """Returns what was typed, with `python -m` instead of a file's path."""
  spec = getattr(sys.modules.get('__main__'), '__spec__', None)
  name = spec.name if spec else os.path.basename(sys.argv[0])
  prefix = 'python -m ' if spec else 'python '
  return prefix + ' '.join([name.removesuffix('.__main__'), *sys.argv[1:]])


def cpu_model() -> str:
  """Returns the processor's name, 'unknown' where the system hides it."""
  try:
    with open('/proc/cpuinfo', encoding='utf-8') as file:
      for line in file:
        if line.startswith('model name'):
          return line.split(':', 1)[1].strip()
  except OSError:
    pass  # not Linux
  return platform.processor() or 'unknown'


def usable_cores() -> int:
  """Returns how many cores this process may use."""
  if hasattr(os, 'sched_getaffinity'):
    return len(os.sched_getaffinity(0))
  return os.cpu_count() or 1


def summary(results: Mapping[str, Any]) -> str:
  """Makes the small plain-text table that ends a demo or an evaluation.

  Args:
    results: What `evaluator.evaluate` returns.

  Returns:
    Lines of at most 80 columns, no trailing newline.
  """
  lines, marks = [], floor_marks.marks(results)
  for name, part in results['sets'].items():
    lines.append(
        f'{name} set: {part["speakers"]} people, {part["images"]} images')
    lines.append(
        f'  {"":32}{"PSNR":>7}{"SSIM":>7}{"LR":>6}{"C_g %":>8}'
        f'{"C_i %":>8}{"age":>6}')
    for key, row in part['rows'].items():
      label = results['rows'][key]['label']
      # A mark takes the place of the blank that follows.
      psnr, gender, identity = (
          marks.get((name, key, column), ' ')
          for column in ('psnr', 'gender_accuracy', 'identity_accuracy'))
      lines.append(
          f'  {label[:32]:32}{number(row["psnr"], 2):>7}{psnr}'
          f'{number(row["ssim"], 3):>6}{number(row["lr_consistency"], 1):>6}'
          f'{number(row["gender_accuracy"], 1, 100):>8}{gender}'
          f'{number(row["identity_accuracy"], 1, 100):>7}{identity}'
          f'{number(row["age_error"], 1):>5}')
    for item in part['comparisons']:
      # Marks tell of the floors.
      if item['metric'] == 'gender_correct' and (
          item['b'] not in floor_marks.LINEAR):
        lines.append('  ' + comparison_sentence(item))
      if (item['a'], item['b'], item['metric']) == ('h', 'c', 'psnr'):
        lines.append(
            f'  F is nearer to the ground truth than E_l (PSNR) in '
            f'{number(item["wins"], 0, 100)} % of the images')
  if marks:
    lines.append(f'{floor_marks.MARK} below the linear floor of the row '
                 '(PCA 64; ridge from the same inputs)')
  for judge, facts in results.get('judges', {}).items():
    lines.append(f'{judge}: {facts["is"]}' + (
        " (the paper's is another)" if facts['is_substitute'] else ''))
  for key, reason in results['skipped'].items():
    lines.append(f'not evaluated: row {key}: {reason}')
  return '\n'.join(lines)


def comparison_sentence(item: Mapping[str, Any]) -> str:
  """Words one paired comparison: 'C_g, F vs E_l: +3.1 [+0.4, +5.9] points'."""
  scale, unit = item['scale'], item['unit']
  interval = 'no interval'
  if _is_number(item['low']):
    interval = f'[{item["low"] * scale:+.2f}, {item["high"] * scale:+.2f}]'
  mean = f'{item["mean"] * scale:+.2f}' if _is_number(item['mean']) else '-'
  return (f'{item["title"]}, {item["name"]}: {mean} {interval} {unit} '
          f'({item["speakers"]} people)')


def number(value: float | None, digits: int, scale: float = 1.0) -> str:
  """Formats a value that may be missing: '-' for None and NaN."""
  if not _is_number(value):
    return '-'
  return f'{value * scale:.{digits}f}'


def _is_number(value: Any) -> bool:
  """Whether a value can be printed: not None, not NaN, finite."""
  return value is not None and math.isfinite(value)


def _plain(value: Any) -> Any:
  """Turns NumPy values into JSON's own; non-finite numbers into None."""
  if isinstance(value, Mapping):
    return {str(key): _plain(item) for key, item in value.items()}
  if isinstance(value, (list, tuple)):
    return [_plain(item) for item in value]
  if isinstance(value, np.ndarray):
    return _plain(value.tolist())
  if isinstance(value, np.generic):
    value = value.item()
  if isinstance(value, float) and not math.isfinite(value):
    return None
  return value
