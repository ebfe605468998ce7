"""Tests of earsr_tf.training.checkpoints: what stages hand to each other."""

from __future__ import annotations

import dataclasses
import json
import pathlib

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf import durable
from earsr_tf.stages import networks as networks_lib
from earsr_tf.training import checkpoints
from tests import fakes

CONFIG = fakes.small_config()


def _wider(config=CONFIG):
  return dataclasses.replace(config, model=dataclasses.replace(
      config.model, fusion_hidden=24))


def _fusion(config=CONFIG) -> tf.keras.Model:
  return networks_lib.fusion(config.model)


def test_write_json_leaves_no_partial_file(tmp_path: pathlib.Path) -> None:
  path = tmp_path / 'a' / 'b.json'
  durable.write_json(path, {'x': [1, 2.5]})
  durable.write_json(path, {'x': [1, 3.5]})
  assert json.loads(path.read_text()) == {'x': [1, 3.5]}
  assert [p.name for p in path.parent.iterdir()] == ['b.json']


def test_a_stage_is_finished_when_its_last_file_is_there(
    tmp_path: pathlib.Path) -> None:
  assert not checkpoints.is_finished(str(tmp_path), 'invert')
  durable.write_json(
      tmp_path / 'invert' / 'finished.json', {'checkpoint': 'ckpt-1'})
  assert checkpoints.is_finished(str(tmp_path), 'invert')
  checkpoints.check_finished(str(tmp_path), ['invert'], 'tiny')


def test_a_missing_stage_names_the_command(tmp_path: pathlib.Path) -> None:
  with pytest.raises(checkpoints.CheckpointError) as error:
    checkpoints.check_finished(str(tmp_path), ['finetune'], 'bench')
  assert str(error.value) == (
      f'stage finetune has not been trained in {tmp_path}; run: python -m '
      'earsr_tf.train --stage=finetune --preset=bench '
      f'--run_root={tmp_path}')


@pytest.mark.parametrize('old, new, rows', [
    ({'a': 1}, {'a': 1}, []),
    ({'a': 1}, {'a': 2}, ['a: 1 -> 2']),
    ({'a': {'b': 1, 'c': 2}}, {'a': {'b': 1, 'c': 3}}, ['a.c: 2 -> 3']),
    ({}, {'a': 0.5}, ['a: None -> 0.5']),
    ({'a': 0.5}, {}, ['a: 0.5 -> None']),
    ({'p': [{'n': 1}, {'n': 2}]}, {'p': [{'n': 1}, {'n': 3}]},
     ['p.1.n: 2 -> 3']),
    ({'p': [1]}, {'p': [1, 2]}, ['p: [1] -> [1, 2]']),
])
def test_differences(old: dict, new: dict, rows: list[str]) -> None:
  assert checkpoints.differences(old, new) == rows


def test_claim_stores_the_whole_configuration(tmp_path: pathlib.Path) -> None:
  stage = fakes.stage('invert')
  folder = checkpoints.claim(
      str(tmp_path), stage, CONFIG, {'command': 'train'})
  stored = json.loads((folder / 'config.json').read_text())
  assert (stored['stage'], stored['equation'], stored['command']) == (
      'invert', 'Eq. (1)', 'train')
  assert checkpoints.load_config(str(tmp_path), 'invert') == CONFIG


def test_claim_again_is_harmless_for_the_same_run(
    tmp_path: pathlib.Path) -> None:
  stage = fakes.stage('invert')
  checkpoints.claim(str(tmp_path), stage, CONFIG, {'n': 1})
  before = (tmp_path / 'invert' / 'config.json').read_bytes()
  # How a run reports is no part of what it computes.
  other = dataclasses.replace(CONFIG, training=dataclasses.replace(
      CONFIG.training, log_every=3.0))
  checkpoints.claim(str(tmp_path), stage, other, {'n': 2})
  assert (tmp_path / 'invert' / 'config.json').read_bytes() == before


@pytest.mark.parametrize('part, field, value, words', [
    ('model', 'latent_dim', 16, 'model.latent_dim: 8 -> 16'),
    ('invert', 'l1_weight', 2.0, 'invert.l1_weight: 1.0 -> 2.0')])
def test_another_configuration_is_refused_with_the_difference(
    tmp_path: pathlib.Path, part: str, field: str, value: object,
    words: str) -> None:
  stage = fakes.stage('invert')
  checkpoints.claim(str(tmp_path), stage, CONFIG, {})
  other = dataclasses.replace(CONFIG, **{part: dataclasses.replace(
      getattr(CONFIG, part), **{field: value})})
  with pytest.raises(checkpoints.CheckpointError) as error:
    checkpoints.claim(str(tmp_path), stage, other, {})
  assert words in str(error.value)
  assert '--restart' in str(error.value) and '\n' not in str(error.value)


def test_another_seed_is_refused(tmp_path: pathlib.Path) -> None:
  stage = fakes.stage('invert')
  checkpoints.claim(str(tmp_path), stage, CONFIG, {})
  with pytest.raises(checkpoints.CheckpointError, match='seed: 1000 -> 1'):
    checkpoints.claim(
        str(tmp_path), stage, dataclasses.replace(CONFIG, seed=1), {})


@pytest.mark.parametrize('text', ['', '{', '[]', '{"stage": "x"}'])
def test_a_damaged_config_is_a_sentence(
    tmp_path: pathlib.Path, text: str) -> None:
  path = tmp_path / 'invert' / 'config.json'
  path.parent.mkdir()
  path.write_text(text)
  with pytest.raises(checkpoints.CheckpointError) as error:
    checkpoints.load_config(str(tmp_path), 'invert')
  assert str(path) in str(error.value)
  with pytest.raises(checkpoints.CheckpointError):
    checkpoints.claim(str(tmp_path), fakes.stage('invert'), CONFIG, {})


