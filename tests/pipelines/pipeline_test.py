"""Caching, failure and resumption of the pipeline, with the work left out."""

from __future__ import annotations

import dataclasses
import os
import pathlib

import pytest

from earsr_tf import flags as flags_lib
from earsr_tf import presets
from pipelines import executors
from pipelines import fingerprint
from pipelines import gates
from pipelines import local_runner
from pipelines import pipeline
from pipelines import plan as plan_lib

STAGES = ('Generator', 'Invert', 'Finetune', 'LowRes', 'Audio', 'Fusion',
          'Attributes')
ALL = ('MakeSynthetic', 'Prepare', 'Validate', *STAGES, 'Evaluate', 'Bless',
       'Export', 'InfraValidate', 'Push', 'SuperResolve')


class _Work:
  """Stands in for the executors and notes what ran."""

  def __init__(self, monkeypatch: pytest.MonkeyPatch):
    self.done: list[str] = []
    self.fail_at = ''
    for name in ('make_synthetic', 'use_tree', 'prepare', 'evaluate', 'export',
                 'super_resolve'):
      monkeypatch.setattr(executors, name, self._stand_in(name))
    for name in ('validate', 'bless', 'infra_validate', 'push'):
      monkeypatch.setattr(gates, name, self._stand_in(name))
    monkeypatch.setattr(
        executors, 'train', lambda stage, *args, **kwargs: self._do(stage))
    self.code = {'earsr_tf.evaluate': 'a'}
    monkeypatch.setattr(
        fingerprint, 'code',
        lambda *modules: self.code.get(modules[0], 'same'))

  def _stand_in(self, name: str):
    return lambda *args, **kwargs: self._do(name)

  def _do(self, name: str) -> None:
    if name == self.fail_at:
      raise ValueError(f'{name} is broken')
    self.done.append(name)

  def run(self, plan: plan_lib.Plan) -> list[str]:
    """Returns what ran."""
    self.done = []
    local_runner.run(pipeline.make(plan))
    return self.done


@pytest.fixture(name='work')
def _work(monkeypatch: pytest.MonkeyPatch) -> _Work:
  return _Work(monkeypatch)


def _plan(root: pathlib.Path, **wishes: object) -> plan_lib.Plan:
  return plan_lib.make(presets.get('tiny'), root=str(root), **wishes)


def _set(plan: plan_lib.Plan, setting: str) -> plan_lib.Plan:
  config = flags_lib.apply_settings(plan.config, [setting])
  return dataclasses.replace(plan, config=config)


def _states(root: pathlib.Path) -> dict[str, str]:
  return {step.name: step.state for step in local_runner.last_run(root)}


def test_runs_all_then_nothing_then_what_changed(
    work: _Work, tmp_path: pathlib.Path) -> None:
  plan = _plan(tmp_path)
  assert len(work.run(plan)) == len(ALL)
  assert _states(tmp_path) == dict.fromkeys(ALL, 'COMPLETE')

  assert not work.run(plan)
  assert _states(tmp_path) == dict.fromkeys(ALL, 'CACHED')

  ran = work.run(_set(plan, 'fusion.code_weight=0.5'))
  # What lies between is in either order.
  assert sorted(ran) == sorted([
      'fusion', 'evaluate', 'bless', 'export', 'infra_validate', 'push',
      'super_resolve'])

  work.code['earsr_tf.evaluate'] = 'b'  # edited
  assert sorted(work.run(plan)) == [
      'bless', 'evaluate', 'push', 'super_resolve']
  # Thresholds cost no evaluation, and no training.
  assert sorted(work.run(_set(plan, 'blessing.least_psnr_gain=1.0'))) == [
      'bless', 'push']
  assert work.run(_set(plan, 'schema.least_clips=2')) == ['validate']
  # How a stage runs is no part of what it computes.
  assert not work.run(_set(plan, 'training.log_every=7.0'))


def test_failure_is_recorded_and_the_rest_is_reused(
    work: _Work, tmp_path: pathlib.Path) -> None:
  plan = _plan(tmp_path)
  work.fail_at = 'finetune'
  with pytest.raises(ValueError, match='finetune is broken'):
    work.run(plan)
  assert _states(tmp_path) == {
      'MakeSynthetic': 'COMPLETE', 'Prepare': 'COMPLETE',
      'Validate': 'COMPLETE', 'Generator': 'COMPLETE', 'Invert': 'COMPLETE',
      'Finetune': 'FAILED',
      **({'Attributes': 'COMPLETE'} if 'attributes' in work.done else {})}
  work.fail_at = ''
  assert 'generator' not in work.run(plan)
  assert work.done[0] == 'finetune'


def test_interrupt_leaves_finished_work(
    work: _Work, monkeypatch: pytest.MonkeyPatch,
    tmp_path: pathlib.Path) -> None:
  plan = _plan(tmp_path, stages=['generator', 'invert'])
  good = executors.train

  def interrupted(stage, *args, **kwargs):
    if stage == 'invert':
      raise KeyboardInterrupt
    good(stage, *args, **kwargs)
  monkeypatch.setattr(executors, 'train', interrupted)
  with pytest.raises(KeyboardInterrupt):
    work.run(plan)
  monkeypatch.setattr(executors, 'train', good)
  assert work.run(plan) == ['invert']


def test_some_stages_end_without_results(
    work: _Work, tmp_path: pathlib.Path) -> None:
  ran = work.run(_plan(tmp_path, stages=['generator', 'invert']))
  assert ran == [
      'make_synthetic', 'prepare', 'validate', 'generator', 'invert']


def test_given_tree_is_watched(work: _Work, tmp_path: pathlib.Path) -> None:
  tree = tmp_path / 'tree'
  tree.mkdir()
  plan = _plan(tmp_path / 'root', data=str(tree), stages=['generator'])
  assert work.run(plan) == [
      'use_tree', 'prepare', 'validate', 'generator']
  assert not work.run(plan)
  (tree / 'new.mp4').write_bytes(b'1')
  os.utime(tree / 'new.mp4', (1, 1))
  assert work.run(plan) == [
      'use_tree', 'prepare', 'validate', 'generator']


def test_cached_targets_are_a_setting_of_the_stages_that_read_them(
    tmp_path: pathlib.Path) -> None:
  one = _plan(tmp_path).config
  two = _set(_plan(tmp_path), 'training.cached_targets=false').config
  changed = {stage for stage in plan_lib.NEEDS if pipeline.stage_settings(
      one, stage) != pipeline.stage_settings(two, stage)}
  assert changed == {'low_res', 'audio', 'fusion'}


def test_refused_data_train_nothing(
    work: _Work, tmp_path: pathlib.Path) -> None:
  plan = _plan(tmp_path, stages=['generator'])
  work.fail_at = 'validate'
  with pytest.raises(ValueError, match='validate is broken'):
    work.run(plan)
  assert work.done == ['make_synthetic', 'prepare']
  work.fail_at = ''
  assert work.run(plan) == ['validate', 'generator']
