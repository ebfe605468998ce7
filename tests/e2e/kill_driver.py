"""Trains all stages in a child that is killed once in every stage.

Usage: python -m tests.e2e.kill_driver DATA_DIR RUN_ROOT. Prints one line of
JSON: what each attempt came to. This process imports TensorFlow but runs no
operation, so that its forks start at once, with a runtime of their own.
"""

from __future__ import annotations

import ctypes
import dataclasses
import importlib
import json
import os
import pathlib
import signal
import sys
import time
import traceback

from earsr_tf import config as config_lib
from earsr_tf import train
from earsr_tf.config import PhaseConfig
from tests import fakes

# What `train.run` imports; forks then share it.
_PRELOADED = ('earsr_tf.data.pipeline', 'earsr_tf.training.loop')

_IMAGES = 48
_PR_SET_PDEATHSIG = 1
_TIMEOUT_S = 300


def _config() -> config_lib.Config:
  """Long enough that a kill after the first checkpoint finds it at work."""
  base = fakes.small_config()
  changes = {
      stage: dataclasses.replace(
          getattr(base, stage), phases=(PhaseConfig(_IMAGES, 4),))
      for stage in config_lib.STAGES if stage != 'generator'}
  return dataclasses.replace(
      base, **{**changes, 'attributes': dataclasses.replace(
          changes['attributes'], num_speakers=0)},
      generator=dataclasses.replace(base.generator, phases=(
          PhaseConfig(_IMAGES, 4, 16, 16, 1e-3),)))


def _attempt(data_dir: str, run_root: str) -> int:
  """Forks a child, in a session of its own, that trains what is left."""
  pid = os.fork()
  if pid:
    return pid
  os.setsid()
  # If this driver dies (a timeout of the test), so does the child.
  ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
  try:
    for stage in config_lib.STAGES:
      train.run(_config(), stage, data_dir=data_dir, run_root=run_root)
  except BaseException:  # pylint: disable=broad-exception-caught
    traceback.print_exc()
    os._exit(70)
  os._exit(0)
  return 0


def _wait(pid: int, run_root: pathlib.Path, killed: set[str]
          ) -> dict[str, object]:
  """Kills the child in the first stage that is new; else waits for its end."""
  deadline = time.monotonic() + _TIMEOUT_S
  while time.monotonic() < deadline:
    done, status = os.waitpid(pid, os.WNOHANG)
    if done:
      return {'exit': os.waitstatus_to_exitcode(status)}
    for stage in set(config_lib.STAGES) - killed:
      folder = run_root / stage
      found = sorted(p.name for p in folder.glob('checkpoints/*.index'))
      if found and not (folder / 'finished.json').exists():
        os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return {'killed': stage, 'checkpoints': found,
                'finished': (folder / 'finished.json').exists()}
    time.sleep(0.002)
  os.killpg(pid, signal.SIGKILL)
  os.waitpid(pid, 0)
  return {'exit': 'timeout'}


def main(data_dir: str, run_root: str) -> None:
  """Starts attempts until one ends by itself."""
  for module in _PRELOADED:
    importlib.import_module(module)
  attempts: list[dict[str, object]] = []
  killed: set[str] = set()
  while len(attempts) <= len(config_lib.STAGES):
    pid = _attempt(data_dir, run_root)
    attempts.append(_wait(pid, pathlib.Path(run_root), killed))
    if 'exit' in attempts[-1]:
      break
    killed.add(str(attempts[-1]['killed']))
  print(json.dumps(attempts))


if __name__ == '__main__':
  main(*sys.argv[1:])