def test_a_config_from_another_version_is_a_sentence(
    tmp_path: pathlib.Path) -> None:
  checkpoints.claim(str(tmp_path), fakes.stage('invert'), CONFIG, {})
  path = tmp_path / 'invert' / 'config.json'
  values = json.loads(path.read_text())
  values['config']['model']['gone'] = 1
  path.write_text(json.dumps(values))
  with pytest.raises(ValueError, match='ModelConfig.gone'):
    checkpoints.load_config(str(tmp_path), 'invert')


def test_load_config_of_a_stage_that_is_not_there(
    tmp_path: pathlib.Path) -> None:
  with pytest.raises(checkpoints.CheckpointError, match='--stage=audio'):
    checkpoints.load_config(str(tmp_path), 'audio')


def test_networks_come_back_bit_by_bit(tmp_path: pathlib.Path) -> None:
  tf.keras.utils.set_random_seed(1)
  saved = _fusion()
  tf.keras.utils.set_random_seed(2)
  loaded = _fusion()
  assert any(np.any(a != b) for a, b in zip(
      saved.get_weights(), loaded.get_weights()))
  checkpoints.save_networks(
      str(tmp_path), 'fusion', {'fusion': saved}, CONFIG)
  assert checkpoints.is_finished(str(tmp_path), 'fusion')
  assert checkpoints.load_config(str(tmp_path), 'fusion') == CONFIG
  checkpoints.restore_networks(
      {'mine': loaded}, {'mine': 'fusion/fusion'}, str(tmp_path))
  for a, b in zip(saved.get_weights(), loaded.get_weights(), strict=True):
    np.testing.assert_array_equal(a, b)


def test_two_networks_may_come_from_one_source(
    tmp_path: pathlib.Path) -> None:
  saved, one, two = _fusion(), _fusion(), _fusion()
  checkpoints.save_networks(
      str(tmp_path), 'fusion', {'fusion': saved}, CONFIG)
  checkpoints.restore_networks(
      {'one': one, 'two': two},
      {'one': 'fusion/fusion', 'two': 'fusion/fusion'}, str(tmp_path))
  for a, b, c in zip(*(m.get_weights() for m in (saved, one, two))):
    np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(a, c)


def test_an_unfinished_source_names_the_command(
    tmp_path: pathlib.Path) -> None:
  with pytest.raises(checkpoints.CheckpointError) as error:
    checkpoints.restore_networks(
        {'fusion': _fusion()}, {'fusion': 'fusion/fusion'}, str(tmp_path))
  assert '--stage=fusion' in str(error.value)


def test_another_shape_is_a_checkpoint_error(tmp_path: pathlib.Path) -> None:
  checkpoints.save_networks(
      str(tmp_path), 'fusion', {'fusion': _fusion()}, CONFIG)
  with pytest.raises(checkpoints.CheckpointError) as error:
    checkpoints.restore_networks(
        {'fusion': _fusion(_wider())}, {'fusion': 'fusion/fusion'},
        str(tmp_path))
  assert 'fusion/fusion' in str(error.value)
  assert 'another model configuration' in str(error.value)
  assert '\n' not in str(error.value)


def test_an_absent_network_is_named(tmp_path: pathlib.Path) -> None:
  checkpoints.save_networks(
      str(tmp_path), 'finetune', {'generator': _fusion()}, CONFIG)
  assert checkpoints.stored_networks(
      str(tmp_path), 'finetune') == {'generator'}
  with pytest.raises(checkpoints.CheckpointError, match='no image_encoder'):
    checkpoints.restore_networks(
        {'e': _fusion()}, {'e': 'finetune/image_encoder'}, str(tmp_path))


def test_a_missing_variable_is_a_checkpoint_error(
    tmp_path: pathlib.Path) -> None:
  shallow = dataclasses.replace(CONFIG.model, fusion_layers=2)
  checkpoints.save_networks(
      str(tmp_path), 'fusion',
      {'fusion': networks_lib.fusion(shallow)}, CONFIG)
  with pytest.raises(checkpoints.CheckpointError):
    checkpoints.restore_networks(
        {'fusion': _fusion()}, {'fusion': 'fusion/fusion'}, str(tmp_path))


def test_a_missing_network_is_a_checkpoint_error(
    tmp_path: pathlib.Path) -> None:
  checkpoints.save_networks(
      str(tmp_path), 'fusion', {'fusion': _fusion()}, CONFIG)
  with pytest.raises(checkpoints.CheckpointError):
    checkpoints.restore_networks(
        {'a': _fusion()}, {'a': 'fusion/audio_encoder'}, str(tmp_path))


@pytest.mark.parametrize('damage', ['cut', 'no index', 'no data'])
def test_a_damaged_checkpoint_is_a_checkpoint_error(
    tmp_path: pathlib.Path, damage: str) -> None:
  checkpoints.save_networks(
      str(tmp_path), 'fusion', {'fusion': _fusion()}, CONFIG)
  folder = tmp_path / 'fusion' / 'checkpoints'
  data, index = next(folder.glob('*.data*')), next(folder.glob('*.index'))
  if damage == 'cut':
    data.write_bytes(data.read_bytes()[:100])
  else:
    (index if damage == 'no index' else data).unlink()
  with pytest.raises(checkpoints.CheckpointError) as error:
    checkpoints.restore_networks(
        {'fusion': _fusion()}, {'fusion': 'fusion/fusion'}, str(tmp_path))
  assert '\n' not in str(error.value)
