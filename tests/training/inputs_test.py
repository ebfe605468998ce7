"""Tests of earsr_tf.training.inputs: what a stage may build on."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import pathlib

import pytest

from earsr_tf import durable
from earsr_tf.stages import networks as networks_lib
from earsr_tf.training import checkpoints
from earsr_tf.training import inputs
from tests import fakes

CONFIG = fakes.small_config()
_OURS, _OTHER = 'a' * 64, 'b' * 64


@pytest.fixture(name='run_root')
def _run_root(tmp_path: pathlib.Path) -> str:
  """A finished `finetune`, which names its data."""
  checkpoints.save_networks(
      str(tmp_path), 'finetune',
      {'image_encoder': networks_lib.image_encoder(CONFIG.model)}, CONFIG)
  path = tmp_path / 'finetune' / 'config.json'
  durable.write_json(path, {
      **json.loads(path.read_text()), 'manifest_sha256': _OURS})
  return str(tmp_path)


def _wider():
  return dataclasses.replace(CONFIG, model=dataclasses.replace(
      CONFIG.model, fusion_hidden=24))


def test_inputs_that_belong_together_are_taken(
    run_root: str, caplog: pytest.LogCaptureFixture) -> None:
  inputs.check(run_root, fakes.stage('audio'), CONFIG,
               manifests=[_OURS], allows_others=False)
  assert not caplog.text


@pytest.mark.parametrize('trained, named, is_taken', [
    ('ab', 'ab', True), ('ab', 'b', True), ('b', 'ab', True),
    ('ab', 'bc', False), ('a', 'bc', False)])
def test_folders_that_one_flag_names_belong_together(
    run_root: str, trained: str, named: str, is_taken: bool) -> None:
  path = pathlib.Path(run_root) / 'finetune' / 'config.json'
  durable.write_json(path, {
      **json.loads(path.read_text()), 'manifests': list(trained)})
  taken = contextlib.nullcontext() if is_taken else pytest.raises(
      checkpoints.CheckpointError, match=r'manifest of the data: .* -> b\+c')
  with taken:
    inputs.check(run_root, fakes.stage('audio'), CONFIG,
                 manifests=list(named), allows_others=False)


@pytest.mark.parametrize('config, data, words', [
    (CONFIG, _OTHER, 'manifest of the data: aaaaaaaaaaaa -> bbbbbbbbbbbb'),
    (_wider(), _OURS, 'model.fusion_hidden: 16 -> 24')])
def test_other_inputs_are_refused_unless_allowed(
    run_root: str, caplog: pytest.LogCaptureFixture, config, data: str,
    words: str) -> None:
  stage = fakes.stage('audio', config)
  with pytest.raises(checkpoints.CheckpointError) as error:
    inputs.check(run_root, stage, config, manifests=[data],
                 allows_others=False)
  assert words in str(error.value) and 'stage finetune' in str(error.value)
  assert '--allow_other_inputs' in str(error.value)
  inputs.check(run_root, stage, config, manifests=[data],
               allows_others=True)
  assert words in caplog.text


def test_imported_weights_do_not_name_their_data(
    tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture) -> None:
  fakes.save_inputs(str(tmp_path), 'audio', CONFIG)
  assert 'manifest_sha256' not in checkpoints.load_record(
      str(tmp_path), 'finetune')
  inputs.check(str(tmp_path), fakes.stage('audio'), CONFIG,
               manifests=[_OTHER], allows_others=False)
  assert not caplog.text


def test_a_fingerprint_changes_with_any_weight(tmp_path: pathlib.Path) -> None:
  encoder = networks_lib.image_encoder(CONFIG.model)
  stage, found = fakes.stage('audio'), []
  for _ in range(3):
    checkpoints.save_networks(
        str(tmp_path), 'finetune', {'image_encoder': encoder}, CONFIG)
    found.append(inputs.fingerprints(str(tmp_path), stage))
    if len(found) == 2:
      bias = encoder.trainable_variables[-1]
      bias.assign_add(1e-6 * (bias * 0.0 + 1.0))
  assert list(found[0]) == ['finetune']
  assert found[0] == found[1] != found[2]


@pytest.mark.parametrize('old, new, words', [
    ({'manifest_sha256': _OURS}, {'manifest_sha256': _OTHER},
     'manifest of the data: aaaaaaaaaaaa -> bbbbbbbbbbbb'),
    ({'inputs': {'finetune': _OURS}}, {'inputs': {'finetune': _OTHER}},
     'weights of.finetune: aaaaaaaaaaaa -> bbbbbbbbbbbb')])
def test_a_run_goes_on_only_with_what_it_was_begun_with(
    tmp_path: pathlib.Path, old: dict, new: dict, words: str) -> None:
  stage = fakes.stage('audio')
  checkpoints.claim(str(tmp_path), stage, CONFIG, old)
  checkpoints.claim(str(tmp_path), stage, CONFIG, old)
  checkpoints.claim(str(tmp_path), stage, CONFIG, {})
  with pytest.raises(checkpoints.CheckpointError) as error:
    checkpoints.claim(str(tmp_path), stage, CONFIG, new)
  assert words in str(error.value) and '--restart' in str(error.value)


def test_what_eq_2_takes_from_invert_is_part_of_finetune(
    tmp_path: pathlib.Path) -> None:
  stage = fakes.stage('finetune')
  checkpoints.claim(str(tmp_path), stage, CONFIG, {})
  other = dataclasses.replace(CONFIG, invert=dataclasses.replace(
      CONFIG.invert, feature_distance='l2'),
      optimizer=dataclasses.replace(CONFIG.optimizer, beta_1=0.5))
  with pytest.raises(checkpoints.CheckpointError) as error:
    checkpoints.claim(str(tmp_path), stage, other, {})
  assert 'invert.feature_distance: l1 -> l2' in str(error.value)
  assert 'optimizer.beta_1: 0.9 -> 0.5' in str(error.value)


def test_other_circumstances_are_a_warning(
    caplog: pytest.LogCaptureFixture) -> None:
  stored = {'versions': inputs.versions(), 'replicas': 1}
  inputs.warn_of_changes('runs/audio', stored, stored)
  inputs.warn_of_changes('runs/audio', {}, stored)
  assert not caplog.text
  assert set(stored['versions']) == {
      'python', 'tensorflow', 'keras', 'numpy', 'tensorflow-addons',
      'tensorflow-io'}
  inputs.warn_of_changes('runs/audio', stored, {**stored, 'replicas': 2})
  assert 'replicas: 1 -> 2' in caplog.text
  exact, mixed = ({**stored, 'rounding': {'precision': precision}}
                  for precision in ('float32', 'mixed_bfloat16'))
  inputs.warn_of_changes('runs/audio', exact, mixed)
  assert 'rounding.precision: float32 -> mixed_bfloat16' in caplog.text
