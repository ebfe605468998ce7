"""kill -9 amid training, then the same command again: the same bits."""

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

# tiny on 16x16 pictures: what the fake shards hold.
_SMALL = (
    '--preset=tiny', '--set=model.image_size=16', '--set=model.low_res_size=4',
    '--set=model.latent_dim=8', '--set=model.classifier_side=0',
    '--set=model.audio_filters=2', '--set=model.audio_max_filters=4',
    '--set=finetune.phases.1.resolution=16')


@pytest.fixture(name='data_dir', scope='module')
def _data_dir(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
  folder = tmp_path_factory.mktemp('kill') / 'data'
  fakes.write_data(folder)
  return folder


def _check_finished(folder: pathlib.Path) -> None:
  """The stage is whole: counted to its end, in order, all weights finite."""
  done = json.loads((folder / 'finished.json').read_text())
  lines = [json.loads(line) for line in
           (folder / 'metrics.jsonl').read_text().splitlines()]
  shown = [line['images'] for line in lines]
  assert shown == list(range(4, done['images'] + 1, 4))
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
  assert not list((folder / 'checkpoints').glob('*temp*'))


@pytest.mark.timeout(1500)
@pytest.mark.parametrize('kills, replicas, stages', [
    # What a kill can do is the same for all; what a stage restores, and that
    # it ends with the same bits, is conformance/resume_test's.
    (1, 1, ('generator', 'attributes')),
    pytest.param(2, 2, config_lib.STAGES, marks=pytest.mark.slow)])
def test_killed_stages_end_as_undisturbed_ones(
    data_dir: pathlib.Path, tmp_path: pathlib.Path, kills: int, replicas: int,
    stages: tuple[str, ...]) -> None:
  done = testing.run_module(
      'tools.soak', *_SMALL, f'--data_dir={data_dir}',
      f'--run_root={tmp_path}', f'--kills={kills}', f'--replicas={replicas}',
      f'--stages={",".join(stages)}', '--stretch=3', timeout_s=1400)
  assert done.returncode == 0, done.stderr[-3000:]
  results = [json.loads(line) for line in done.stdout.splitlines()]
  assert [result['stage'] for result in results] == list(stages)
  for result in results:
    assert result['same_tensors'] and result['same_rows']
    assert len(result['killed_at_images']) >= 1
    # The first kill finds every stage at work.
    assert 0 < result['killed_at_images'][0] <= 4 * result['rows']
    assert result['tensors'] > 20
    _check_finished(tmp_path / 'killed' / result['stage'])


class _Command:
  """`python -m earsr_tf.train --stage=attributes` as a user starts it."""

  def __init__(self, data_dir: pathlib.Path, run_root: pathlib.Path) -> None:
    self._command = [
        sys.executable, '-m', 'earsr_tf.train', '--stage=attributes', *_SMALL,
        '--set=attributes.phases.0.images=1600', f'--data_dir={data_dir}',
        f'--run_root={run_root}']
    self.folder = run_root / 'attributes'

  def start(self) -> subprocess.Popen[str]:
    """Starts it and waits until it has saved a checkpoint."""
    before = set(self.folder.glob('checkpoints/*.index'))
    child = subprocess.Popen(
        self._command, cwd=testing.ROOT, start_new_session=True,
        stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not set(self.folder.glob('checkpoints/*.index')) - before:
      assert child.poll() is None, child.stderr.read()
      assert time.monotonic() < deadline
      time.sleep(0.01)
    return child

  def run(self) -> subprocess.CompletedProcess[str]:
    """Starts it and waits for its end."""
    return subprocess.run(
        self._command, cwd=testing.ROOT, capture_output=True, text=True,
        check=False)


@pytest.mark.slow
def test_the_command_survives_a_kill_and_obeys_a_signal(
    data_dir: pathlib.Path, tmp_path: pathlib.Path) -> None:
  command = _Command(data_dir, tmp_path)
  with command.start() as child:
    second = command.run()
    assert second.returncode == 2
    assert f'process {child.pid} on ' in second.stderr
    assert second.stderr.count('\n') == 1
    os.killpg(child.pid, signal.SIGKILL)
  assert child.returncode == -signal.SIGKILL
  assert not (command.folder / 'finished.json').exists()

  with command.start() as child:
    os.kill(child.pid, signal.SIGTERM)
    told = child.stderr.read()
  assert child.returncode == 42
  assert 'stopped: stage attributes: stopped by SIGTERM after step' in told
  assert 'Traceback' not in told
  lines = (command.folder / 'metrics.jsonl').read_text().splitlines()
  last = json.loads(lines[-1])['images']
  assert (command.folder / f'checkpoints/ckpt-{last}.index').exists()

  done = command.run()
  assert done.returncode == 0, done.stderr
  assert f'going on from {command.folder}/checkpoints/ckpt-{last} ' in (
      done.stderr)
  _check_finished(command.folder)
