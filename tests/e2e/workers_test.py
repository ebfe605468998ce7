"""Workers on this machine, as several people would start them: TF_CONFIG."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf import flags as flags_lib
from earsr_tf import presets
from tests import fakes
from tests import testing
from tests import train_command
from tools import soak

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
_SECONDS = 580
# The stage with the most machinery: growth, R1, averages, w_avg.
_ARGUMENTS = ('--stage=generator', *train_command.SMALL)
_SAVES = ('--set=training.save_every=16', '--set=training.keep=100')
# Images of the first three steps after the first save are spoiled, once.
_SPOILED = """
import runpy
import sys
from earsr_tf import environment
environment.load_tensorflow()
import tensorflow as tf
from earsr_tf.data import keys
from earsr_tf.data import batching

original = batching.TrainingData.batches
streams = []

def batches(self, **options):
  streams.append(options)
  data = original(self, **options)
  if len(streams) > 1:
    return data
  def spoil(batch):
    bad = tf.logical_and(batch[keys.INDEX] >= 16, batch[keys.INDEX] < 28)
    return {**batch, keys.IMAGE_HIGH: tf.where(
        bad[:, None, None, None], float('nan'), batch[keys.IMAGE_HIGH])}
  return data.map(spoil)

batching.TrainingData.batches = batches
runpy.run_module('earsr_tf.train', run_name='__main__', alter_sys=True)
"""


def _long(stage: str) -> tuple[str, ...]:
  """A stage of forty steps or more, some of them saved."""
  return (f'--stage={stage}', *train_command.SMALL, *_SAVES,
          f'--set={stage}.phases.0.images=160')


@pytest.fixture(name='data_dir', scope='module')
def _data_dir(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
  folder = tmp_path_factory.mktemp('workers') / 'data'
  fakes.write_data(folder)
  return folder


def _save_inputs(run_root: pathlib.Path, stage: str) -> None:
  """What a stage restores, with random weights."""
  prefix = '--set='
  fakes.save_inputs(str(run_root), stage, flags_lib.apply_settings(
      presets.get('tiny'), [argument.removeprefix(prefix)
                            for argument in train_command.SMALL
                            if argument.startswith(prefix)]))


def _environments(count: int) -> list[dict[str, str]]:
  """The environment of each worker, with ports that are free now."""
  hosts = [f'127.0.0.1:{port}' for port in testing.free_ports(count)]
  return [dict(os.environ, TF_CONFIG=json.dumps({
      'cluster': {'worker': hosts}, 'task': {'type': 'worker', 'index': i}}))
          for i in range(count)]


def _start(arguments: tuple[str, ...], environment: dict[str, str],
           program: tuple[str, ...]) -> subprocess.Popen[str]:
  return subprocess.Popen(
      [sys.executable, *program, *arguments], cwd=testing.ROOT,
      env=environment, start_new_session=True, stderr=subprocess.PIPE,
      stdout=subprocess.DEVNULL, text=True)


class _Workers:
  """All workers, two unless told; none of them outlives a test."""

  def __init__(self, *arguments: str, count: int = 2,
               other: tuple[str, ...] = (),
               program_of_last: tuple[str, ...] = ('-m', 'earsr_tf.train')
               ) -> None:
    """Starts them, the last one maybe with more flags or another program."""
    *first, last = _environments(count)
    self.processes = [
        *(_start(arguments, each, ('-m', 'earsr_tf.train')) for each in first),
        _start((*arguments, *other), last, program_of_last)]

  def __enter__(self) -> _Workers:
    return self

  def __exit__(self, *_: object) -> None:
    for process in self.processes:
      if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
      process.communicate()

  def wait(self) -> tuple[list[int], list[str]]:
    """Exit codes, and what each said on stderr."""
    said = [process.communicate(timeout=_SECONDS)[1]
            for process in self.processes]
    return [process.returncode for process in self.processes], said

  def wait_for_save(self, folder: pathlib.Path) -> None:
    """Until there is a checkpoint that was not there."""
    before = set(folder.glob('checkpoints/*.index'))
    deadline = time.monotonic() + _SECONDS
    while not set(folder.glob('checkpoints/*.index')) - before:
      assert all(p.poll() is None for p in self.processes), self.wait()
      assert time.monotonic() < deadline
      time.sleep(0.01)


def _tensors(folder: pathlib.Path) -> dict[str, np.ndarray]:
  name = json.loads((folder / 'finished.json').read_text())['checkpoint']
  reader = tf.train.load_checkpoint(str(folder / 'checkpoints' / name))
  return {name: reader.get_tensor(name)
          for name in reader.get_variable_to_shape_map()
          if not name.startswith('_CHECKPOINTABLE')}


def _run(*arguments: str, **options: Any) -> list[str]:
  """All workers to the end."""
  with _Workers(*arguments, **options) as workers:
    codes, said = workers.wait()
    assert set(codes) == {0}, said
    return said


def _check_like_one_process(
    folder: pathlib.Path, root: pathlib.Path, count: int, *arguments: str
    ) -> None:
  """One process with as many replicas trains the same, up to rounding."""
  alone = testing.run_module(
      'earsr_tf.train', *arguments, f'--replicas={count}',
      f'--run_root={root}', timeout_s=_SECONDS)
  assert alone.returncode == 0, alone.stderr
  one, many = _tensors(root / folder.name), _tensors(folder)
  assert one.keys() == many.keys() and len(one) > 40
  worst = max(float(np.max(np.abs(one[name] - many[name]), initial=0.0))
              for name in one)
  print(f'largest difference of {len(one)} tensors: {worst:.2g}')
  assert worst < 1e-4
  stored = json.loads((folder / 'config.json').read_text())
  assert (stored['replicas'], stored['workers']) == (count, count)


# low_res and audio read cached targets, which the chief computes for all.
@pytest.fixture(
    name='undisturbed', scope='module',
    params=['generator', 'low_res', 'audio'])
def _undisturbed(request: pytest.FixtureRequest, data_dir: pathlib.Path,
                 tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
  """The folder of a stage that two workers trained."""
  root, stage = tmp_path_factory.mktemp('undisturbed'), request.param
  _save_inputs(root, stage)
  said = _run(*_long(stage), f'--data_dir={data_dir}', f'--run_root={root}')
  assert 'Traceback' not in ''.join(said)
  assert (root / 'targets').exists() == (stage != 'generator')
  return root / stage


def test_two_workers_train_what_one_process_does(
    data_dir: pathlib.Path, undisturbed: pathlib.Path, tmp_path: pathlib.Path
    ) -> None:
  stage = undisturbed.name
  _save_inputs(tmp_path, stage)
  _check_like_one_process(
      undisturbed, tmp_path, 2, *_long(stage), f'--data_dir={data_dir}')
  assert {p.name for p in undisturbed.iterdir()} == {
      'checkpoints', 'config.json', 'finished.json', 'metrics.jsonl', 'train'}
  assert len(list((undisturbed / 'train').iterdir())) == 1


def test_killed_workers_end_as_undisturbed_ones(
    data_dir: pathlib.Path, undisturbed: pathlib.Path, tmp_path: pathlib.Path
    ) -> None:
  folder = tmp_path / undisturbed.name
  _save_inputs(tmp_path, folder.name)
  arguments = (*_long(folder.name), f'--data_dir={data_dir}',
               f'--run_root={tmp_path}')
  with _Workers(*arguments) as workers:
    workers.wait_for_save(folder)
    for process in workers.processes:
      os.killpg(process.pid, signal.SIGKILL)
  assert not (folder / 'finished.json').exists()
  said = _run(*arguments)
  assert 'going on from ' in said[0] and 'going on' not in said[1]
  assert soak.digest(folder) == soak.digest(undisturbed)
  assert soak.rows(folder) == soak.rows(undisturbed)


def test_three_workers_train_what_one_process_does(
    data_dir: pathlib.Path, tmp_path: pathlib.Path) -> None:
  arguments = (
      *_long('attributes'), '--set=attributes.phases.0.batch_size=6',
      f'--data_dir={data_dir}')
  _run(*arguments, f'--run_root={tmp_path / "three"}', count=3)
  _check_like_one_process(
      tmp_path / 'three/attributes', tmp_path / 'one', 3, *arguments)


def test_a_fault_in_one_worker_takes_both_back_and_leaves_no_trace(
    data_dir: pathlib.Path, tmp_path: pathlib.Path) -> None:
  arguments = (*_long('attributes'), f'--data_dir={data_dir}',
               '--set=training.max_skipped_in_a_row=2')
  _run(*arguments, f'--run_root={tmp_path / "clean"}')
  said = _run(*arguments, f'--run_root={tmp_path / "faulty"}',
              program_of_last=('-c', _SPOILED))
  assert 'back to ' in said[0], said
  clean, faulty = tmp_path / 'clean/attributes', tmp_path / 'faulty/attributes'
  done = json.loads((faulty / 'finished.json').read_text())
  assert (done['rollbacks'], done['skipped']) == (1, 0)
  assert soak.digest(faulty) == soak.digest(clean)
  assert soak.rows(faulty) == soak.rows(clean)


def test_a_signal_to_one_worker_stops_all_and_saves(
    data_dir: pathlib.Path, tmp_path: pathlib.Path) -> None:
  arguments = (*_ARGUMENTS, '--set=generator.phases.0.images=4000',
               f'--data_dir={data_dir}', f'--run_root={tmp_path}')
  with _Workers(*arguments) as workers:
    workers.wait_for_save(tmp_path / 'generator')
    os.kill(workers.processes[1].pid, signal.SIGTERM)
    codes, said = workers.wait()
  assert codes == [42, 42], said
  assert 'stopped by a signal to another worker after step' in said[0]
  assert 'stopped by SIGTERM after step' in said[1]
  lines = (tmp_path / 'generator' / 'metrics.jsonl').read_text().splitlines()
  last = json.loads(lines[-1])['images']
  assert (tmp_path / f'generator/checkpoints/ckpt-{last}.index').exists()


@pytest.mark.parametrize('dies', [0, 1])
def test_the_death_of_a_worker_ends_the_other_with_a_sentence(
    data_dir: pathlib.Path, tmp_path: pathlib.Path, dies: int) -> None:
  arguments = (*_ARGUMENTS, '--set=generator.phases.0.images=400000',
               f'--data_dir={data_dir}', f'--run_root={tmp_path}')
  with _Workers(*arguments) as workers:
    workers.wait_for_save(tmp_path / 'generator')
    os.killpg(workers.processes[dies].pid, signal.SIGKILL)
    began = time.monotonic()
    codes, said = workers.wait()
  seconds = time.monotonic() - began
  told = [line for line in said[1 - dies].splitlines()
          if line.startswith('error: ')]
  print(f'{seconds:.1f} s after the end of worker {dies}: {told}')
  assert codes[dies] == -signal.SIGKILL and codes[1 - dies] == 69, said
  assert len(told) == 1 and f'worker:{dies} (127.0.0.1:' in told[0]
  assert 'Traceback' not in said[1 - dies]


def test_workers_of_different_commands_are_refused(
    data_dir: pathlib.Path, tmp_path: pathlib.Path) -> None:
  with _Workers(*_ARGUMENTS, f'--data_dir={data_dir}', f'--run_root={tmp_path}',
             other=('--seed=7',)) as workers:
    codes, said = workers.wait()
  assert codes == [2, 2], said
  for text in said:
    assert 'has another configuration than worker:0 (' in text
  assert not (tmp_path / 'generator').exists()


def test_a_worker_says_for_whom_it_waits_and_hears_ctrl_c(
    data_dir: pathlib.Path, tmp_path: pathlib.Path) -> None:
  arguments = (*_ARGUMENTS, f'--data_dir={data_dir}', f'--run_root={tmp_path}')
  with _start(arguments, _environments(2)[0], ('-m', 'earsr_tf.train')) as one:
    line = next(line for line in one.stderr if 'waiting for' in line)
    one.send_signal(signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired):
      one.wait(180)
    one.kill()  # does nothing once it has ended
  assert one.returncode == -signal.SIGINT
  assert 'waiting for worker:1 (127.0.0.1:' in line
