"""What a run left on the disk, for tools/report: whole, torn or not there.

Nothing here is trusted: a file that cannot be read becomes a sentence.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import math
import pathlib
import statistics
from typing import Any, Iterator

from earsr_tf import cli
from earsr_tf import config as config_lib

# As in training/monitoring/record.py and training/checkpoints.py, which need
# TensorFlow.
METRICS, CONFIG, FINISHED = 'metrics.jsonl', 'config.json', 'finished.json'
_NAMED = 10  # damaged lines listed by number
_LARGEST = 1e100  # far beyond float32; what is greater cannot be drawn

Row = dict[str, float | None]


@dataclasses.dataclass(frozen=True)
class Place:
  """Where a run lies.

  Attributes:
    given: The folder that was named.
    runs: Folder of the stages.
    pipeline: The root of pipelines.run that made it, if one did.
  """
  given: pathlib.Path
  runs: pathlib.Path
  pipeline: pathlib.Path | None


@dataclasses.dataclass
class Stage:
  """A stage that was begun.

  Attributes:
    name: Of the stage.
    folder: Its folder.
    settings: All of config.json.
    finished: All of finished.json; empty while the stage is trained.
    rows: Of metrics.jsonl; None stands for what was not finite.
    written: When metrics.jsonl last changed, UTC; '' if there is none.
    problems: Sentences about what could not be read.
  """
  name: str
  folder: pathlib.Path
  settings: dict[str, Any]
  finished: dict[str, Any]
  rows: list[Row]
  written: str
  problems: list[str]

  @property
  def config(self) -> dict[str, Any]:
    """The configuration, as plain JSON."""
    config = self.settings.get('config')
    return config if isinstance(config, dict) else {}

  @property
  def images(self) -> int:
    """Images shown, as far as is recorded."""
    return int(self.rows[-1]['images'] or 0) if self.rows else 0

  def phases(self) -> list[dict[str, Any]]:
    """The schedule; each phase with `first` and `last`, in images.

    A phase begins and ends with a whole batch, as in training/schedule.py.
    """
    made, begin, first = [], 0, 0
    try:
      for phase in self.config[self.name]['phases']:
        begin, batch = begin + int(phase['images']), int(phase['batch_size'])
        last = first + max(0, -(-(begin - first) // batch)) * batch
        made.append({'resolution': 0, **phase, 'first': first, 'last': last})
        first = last
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
      return []  # of another version
    return made

  def recorded_seconds(self) -> float:
    """Seconds of training that the record accounts for, over all starts."""
    seconds, before = 0.0, 0.0
    for row in self.rows:
      rate = row.get('timing/images_per_s')
      if rate:
        seconds += max(0.0, row['images'] - before) / rate
      before = row['images']
    return seconds

  def rate(self) -> float | None:
    """Images per second: the median of the rows but the first."""
    rates = [row.get('timing/images_per_s') for row in self.rows[1:]]
    rates = [rate for rate in rates if rate is not None]
    return statistics.median(rates) if rates else None


def locate(folder: str) -> Place:
  """Finds the stages below a folder that a user named.

  Args:
    folder: What --run_root names, or the root of pipelines.run.

  Raises:
    InputError: If there is no run.
  """
  given = pathlib.Path(folder)
  for runs in (given, given / 'runs'):
    if list(stage_names(runs)):
      root = runs.absolute().parent
      return Place(given, runs, root if _is_pipeline(root) else None)
  if _is_pipeline(given):
    return Place(given, given / 'runs', given)
  if not given.is_dir():
    raise cli.InputError(f'{folder}: no such folder')
  if (given / METRICS).exists() or (given / 'checkpoints').exists():
    raise cli.InputError(
        f'{folder}: is one stage of a run; name the folder that it lies in')
  raise cli.InputError(
      f'{folder}: holds no run; name the --run_root of earsr_tf.train or the '
      '--root of pipelines.run')


def _is_pipeline(folder: pathlib.Path) -> bool:
  return (folder / 'metadata.sqlite').exists()


def stage_names(runs: pathlib.Path) -> Iterator[str]:
  """Names of the stages begun in a folder, the paper's order first."""
  try:
    found = {path.parent.name for path in runs.glob(f'*/{CONFIG}')
             if (path.parent / 'checkpoints').exists()
             or (path.parent / METRICS).exists()
             or path.parent.name in config_lib.STAGES}
  except OSError:
    return
  yield from (name for name in config_lib.STAGES if name in found)
  yield from sorted(found - set(config_lib.STAGES))


def read_stage(runs: pathlib.Path, name: str) -> Stage:
  """Reads what is there of a stage."""
  folder, problems = runs / name, []
  settings = read_json(folder / CONFIG, problems)
  finished = read_json(folder / FINISHED, problems)
  for key, value in list(finished.items()):
    if key != 'checkpoint' and (
        isinstance(value, bool) or not isinstance(value, (int, float))):
      problems.append(f'{FINISHED}: {key} is no number')
      del finished[key]
  rows = _rows(folder / METRICS, problems)
  written = ''
  if (folder / METRICS).exists():
    written = datetime.datetime.fromtimestamp(
        (folder / METRICS).stat().st_mtime, datetime.timezone.utc).strftime(
            '%Y-%m-%d %H:%M:%S')
  return Stage(name, folder, settings, finished, rows, written, problems)


def read_json(path: pathlib.Path, problems: list[str]) -> dict[str, Any]:
  """A JSON object; {} if there is none.

  Args:
    path: The file.
    problems: Gets a sentence if it is there and cannot be read.
  """
  try:
    values = json.loads(path.read_text(encoding='utf-8'))
    if isinstance(values, dict):
      return values
    reason = 'holds no object'
  except FileNotFoundError:
    return {}
  except (OSError, ValueError, RecursionError) as error:
    reason = f'cannot be read: {error}'
  problems.append(f'{path.name} {reason}')
  return {}


def _rows(path: pathlib.Path, problems: list[str]) -> list[Row]:
  """The lines of metrics.jsonl that are whole."""
  try:
    lines = path.read_bytes().split(b'\n')
  except FileNotFoundError:
    return []
  except OSError as error:
    problems.append(f'{path.name} cannot be read: {error.strerror}')
    return []
  rows, damaged = [], []
  for number, line in enumerate(lines[:-1], 1):
    row = _row(line)
    if row is None:
      damaged.append(number)
    else:
      rows.append(row)
  if damaged:
    shown = ', '.join(map(str, damaged[:_NAMED]))
    more = f' and {len(damaged) - _NAMED} more' if damaged[_NAMED:] else ''
    problems.append(
        f'{path.name}: {"lines" if damaged[1:] else "line"} {shown}{more} '
        'damaged and left out')
  if lines[-1]:
    problems.append(
        f'{path.name}: the last line, {len(lines)}, is not whole and left out')
  return rows


def _row(line: bytes) -> Row | None:
  """A line's numbers; None if it is damaged."""
  try:
    values = json.loads(line.decode('utf-8'))
    row = {name: _number(value) for name, value in values.items()}
    return row if row['images'] is not None and row['images'] >= 0 else None
  except (ValueError, KeyError, TypeError, AttributeError, OverflowError,
          RecursionError):
    return None


def _number(value: Any) -> float | None:
  """A finite number; None for null and what is not finite."""
  if value is None:
    return None
  if isinstance(value, bool) or not isinstance(value, (int, float)):
    raise TypeError(value)
  if not math.isfinite(value) or abs(value) > _LARGEST:
    return None
  return float(value) if abs(value) > 1 / _LARGEST else 0.0
