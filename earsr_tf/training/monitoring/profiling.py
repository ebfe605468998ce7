"""TensorFlow's profiler over some steps of a run, for TensorBoard."""

from __future__ import annotations

import contextlib
import pathlib
from typing import Iterator

from absl import logging
import tensorflow as tf


class Profile:
  """Records the steps from the first to the last that were asked for."""

  def __init__(self, *, steps: tuple[int, int] | None, folder: pathlib.Path):
    """Records nothing yet.

    Args:
      steps: First and last step, or None to record none.
      folder: Of the event files; the profile lies in `plugins/profile` there.
    """
    self._steps = steps
    self._folder = folder
    self._is_running = False
    self._is_done = steps is None

  @contextlib.contextmanager
  def step(self, number: int) -> Iterator[None]:
    """Surrounds step `number`; a run that goes on may begin amid the range."""
    if self._is_done or not self._steps[0] <= number <= self._steps[1]:
      yield
      return
    if not self._is_running:
      tf.profiler.experimental.start(str(self._folder))
      self._is_running = True
    with tf.profiler.experimental.Trace('train', step_num=number, _r=1):
      yield
    if number == self._steps[1]:
      self._stop()

  def close(self) -> None:
    """Ends a profile whose last step did not come; tells if none began."""
    if self._is_running:
      self._stop()
    elif not self._is_done:
      logging.warning('profile: no step from %d to %d was trained; nothing is '
                      'recorded', *self._steps)

  def _stop(self) -> None:
    tf.profiler.experimental.stop()
    self._is_running, self._is_done = False, True
    logging.info('profile: written to %s', self._folder / 'plugins/profile')
