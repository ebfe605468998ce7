"""Two workers on this machine, as two people would start them: TF_CONFIG."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf

from tests import fakes
from tests import testing
from tests import train_command
from tools import soak

pytestmark = pytest.mark.slow
_SECONDS = 280
# The stage with the most machinery: growth, R1, averages, w_avg.
_ARGUMENTS = ('--stage=generator', *train_command.SMALL)
_LONG = ('--set=generator.phases.0.images=160', '--set=training.save_every=16',
         '--set=training.keep=100')


@pytest.fixture(name='data_dir', scope='module')
def _data_dir(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
  folder = tmp_path_factory.mktemp('workers') / 'data'
  fakes.write_data(folder)
  return folder


def _config(count: int = 2) -> list[dict[str, str]]:
  """The environment of each worker, with ports that are free now."""
  sockets = [socket.socket() for _ in range(count)]
  for each in sockets:
    each.bind(('127.0.0.1', 0))
  hosts = [f'127.0.0.1:{each.getsockname()[1]}' for each in sockets]
  for each in sockets:
    each.close()
  return [dict(os.environ, TF_CONFIG=json.dumps({
      'cluster': {'worker': hosts}, 'task': {'type': 'worker', 'index': i}}))
          for i in range(count)]


def _start(arguments: tuple[str, ...], environment: dict[str, str]
           ) -> subprocess.Popen[str]:
  return subprocess.Popen(
      [sys.executable, '-m', 'earsr_tf.train', *arguments], cwd=testing.ROOT,
      env=environment, start_new_session=True, stderr=subprocess.PIPE,
      stdout=subprocess.DEVNULL, text=True)


class _Pair:
  """Both workers; none of them outlives a test."""

  def __init__(self, *arguments: str, other: tuple[str, ...] = ()) -> None:
    chief, worker = _config()
    self.processes = [_start(arguments, chief),
                      _start((*arguments, *other), worker)]

  def __enter__(self) -> _Pair:
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


def _run(*arguments: str) -> list[str]:
  """Both workers to the end."""
  with _Pair(*arguments) as pair:
    codes, said = pair.wait()
    assert codes == [0, 0], said
    return said


@pytest.fixture(name='undisturbed', scope='module')
def _undisturbed(data_dir: pathlib.Path, tmp_path_factory) -> pathlib.Path:
  """The folder of a stage that two workers trained."""
  root = tmp_path_factory.mktemp('undisturbed')
  said = _run(*_ARGUMENTS, *_LONG, f'--data_dir={data_dir}',
              f'--run_root={root}')
  assert 'Traceback' not in ''.join(said)
  return root / 'generator'


def test_two_workers_train_what_one_process_does(
    data_dir: pathlib.Path, undisturbed: pathlib.Path, tmp_path: pathlib.Path
    ) -> None:
  alone = testing.run_module(
      'earsr_tf.train', *_ARGUMENTS, *_LONG, '--replicas=2',
      f'--data_dir={data_dir}', f'--run_root={tmp_path}')
  assert alone.returncode == 0, alone.stderr
  one, two = _tensors(tmp_path / 'generator'), _tensors(undisturbed)
  assert one.keys() == two.keys() and len(one) > 100
  worst = max(float(np.max(np.abs(one[name] - two[name]), initial=0.0))
              for name in one)
  print(f'largest difference of {len(one)} tensors: {worst:.2g}')
  assert worst < 1e-4
  stored = json.loads((undisturbed / 'config.json').read_text())
  assert (stored['replicas'], stored['workers']) == (2, 2)
  assert {p.name for p in undisturbed.iterdir()} == {
      'checkpoints', 'config.json', 'finished.json', 'metrics.jsonl', 'train'}
  assert len(list((undisturbed / 'train').iterdir())) == 1


def test_killed_workers_end_as_undisturbed_ones(
    data_dir: pathlib.Path, undisturbed: pathlib.Path, tmp_path: pathlib.Path
    ) -> None:
  arguments = (*_ARGUMENTS, *_LONG, f'--data_dir={data_dir}',
               f'--run_root={tmp_path}')
  with _Pair(*arguments) as pair:
    pair.wait_for_save(tmp_path / 'generator')
    for process in pair.processes:
      os.killpg(process.pid, signal.SIGKILL)
  assert not (tmp_path / 'generator' / 'finished.json').exists()
  said = _run(*arguments)
  assert 'going on from ' in said[0] and 'going on' not in said[1]
  assert soak.digest(tmp_path / 'generator') == soak.digest(undisturbed)
  assert soak.rows(tmp_path / 'generator') == soak.rows(undisturbed)


def test_a_signal_to_one_worker_stops_all_and_saves(
    data_dir: pathlib.Path, tmp_path: pathlib.Path) -> None:
  arguments = (*_ARGUMENTS, '--set=generator.phases.0.images=4000',
               f'--data_dir={data_dir}', f'--run_root={tmp_path}')
  with _Pair(*arguments) as pair:
    pair.wait_for_save(tmp_path / 'generator')
    os.kill(pair.processes[1].pid, signal.SIGTERM)
    codes, said = pair.wait()
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
  with _Pair(*arguments) as pair:
    pair.wait_for_save(tmp_path / 'generator')
    os.killpg(pair.processes[dies].pid, signal.SIGKILL)
    began = time.monotonic()
    codes, said = pair.wait()
  seconds = time.monotonic() - began
  told = [line for line in said[1 - dies].splitlines()
          if line.startswith('error: ')]
  print(f'{seconds:.1f} s after the end of worker {dies}: {told}')
  assert codes[dies] == -signal.SIGKILL and codes[1 - dies] == 69, said
  assert len(told) == 1 and f'worker:{dies} (127.0.0.1:' in told[0]
  assert 'Traceback' not in said[1 - dies]


def test_workers_of_different_commands_are_refused(
    data_dir: pathlib.Path, tmp_path: pathlib.Path) -> None:
  with _Pair(*_ARGUMENTS, f'--data_dir={data_dir}', f'--run_root={tmp_path}',
             other=('--seed=7',)) as pair:
    codes, said = pair.wait()
  assert codes == [2, 2], said
  for text in said:
    assert 'has another configuration than worker:0 (' in text
  assert not (tmp_path / 'generator').exists()
