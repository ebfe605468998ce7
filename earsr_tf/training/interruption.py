"""SIGTERM and SIGINT: training ends at the next step boundary, saved."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from types import TracebackType
from typing import Any

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Interrupted(RuntimeError):
  """The run was asked to stop and has saved its state.

  Attributes:
    exit_code: What a command ends with: 42.
  """
  exit_code = 42


class StopRequest:
  """While it is open, the first signal is a wish; a second one acts at once.

  Attributes:
    name: Name of the signal that came, '' if none.
  """

  def __init__(self) -> None:
    """Waits for nothing yet."""
    self.name = ''
    self._previous: dict[signal.Signals, Any] = {}

  def __enter__(self) -> StopRequest:
    """Takes the signals over; only the main thread can."""
    if threading.current_thread() is threading.main_thread():
      for number in _SIGNALS:
        previous = signal.getsignal(number)
        # A shell starts background jobs with SIGINT ignored: so it stays.
        if previous not in (signal.SIG_IGN, None):
          self._previous[number] = previous
          signal.signal(number, self._handle)
    return self

  def __exit__(self, kind: type[BaseException] | None,
               error: BaseException | None,
               traceback: TracebackType | None) -> None:
    """Gives the signals back."""
    self._give_back()

  def _give_back(self) -> None:
    for number, previous in self._previous.items():
      signal.signal(number, previous)
    self._previous.clear()

  def _handle(self, number: int, frame: FrameType | None) -> None:
    del frame
    self.name = signal.Signals(number).name
    self._give_back()
