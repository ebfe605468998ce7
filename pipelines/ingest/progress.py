"""How far a run is: a bar on a terminal, a line of the log now and then else.

Beam's in-process runner works in the process that shows the progress. Workers
elsewhere show nothing; their runner has its own displays.
"""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Iterator

from absl import logging
import tqdm

_LOG_SECONDS = 10.0
_shown: _Progress | None = None


class _Progress:
  """A count of clips that is shown."""

  def __init__(self, *, total: int):
    """Takes the number of clips in all."""
    self._total = total
    self._done = 0
    self._start = self._logged = time.monotonic()
    self._lock = threading.Lock()
    self.bar = tqdm.tqdm(total=total, unit='clip', disable=None)

  def advance(self, clips: int) -> None:
    """Counts clips that are finished, refused ones included."""
    with self._lock:
      self._done += clips
      self.bar.update(clips)
      now = time.monotonic()
      if self.bar.disable and now - self._logged >= _LOG_SECONDS:
        self._logged = now
        rate = self._done / (now - self._start)
        logging.info(
            'prepare: %d of %d clips, %.1f a second, about %.0f min left',
            self._done, self._total, rate,
            (self._total - self._done) / rate / 60 if rate else 0)


@contextlib.contextmanager
def show(total: int) -> Iterator[None]:
  """Shows the progress of what is done in this process meanwhile."""
  global _shown  # noqa: PLW0603
  _shown = _Progress(total=total)
  try:
    yield
  finally:
    _shown.bar.close()
    _shown = None


def advance(clips: int = 1) -> None:
  """Counts clips, if this process shows its progress."""
  if _shown is not None:
    _shown.advance(clips)
