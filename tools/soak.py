"""python -m tools.soak: kills training at random moments, compares the ends.

Trains every stage twice on the same data: once undisturbed below
`<run_root>/straight`, once below `<run_root>/killed` with `kill -9` at random
moments and the same command again after each. At the end every tensor of the
last checkpoint (weights, averages, optimizer slots, counters) and every row of
metrics.jsonl but its timings must be equal, bit by bit.

This process imports TensorFlow but runs no operation while it forks, so that
its children start at once with a runtime of their own.
"""

from __future__ import annotations

import ctypes
import dataclasses
import hashlib
import importlib
import json
import math
import os
import pathlib
import random
import shutil
import signal
import sys
import time
import traceback
from typing import Any

from absl import flags
import numpy as np

from earsr_tf import cli
from earsr_tf import config as config_lib
from earsr_tf import environment
from earsr_tf import flags as flags_lib
from earsr_tf import train

_KILLS = flags.DEFINE_integer(
    'kills', 5, 'Kills of each stage.', lower_bound=0)
_KILL_SEED = flags.DEFINE_integer(
    'kill_seed', 1, 'The moments of the kills follow from it.')
_STAGES = flags.DEFINE_list(
    'stages', list(config_lib.STAGES), 'Stages to train, in order.')
_STRETCH = flags.DEFINE_integer(
    'stretch', 1, 'Factor on the images of every phase, so that kills find a '
    'short preset at work.', lower_bound=1)

# What `train.run` imports; forks then share it.
_PRELOADED = ('earsr_tf.data.batching', 'earsr_tf.training.loop')
_PR_SET_PDEATHSIG = 1
_TIMEOUT_S = 1800


class SoakError(RuntimeError):
  """Training ended otherwise than it should; says which stage and how.

  Attributes:
    exit_code: What the command ends with.
  """
  exit_code = cli.INTERNAL


def stretched(config: config_lib.Config, factor: int) -> config_lib.Config:
  """Every phase with `factor` times the images and fading images."""
  changes = {}
  for name in config_lib.STAGES:
    section = getattr(config, name)
    changes[name] = dataclasses.replace(section, phases=tuple(
        dataclasses.replace(
            phase, images=factor * phase.images,
            fade_images=factor * phase.fade_images)
        for phase in section.phases))
  return dataclasses.replace(config, **changes)


class _Attempt:
  """A child, in a session of its own, that trains a stage."""

  def __init__(self, *, config: config_lib.Config, stage: str,
               run_root: pathlib.Path):
    """Forks; the child never returns from here."""
    self._stage = stage
    self._folder = run_root / stage
    self.began = time.monotonic()
    self._pid = os.fork()
    if not self._pid:
      os.setsid()
      # If this process dies, so does the child.
      ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
      _train(config, stage, run_root)

  def wait(self, until: float, *, images: float = math.inf) -> bool:
    """Waits for the end of the child, a moment, or progress.

    Args:
      until: `time.monotonic()` at which to give up.
      images: So many images that are new in the record end the wait, too.

    Returns:
      Whether the child ended.

    Raises:
      SoakError: If it ended with another code than 0.
    """
    lowest = math.inf
    while time.monotonic() < until:
      done, status = os.waitpid(self._pid, os.WNOHANG)
      if done:
        code = os.waitstatus_to_exitcode(status)
        if code:
          raise SoakError(f'stage {self._stage} ended with {code}')
        return True
      # A resumed run first drops the records beyond its checkpoint.
      now = _images(self._folder)
      lowest = min(lowest, now)
      if now >= lowest + images:
        return False
      time.sleep(0.002)
    return False

  def kill(self) -> None:
    """kill -9, the whole session."""
    os.killpg(self._pid, signal.SIGKILL)
    os.waitpid(self._pid, 0)


def _train(config: config_lib.Config, stage: str, run_root: pathlib.Path
           ) -> None:
  """Trains in a fork and ends the process."""
  values = flags.FLAGS
  try:
    train.run(config, stage, dataset=values.dataset, data_dir=values.data_dir,
              run_root=str(run_root), replicas=values.replicas)
  except BaseException:  # noqa: BLE001
    traceback.print_exc()
    sys.stderr.flush()
    os._exit(cli.INTERNAL)
  os._exit(0)


def _straight(config: config_lib.Config, stage: str, run_root: pathlib.Path
              ) -> float:
  """Trains to the end; returns the seconds to the first new record."""
  attempt = _Attempt(config=config, stage=stage, run_root=run_root)
  deadline = attempt.began + _TIMEOUT_S
  is_done = attempt.wait(deadline, images=1)
  seconds = time.monotonic() - attempt.began
  if not is_done and not attempt.wait(deadline):
    attempt.kill()
    raise SoakError(f'stage {stage} took more than {_TIMEOUT_S} s')
  return seconds


