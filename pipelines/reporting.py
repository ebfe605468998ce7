"""What a pipeline run prints: progress, the time table, one line on failure.

The terminal shows what this project says; what the libraries say besides goes
to <root>/log together with everything else.
"""

from __future__ import annotations

import logging
import os
import pathlib
import sys
import time
from typing import Any

from earsr_tf import environment

LOG = 'log'
_ROOT = pathlib.Path(__file__).resolve().parent.parent
_OURS = (_ROOT / 'earsr_tf', _ROOT / 'pipelines')


def _is_ours(record: logging.LogRecord) -> bool:
  path = pathlib.Path(record.pathname)
  return any(path.is_relative_to(folder) for folder in _OURS)


def _is_worth_keeping(record: logging.LogRecord) -> bool:
  """Keeps our records and others' warnings; TFX warns at its every step."""
  is_tfx = 'tfx' in pathlib.Path(record.pathname).parts
  threshold = logging.ERROR if is_tfx else logging.WARNING
  return _is_ours(record) or record.levelno >= threshold


class _Elapsed(logging.Formatter):
  """Puts minutes and seconds since the start before each line."""

  def __init__(self) -> None:
    super().__init__('%(message)s')
    self._start = time.monotonic()

  def format(self, record: logging.LogRecord) -> str:
    """Returns the line for the terminal."""
    minutes, seconds = divmod(int(time.monotonic() - self._start), 60)
    return f'[{minutes:3d}:{seconds:02d}] {super().format(record)}'


def _divert_native_output(log: pathlib.Path) -> None:
  """Sends what C++ code and child processes write to stderr to the log.

  Python keeps the terminal. Lasts until the process ends.
  """
  sys.stderr.flush()
  terminal = os.dup(2)
  file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
  os.dup2(file, 2)
  os.close(file)
  sys.stderr = os.fdopen(terminal, 'w', buffering=1, encoding='utf-8')


def set_up(root: pathlib.Path) -> None:
  """Shows what we say on the terminal and keeps the rest in <root>/log.

  Args:
    root: Folder of the run; it is created.
  """
  environment.quieten()
  root.mkdir(parents=True, exist_ok=True)
  _divert_native_output(root / LOG)
  file = logging.FileHandler(root / LOG, encoding='utf-8')
  file.setFormatter(logging.Formatter(
      '%(asctime)s %(levelname)s %(filename)s:%(lineno)d %(message)s'))
  file.addFilter(_is_worth_keeping)
  terminal = logging.StreamHandler(sys.stderr)
  terminal.setFormatter(_Elapsed())
  terminal.addFilter(_is_ours)
  logger = logging.getLogger()
  logger.handlers[:] = [file, terminal]
  logger.setLevel(logging.INFO)
  logging.captureWarnings(True)


def failed_component(error: BaseException) -> str:
  """Returns the component that an error left, '' if none."""
  for note in getattr(error, '__notes__', ()):
    if note.startswith('component: '):
      return note.removeprefix('component: ')
  return ''


def failure(error: BaseException, root: pathlib.Path) -> str:
  """Returns the sentence that tells a user what went wrong.

  Args:
    error: What ended the run.
    root: Folder of the run, whose log has the whole story.
  """
  where = failed_component(error)
  what = ' '.join(str(error).split()) or type(error).__name__
  if len(what) > 400:
    what = what[:400] + ' ...'
  return f'{where + ": " if where else ""}{what}; see {root / LOG}'


def time_table(steps: list[Any], total_s: float) -> str:
  """Returns seconds per component as a table.

  Args:
    steps: `local_runner.StepResult`s of the run.
    total_s: Seconds of the whole command; the rest is imports and TFX.

  Returns:
    Lines of text.
  """
  lines = [f'{"component":<16}{"seconds":>9}']
  spent = 0.0
  for step in steps:
    if step.state == 'CACHED':
      lines.append(f'{step.name:<16}{"cached":>9}')
    else:
      spent += step.seconds
      lines.append(f'{step.name:<16}{step.seconds:9.1f}')
  lines.append(f'{"imports, TFX":<16}{max(0.0, total_s - spent):9.1f}')
  lines.append(f'{"total":<16}{total_s:9.1f}')
  return '\n'.join(lines)
