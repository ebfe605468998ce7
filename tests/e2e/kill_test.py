"""kill -9 once in every stage, then the same command again: it finishes."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf import config as config_lib
from tests import fakes
from tests import testing


@pytest.fixture(name='data_dir', scope='module')
def _data_dir(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
  folder = tmp_path_factory.mktemp('kill') / 'data'
  fakes.write_data(folder)
  return folder


def _check_finished(folder: pathlib.Path, images: int) -> None:
  """The stage is whole: counted to its end, in order, all weights finite."""
  done = json.loads((folder / 'finished.json').read_text())
  assert done['images'] == images
  lines = [json.loads(line) for line in
           (folder / 'metrics.jsonl').read_text().splitlines()]
  shown = [line['images'] for line in lines]
  assert shown == sorted(set(shown)) and shown[-1] == images
  reader = tf.train.load_checkpoint(
      str(folder / 'checkpoints' / done['checkpoint']))
  shapes = reader.get_variable_to_shape_map()
  assert any('networks' in name for name in shapes)
  for name in shapes:
    if not name.startswith('_CHECKPOINTABLE'):
      assert np.all(np.isfinite(reader.get_tensor(name))), name
  left = {p.name for p in folder.iterdir()}
  assert left == {'checkpoints', 'config.json', 'finished.json',
                  'metrics.jsonl', 'train'}


def test_every_stage_survives_a_kill(
    data_dir: pathlib.Path, tmp_path: pathlib.Path) -> None:
  root = tmp_path / 'runs'
  done = testing.run_module(
      'tests.e2e.kill_driver', str(data_dir), str(root), timeout_s=550)
  assert done.returncode == 0, done.stderr
  attempts = json.loads(done.stdout.splitlines()[-1])
  assert attempts[-1] == {'exit': 0}, done.stderr[-3000:]
  assert sorted(a['killed'] for a in attempts[:-1]) == sorted(
      config_lib.STAGES)
  assert not any(a['finished'] for a in attempts[:-1])
  for stage in config_lib.STAGES:
    _check_finished(root / stage, 48)


@pytest.mark.slow
def test_the_command_itself_survives_a_kill(
    data_dir: pathlib.Path, tmp_path: pathlib.Path) -> None:
  command = [
      sys.executable, '-m', 'earsr_tf.train', '--stage=attributes',
      '--preset=tiny', '--set=model.image_size=16',
      '--set=finetune.phases.1.resolution=16',
      '--set=attributes.phases.0.images=160', f'--data_dir={data_dir}',
      f'--run_root={tmp_path}']
  folder = tmp_path / 'attributes'
  with subprocess.Popen(
      command, cwd=testing.ROOT, start_new_session=True,
      stderr=subprocess.PIPE, text=True) as child:
    deadline = time.monotonic() + 120
    while not (folder / 'checkpoints' / 'checkpoint').exists():
      assert child.poll() is None, child.stderr.read()
      assert time.monotonic() < deadline
      time.sleep(0.01)
    os.killpg(child.pid, signal.SIGKILL)
  assert child.returncode == -signal.SIGKILL
  assert not (folder / 'finished.json').exists()
  done = subprocess.run(
      command, cwd=testing.ROOT, capture_output=True, text=True, check=False)
  assert done.returncode == 0, done.stderr
  assert 'going on from' in done.stderr
  _check_finished(folder, 160)
