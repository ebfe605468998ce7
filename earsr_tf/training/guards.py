"""Steps that are not finite: counted, and too many of them reported.

A step whose loss or gradient is not finite changes no weight, average or
other state (`training/step.py`). It is counted here, in variables, so that a
run that is killed in between counts on.
"""

from __future__ import annotations

import math
from typing import Any, Mapping, Sequence

import tensorflow as tf

from earsr_tf.stages import stage as stage_lib

# What a step returns besides its loss terms.
_NO_TERMS = ('is_finite', 'total', 'grad_norm')


class NotFiniteError(RuntimeError):
  """Training cannot go on from this state; says what was not finite where.

  Attributes:
    batch: Batch size and first image of the batch that it came with, if any.
  """

  def __init__(self, message: str, batch: tuple[int, int] | None = None):
    """Takes the sentence for the user and the batch."""
    super().__init__(message)
    self.batch = batch


class Skips(tf.Module):
  """Counts skipped steps of a stage.

  Attributes:
    total: [] int64, steps in which an update was skipped.
  """

  def __init__(self, *, stage: stage_lib.Stage):
    """Starts at zero for every update of `stage`."""
    super().__init__(name='skips')
    with tf.device('CPU:0'):  # host state: reading it waits for no device
      self.total = tf.Variable(0, dtype=tf.int64, trainable=False)
      self._in_a_row = {
          update.name: tf.Variable(0, dtype=tf.int64, trainable=False)
          for update in stage.updates}

  def observe(self, skipped: Mapping[str, bool]) -> None:
    """Takes the outcome of a step.

    Args:
      skipped: Update that ran in the step -> whether it was skipped.
    """
    if any(skipped.values()):
      self.total.assign_add(1)
    for name, was_skipped in skipped.items():
      count = self._in_a_row[name]
      if was_skipped:
        count.assign_add(1)
      elif int(count):
        count.assign(0)

  def streak(self) -> int:
    """How often in a row an update was skipped, the worst of all updates."""
    return max(int(count) for count in self._in_a_row.values())


def culprit(metrics: Mapping[str, Any]) -> str:
  """The term that is not finite in a step's metrics, in words with values."""
  terms = {k: float(v) for k, v in metrics.items() if k not in _NO_TERMS}
  bad = [name for name, value in terms.items() if not math.isfinite(value)]
  shown = ', '.join(f'{k}={v:.4g}' for k, v in terms.items())
  if bad:
    return f'term {" and ".join(bad)} is not finite ({shown})'
  return (f'the terms are finite ({shown}), the gradient is not (norm '
          f'{float(metrics["grad_norm"]):.4g})')


def images(indices: Sequence[int]) -> str:
  """Names the images of a batch by their positions in the stream."""
  if not indices:
    return 'no images'
  return f'images {min(indices)} to {max(indices)} of the stream'


def non_finite(variables: Sequence[tf.Variable]) -> list[str]:
  """Names of the variables that hold a value that is not finite."""
  floating = [v for v in variables if v.dtype.is_floating]
  if not floating:
    return []
  # One transfer for all of them.
  is_finite = tf.stack(
      [tf.reduce_all(tf.math.is_finite(v)) for v in floating]).numpy()
  return [v.name for v, good in zip(floating, is_finite) if not good]
