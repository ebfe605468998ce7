"""Plans: what users may ask for, and what they are told otherwise."""

from __future__ import annotations

import importlib
import pathlib

import pytest

from earsr_tf import config as config_lib
from earsr_tf import presets
from pipelines import plan as plan_lib


def test_demo_makes_everything() -> None:
  plan = plan_lib.make(presets.get('demo'))
  assert plan.root == pathlib.Path('demo').resolve()
  # Its judges read a descriptor that comes with the package.
  assert plan.stages == tuple(
      stage for stage in config_lib.STAGES if stage != 'attributes')
  assert plan.is_complete
  assert plan.world == plan_lib.WORLDS['demo']
  lines = plan_lib.describe(plan).splitlines()
  assert len(lines) == 1 + 3 + len(plan.stages) + 5
  assert f'SyntheticVox of {plan.world.speakers} people' in lines[1]
  assert ' people (20% open-set) x 5 videos' in lines[1]


def test_judges_without_a_descriptor_are_trained() -> None:
  plan = plan_lib.make(presets.get('tiny'))
  assert plan.stages == config_lib.STAGES and plan.is_complete
  some = [stage for stage in config_lib.STAGES if stage != 'attributes']
  assert not plan_lib.make(presets.get('tiny'), stages=some).is_complete


def test_needs_are_those_of_the_stages() -> None:
  config = presets.get('tiny')
  for name in config_lib.STAGES:
    stage = importlib.import_module(f'earsr_tf.stages.{name}').stage(config)
    sources = {s.partition('/')[0] for s in stage.restores.values()}
    # What is restored must be there; needing more only orders the work.
    assert sources <= set(plan_lib.NEEDS[name]), name


def test_every_stage_has_needs() -> None:
  assert tuple(plan_lib.NEEDS) == config_lib.STAGES


def test_stages_are_put_in_order() -> None:
  plan = plan_lib.make(
      presets.get('tiny'), stages=['invert', 'attributes', 'generator'])
  assert plan.stages == ('generator', 'invert', 'attributes')
  assert not plan.is_complete


def test_speakers_change_the_world_only() -> None:
  plan = plan_lib.make(presets.get('demo'), speakers=11)
  assert plan.world.speakers == 11
  assert plan.world.videos == plan_lib.WORLDS['demo'].videos


def test_given_tree(tmp_path: pathlib.Path) -> None:
  plan = plan_lib.make(
      presets.get('paper'), data=str(tmp_path), dataset='voxceleb2')
  assert (plan.world, plan.data) == (None, str(tmp_path))
  assert str(tmp_path) in plan_lib.describe(plan)


def test_where_models_go(tmp_path: pathlib.Path) -> None:
  plan = plan_lib.make(presets.get('demo'), root=str(tmp_path))
  assert plan.push_to == str(tmp_path / 'serving_models')
  assert plan.push_to in plan_lib.describe(plan)
  plan = plan_lib.make(presets.get('demo'), push_to=str(tmp_path))
  assert plan.push_to == str(tmp_path)


REFUSED = (
    ('demo', dict(metadata='here'), '--metadata=here: write mysql://USER@'),
    ('demo', dict(data='nowhere'), '--data=nowhere: there is no such folder'),
    ('demo', dict(data='.', speakers=3), '--speakers=3'),
    ('demo', dict(shards='nowhere'), '--shards=nowhere: there is no such'),
    ('demo', dict(data='.', shards='.'), '--data is a tree to prepare'),
    ('demo', dict(dataset='pairs'), '--dataset=pairs needs --data'),
    ('paper', {}, '--preset=paper trains on real data'),
    ('demo', dict(stages=['inverse']), 'there is no stage inverse'),
    ('demo', dict(stages=['invert']), 'invert needs generator'),
)


@pytest.mark.parametrize('preset, wishes, message', REFUSED)
def test_refuses(preset: str, wishes: dict, message: str) -> None:
  with pytest.raises(config_lib.ConfigError) as error:
    plan_lib.make(presets.get(preset), **wishes)
  assert message in str(error.value)
