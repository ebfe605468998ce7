"""Memory: what there is, what was used, and what to lower if it runs out."""

from __future__ import annotations

import contextlib
import math
import pathlib
import re
import resource
from typing import Iterator

import tensorflow as tf

from earsr_tf.stages import stage as stage_lib

_SHAPE = re.compile(r'shape ?(\[[\d, ]*\]) and type (\w+)')


# Python, TensorFlow and its threads, before the first variable.
PROCESS_BYTES = 0.7e9


class OutOfMemoryError(RuntimeError):
  """A device or the machine has too little memory; says what to lower.

  Attributes:
    exit_code: What a command ends with: 71, refused by the system.
  """
  exit_code = 71


def available_bytes() -> float:
  """Memory that a process can still have; infinite where it is not known."""
  return _kilobytes('/proc/meminfo', 'MemAvailable', math.inf) * 1024


def peak_bytes() -> float:
  """Peak resident memory of this process.

  Linux lets it be restarted. `ru_maxrss`, which stands in elsewhere, begins
  with the parent's.
  """
  return 1024 * _kilobytes('/proc/self/status', 'VmHWM', resource.getrusage(
      resource.RUSAGE_SELF).ru_maxrss)


def _kilobytes(path: str, name: str, default: float) -> float:
  """A number that the system keeps in a file, if it has that."""
  try:
    match = re.search(rf'^{name}:\s*(\d+)', pathlib.Path(path).read_text(
        'utf-8'), re.MULTILINE)
  except OSError:
    match = None
  return int(match[1]) if match else default


@contextlib.contextmanager
def explained(where: str, remedy: str) -> Iterator[None]:
  """Turns a failed allocation into a sentence.

  What cannot be written to a disk is no matter of memory, though TensorFlow
  has one error for both: it is caught where files are written.

  Args:
    where: What goes on inside, such as 'stage fusion'.
    remedy: What to do, with flags and values.

  Raises:
    OutOfMemoryError: If there is too little memory.
  """
  try:
    yield
  except (tf.errors.ResourceExhaustedError, MemoryError) as error:
    raise OutOfMemoryError(
        f'{where}: out of memory{_wanted(str(error))}; {remedy}') from error


def _wanted(message: str) -> str:
  """The tensor that there was no room for, if the message tells."""
  match = _SHAPE.search(message)
  return f' (no room for {match[2]} {match[1]})' if match else ''


def phase_remedy(stage: stage_lib.Stage, number: int,
                 micro_batch: int = 0) -> str:
  """What to lower where a phase of a stage runs out of memory.

  Args:
    stage: The stage.
    number: Which of its phases, from 0.
    micro_batch: A lower --micro_batch that would help; 0 if there is none.
  """
  batch_size, remedies = stage.phases[number].batch_size, []
  if micro_batch:
    remedies.append(f'--micro_batch={micro_batch}, with which the run goes on')
  if batch_size > 1:
    remedies.append(
        f'--set={stage.name}.phases.{number}.batch_size={batch_size // 2} '
        f'instead of {batch_size} (with --restart: another batch is another '
        'run)')
  return 'use ' + (', or '.join(remedies)
                   or 'a machine with more memory, or a smaller model')


def training_remedy(stage: stage_lib.Stage) -> str:
  """What to lower where a stage runs out of memory outside of its steps.

  Args:
    stage: The stage.
  """
  largest = max(range(len(stage.phases)),
                key=lambda i: stage.phases[i].batch_size)
  return phase_remedy(stage, largest)
