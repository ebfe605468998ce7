"""What several tests need."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import socket
import subprocess
import sys

import pytest

from earsr_tf import config
from earsr_tf import presets

ROOT = pathlib.Path(__file__).resolve().parent.parent


def shared_dir() -> pathlib.Path:
  """Returns the folder of real media beside the checkout, or skips the test.

  Nothing in the product depends on it.
  """
  path = ROOT.parent / 'shared'
  if not path.is_dir():
    pytest.skip(f'real media are not here: no folder {path}')
  return path


def tiny_config(**changes: object) -> config.Config:
  """Returns the `tiny` preset with top-level fields replaced."""
  return dataclasses.replace(presets.get('tiny'), **changes)


def free_ports(count: int) -> list[int]:
  """Ports of this machine that nobody listens on now."""
  sockets = [socket.socket() for _ in range(count)]
  for each in sockets:
    each.bind(('127.0.0.1', 0))
  ports = [each.getsockname()[1] for each in sockets]
  for each in sockets:
    each.close()
  return ports


def run_module(
    module: str, *arguments: str, cwd: pathlib.Path | None = None,
    timeout_s: float = 300) -> subprocess.CompletedProcess[str]:
  """Runs `python -m module arguments` as a user would, and waits.

  Args:
    module: Dotted name, importable from the project root.
    *arguments: Command-line arguments.
    cwd: Working folder; the project root unless given.
    timeout_s: Killed after so many seconds.

  Returns:
    The finished process: `returncode`, `stdout` and `stderr` as text.
  """
  environment = dict(os.environ, TF_CPP_MIN_LOG_LEVEL='2')
  environment['PYTHONPATH'] = os.pathsep.join(
      [str(ROOT), *filter(None, [environment.get('PYTHONPATH')])])
  return subprocess.run(
      [sys.executable, '-m', module, *arguments], cwd=cwd or ROOT,
      env=environment, capture_output=True, text=True, timeout=timeout_s,
      check=False)
