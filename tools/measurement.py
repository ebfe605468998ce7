"""What benchmarks share: a row of the table, the machine, fair rounds."""

from __future__ import annotations

import dataclasses
import datetime
import os
import pathlib
import re
import statistics
import time
from typing import Any, Callable, Mapping


@dataclasses.dataclass(frozen=True)
class Row:
  """One measured number.

  Attributes:
    name: What was measured.
    value: The number.
    unit: Its unit, such as 'clips/s'.
    target: What is asked for, '' if nothing is.
  """
  name: str
  value: float
  unit: str
  target: str = ''


def machine() -> dict[str, Any]:
  """Processor, cores, load and date, as JSON-ready values."""
  try:
    text = pathlib.Path('/proc/cpuinfo').read_text('utf-8')
  except OSError:
    text = ''
  found = re.search(r'model name\s*:\s*(.*)', text)
  return {
      'processor': found.group(1).strip() if found else 'unknown',
      'cores': len(os.sched_getaffinity(0)),
      'load': round(os.getloadavg()[0], 1),
      'date': datetime.date.today().isoformat()}


def rounds(
    cases: Mapping[str, Callable[[], int]], count: int) -> dict[str, float]:
  """Units per second of each case: the median over rounds.

  The cases take turns, so that a busy moment of the machine hits all of them.

  Args:
    cases: Name -> does the work and returns how many units it did.
    count: Rounds.
  """
  rates = {name: [] for name in cases}
  for _ in range(count):
    for name, case in cases.items():
      began = time.perf_counter()
      units = case()
      rates[name].append(units / (time.perf_counter() - began))
  return {name: statistics.median(found) for name, found in rates.items()}


def table(rows: list[Row]) -> str:
  """The rows as Markdown."""
  lines = ['| what | measured | target |', '|---|---|---|']
  for row in rows:
    digits = 0 if row.value >= 100 else 1 if row.value >= 10 else 2
    lines.append(
        f'| {row.name} | {row.value:.{digits}f} {row.unit} | {row.target} |')
  return '\n'.join(lines)
