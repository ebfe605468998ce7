"""Tests of what the commands say when memory runs out, by injection."""

from __future__ import annotations

import pathlib

import pytest
import tensorflow as tf

from earsr_tf import cli
from earsr_tf import evaluate
from earsr_tf import export
from earsr_tf.evaluation import evaluator
from earsr_tf.training import checkpoints
from earsr_tf.training import step as step_lib
from tests import fakes
from tests import run_folder
from tests import train_command

_MESSAGE = ('OOM when allocating tensor with shape[64,128] and type float on '
            '/job:localhost/replica:0/task:0/device:GPU:0 by allocator GPU_0')


def _exhausted(*unused_args: object, **unused_kwargs: object) -> None:
  raise tf.errors.ResourceExhaustedError(None, None, _MESSAGE)


def test_training_names_the_batch_size(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str]) -> None:
  fakes.write_data(tmp_path / 'data')
  monkeypatch.setattr(
      step_lib, 'compile_update', lambda *args, **kwargs: _exhausted)
  assert train_command.main(
      '--stage=attributes', *train_command.SMALL,
      f'--data_dir={tmp_path / "data"}', f'--run_root={tmp_path}') == 71
  told = capsys.readouterr().err
  assert ('error: stage attributes: out of memory (no room for float '
          '[64,128]); use --micro_batch=2, with which the run goes on, or '
          '--set=attributes.phases.0.batch_size=2 instead of 4 '
          ) in told
  assert 'Traceback' not in told


def test_evaluation_names_the_batch_size(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str]) -> None:
  data = run_folder.write_data(tmp_path / 'data')
  (tmp_path / 'runs' / 'fusion').mkdir(parents=True)
  monkeypatch.setattr(evaluator, 'evaluate', _exhausted)
  assert cli.guard(lambda: evaluate.run(
      str(tmp_path / 'runs'), data, batch_size=16)) == 71
  assert 'use --batch_size=8 instead of 16' in capsys.readouterr().err
  assert not (tmp_path / 'runs' / 'evaluation').exists()


def test_export_ends_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str]) -> None:
  (tmp_path / 'runs' / 'fusion').mkdir(parents=True)
  monkeypatch.setattr(checkpoints, 'load_config', _exhausted)
  assert cli.guard(lambda: export.run(
      str(tmp_path / 'runs'), str(tmp_path / 'models'))) == 71
  told = capsys.readouterr().err
  assert told.startswith('error: export of ') and told.count('\n') == 1
  assert not (tmp_path / 'models').exists()
