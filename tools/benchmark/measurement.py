"""What benchmarks share: options, rows of the table, fair rounds."""

from __future__ import annotations

from concurrent import futures
import dataclasses
import datetime
import multiprocessing
import os
import pathlib
import resource
import statistics
import time
from typing import Any, Callable, Mapping, Sequence

from earsr_tf.evaluation import report


@dataclasses.dataclass(frozen=True)
class Options:
  """What a suite is told.

  Attributes:
    input: A tree of clips, or ''.
    rounds: Turns of every case.
    parts: Parts to measure; () is all.
    preset: Sizes of the networks, where a suite runs them.
    peers: Other frameworks that take turns, where a suite knows them.
  """
  input: str
  rounds: int
  parts: tuple[str, ...]
  preset: str = 'paper'
  peers: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Row:
  """One measured number.

  Attributes:
    name: What was measured.
    value: The number.
    unit: Its unit, such as 'clips/s'.
    target: What is asked for, '' if nothing is.
    per_core: The same per second of processor time, which a busy machine
      changes less; None where it makes no sense.
  """
  name: str
  value: float
  unit: str
  target: str = ''
  per_core: float | None = None


def machine() -> dict[str, Any]:
  """Processor, cores, load and date, as JSON-ready values."""
  return {
      'processor': report.cpu_model(), 'cores': report.usable_cores(),
      'load': round(os.getloadavg()[0], 1),
      'date': datetime.date.today().isoformat()}


@dataclasses.dataclass(frozen=True)
class Rate:
  """Units per second: of wall-clock time, and of processor time."""
  wall: float
  per_core: float


def rounds(
    cases: Mapping[str, Callable[[], int]], count: int) -> dict[str, Rate]:
  """How fast each case is: the medians over rounds.

  The cases take turns, so that a busy moment of the machine hits all of them.

  Args:
    cases: Name -> does the work and returns how many units it did.
    count: Rounds.
  """
  found = {name: [] for name in cases}
  for _ in range(count):
    for name, case in cases.items():
      wall, busy = time.perf_counter(), processor_seconds()
      units = case()
      found[name].append((
          units / (time.perf_counter() - wall),
          units / max(processor_seconds() - busy, 1e-9)))
  return {name: median_rate([Rate(*rate) for rate in rates])
          for name, rates in found.items()}


def median_rate(rates: Sequence[Rate]) -> Rate:
  """The medians of both kinds."""
  return Rate(*map(statistics.median, zip(*map(dataclasses.astuple, rates))))


def rate_row(name: str, rate: Rate, unit: str, target: str = '') -> Row:
  """A row of a rate; `unit` is of the clock's."""
  return Row(name, rate.wall, unit, target, rate.per_core)


def alone(function: Callable[..., Any], *arguments: Any) -> Any:
  """Calls a function of a module in a new process; returns what it does."""
  with futures.ProcessPoolExecutor(
      1, mp_context=multiprocessing.get_context('spawn')) as pool:
    return pool.submit(function, *arguments).result()


def processor_seconds() -> float:
  """Processor time of this process and of its children that have ended."""
  used = (resource.getrusage(who) for who in (
      resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
  return sum(u.ru_utime + u.ru_stime for u in used)


def restart_peak_memory() -> None:
  """Lets `peak_memory` begin again at what is in memory now."""
  pathlib.Path('/proc/self/clear_refs').write_text('5', 'utf-8')


def peak_memory() -> float:
  """Peak resident memory of this process in MB, since it was restarted."""
  from earsr_tf.training import memory
  return memory.peak_bytes() / 2 ** 20


def table(rows: list[Row]) -> str:
  """The rows as Markdown."""
  lines = ['| what | measured | per core-second | target |',
           '|---|---|---|---|']
  for row in rows:
    per_core = '' if row.per_core is None else _short(row.per_core)
    lines.append(f'| {row.name} | {_short(row.value)} {row.unit} | {per_core} '
                 f'| {row.target} |')
  return '\n'.join(lines)


def _short(value: float) -> str:
  """Three digits or so."""
  return f'{value:.{0 if value >= 100 else 1 if value >= 10 else 2}f}'