def _images(folder: pathlib.Path) -> int:
  """Images at the last whole record of a run; 0 if there is none."""
  try:
    lines = (folder / 'metrics.jsonl').read_bytes().split(b'\n')[:-1]
  except FileNotFoundError:
    return 0
  return json.loads(lines[-1])['images'] if lines else 0


def _killed(config: config_lib.Config, stage: str, run_root: pathlib.Path,
            *, images: int, start_s: float) -> list[int]:
  """Trains with kills.

  Args:
    config: The configuration.
    stage: The stage.
    run_root: Folder of the stages.
    images: Length of the stage.
    start_s: Seconds that a process takes to its first record.

  Returns:
    The images recorded when the kills came.
  """
  draw = random.Random(f'{_KILL_SEED.value} {stage}')
  seen = []
  for number in range(_KILLS.value):
    attempt = _Attempt(config=config, stage=stage, run_root=run_root)
    # In turn: amid the steps, and at any moment of the start; never so late
    # that nothing is left for the kills to come.
    longest = _TIMEOUT_S if number % 2 == 0 else draw.uniform(0.0, start_s)
    share = draw.uniform(0.0, images / (_KILLS.value + 1))
    if attempt.wait(attempt.began + longest, images=1 + share):
      break
    attempt.kill()
    seen.append(_images(run_root / stage))
  _straight(config, stage, run_root)
  return seen


def digest(folder: pathlib.Path) -> tuple[str, int]:
  """sha256 over all tensors of a finished stage, and how many there are."""
  import tensorflow as tf
  name = json.loads((folder / 'finished.json').read_text())['checkpoint']
  reader = tf.train.load_checkpoint(str(folder / 'checkpoints' / name))
  names = sorted(name for name in reader.get_variable_to_shape_map()
                 if not name.startswith('_CHECKPOINTABLE'))
  total = hashlib.sha256()
  for name in names:
    total.update(name.encode())
    total.update(np.ascontiguousarray(reader.get_tensor(name)).tobytes())
  return total.hexdigest(), len(names)


def rows(folder: pathlib.Path) -> list[dict[str, Any]]:
  """The records of a stage without their timings."""
  lines = (folder / 'metrics.jsonl').read_text().splitlines()
  return [{k: v for k, v in json.loads(line).items()
           if not k.startswith('timing/')} for line in lines]


def _compare(stage: str, root: pathlib.Path, kills: list[int]
             ) -> dict[str, Any]:
  one, two = root / 'straight' / stage, root / 'killed' / stage
  (first, count), (second, _) = digest(one), digest(two)
  return {'stage': stage, 'killed_at_images': kills, 'tensors': count,
          'sha256': first[:16], 'same_tensors': first == second,
          'rows': len(rows(one)), 'same_rows': rows(one) == rows(two)}


def main() -> None:
  """Trains, kills, compares; prints a line of JSON per stage.

  Raises:
    SoakError: If anything differs.
  """
  config = stretched(flags_lib.resolve_config(), _STRETCH.value)
  root = pathlib.Path(flags.FLAGS.run_root)
  unknown = sorted(set(_STAGES.value) - set(config_lib.STAGES))
  if unknown:
    raise config_lib.ConfigError(
        f'--stages={unknown[0]}: there is no such stage; choose from '
        f'{", ".join(config_lib.STAGES)}')
  if flags.FLAGS.dry_run:
    print(json.dumps({'stages': _STAGES.value, 'kills': _KILLS.value}))
    return
  for stage in _STAGES.value:  # what they restore may be there already
    for name in ('straight', 'killed'):
      shutil.rmtree(root / name / stage, ignore_errors=True)
  environment.load_tensorflow()
  for module in _PRELOADED:
    importlib.import_module(module)
  kills = {}
  for stage in _STAGES.value:
    start_s = _straight(config, stage, root / 'straight')
    kills[stage] = _killed(
        config, stage, root / 'killed', start_s=start_s,
        images=_images(root / 'straight' / stage))
  results = [_compare(stage, root, kills[stage]) for stage in _STAGES.value]
  for result in results:
    print(json.dumps(result), flush=True)
  bad = [result['stage'] for result in results
         if not (result['same_tensors'] and result['same_rows'])]
  if bad:
    raise SoakError(f'{", ".join(bad)}: the killed run ended differently')


if __name__ == '__main__':
  flags_lib.define_run_flags()
  cli.run(main)
