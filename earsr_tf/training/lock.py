"""One process at a time trains a stage in a run folder."""

from __future__ import annotations

import contextlib
import os
import pathlib
import socket
from typing import Iterator

import filelock


class LockedError(RuntimeError):
  """Another process trains this stage here; says which.

  Attributes:
    exit_code: What a command ends with: 2.
  """
  exit_code = 2


def _holder(path: pathlib.Path) -> str:
  try:
    return path.read_text(encoding='utf-8').strip()
  except (OSError, ValueError):
    return ''


@contextlib.contextmanager
def hold(run_root: str, stage: str) -> Iterator[None]:
  """Holds `<run_root>/.<stage>.lock`; the kernel frees it after any death.

  The file lies beside the stage's folder, so that --restart cannot remove it
  under the process that holds it.

  Args:
    run_root: Folder of the stages; it is created.
    stage: Name of the stage.

  Raises:
    LockedError: If another process holds it.
  """
  path = pathlib.Path(run_root) / f'.{stage}.lock'
  path.parent.mkdir(parents=True, exist_ok=True)
  lock = filelock.FileLock(path)
  try:
    lock.acquire(timeout=0)
  except filelock.Timeout:
    raise LockedError(
        f'{pathlib.Path(run_root) / stage} is being trained by '
        f'{_holder(path) or "another process"}; wait for it, stop it, or use '
        'another --run_root') from None
  try:
    path.write_text(f'process {os.getpid()} on {socket.gethostname()}\n',
                    encoding='utf-8')
    yield
  finally:
    lock.release()
