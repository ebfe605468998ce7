"""Rows (e), (f) and (g): F's of run folders beside the main one."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import shutil

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf import flags
from earsr_tf.evaluation import ablations
from earsr_tf.evaluation import rows
from earsr_tf.stages import networks as networks_lib
from earsr_tf.training import checkpoints
from tests import run_folder
from tests import testing


@pytest.fixture(name='main', scope='module')
def _main(run_root: str, tmp_path_factory: pytest.TempPathFactory) -> str:
  """A run with its own F as (g) and (f), another as (e)."""
  main = tmp_path_factory.mktemp('ablated') / 'runs'
  shutil.copytree(run_root, main)
  for ablation in ablations.ABLATIONS:
    root = pathlib.Path(ablations.run_root(str(main), ablation.name))
    shutil.copytree(run_root, root)
    config = flags.apply_settings(
        checkpoints.load_config(run_root, 'fusion'), list(ablation.settings))
    path = root / 'fusion' / 'config.json'
    stored = json.loads(path.read_text())
    stored['config'] = json.loads(json.dumps(dataclasses.asdict(config)))
    path.write_text(json.dumps(stored))
    if ablation.name == 'one_layer':
      checkpoints.save_networks(str(root), 'fusion', {
          'fusion': networks_lib.fusion(config.model),
          'audio_encoder': networks_lib.audio_encoder(config.model)}, config)
  return str(main)


@pytest.mark.slow
def test_pictures_are_those_of_the_rows_networks(main: str) -> None:
  made = ablations.load(main, testing.tiny_config().model)
  assert [row.key for row in made.rows] == ['e', 'f', 'g']
  image = tf.random.stateless_uniform([2, 128, 128, 3], [1, 2], -1, 1)
  voice = tf.random.stateless_uniform([2, 64000], [3, 4], -1, 1)
  found = {k: v.numpy().astype(int)
           for k, v in made.pictures(image, voice).items()}
  whole = rows.load(main, len(run_folder.PEOPLE))
  codes = whole.codes(image, voice)
  own, silent = (whole.generate(codes[key]).numpy() for key in ('h', 'f0'))
  assert np.abs(found['g'] - own).max() <= 1
  assert np.abs(found['f'] - silent).max() <= 1
  # F_1's last layer is at zero: E_l's picture.
  assert np.abs(found['e'] - whole.generate(codes['c']).numpy()).max() <= 1
  assert np.abs(found['g'] - found['f']).max() > 1


def test_other_networks_are_refused(main: str) -> None:
  model = dataclasses.replace(testing.tiny_config().model, latent_dim=24)
  with pytest.raises(checkpoints.CheckpointError, match='one_layer/fusion'):
    ablations.load(main, model)


def test_none_and_one_that_was_begun(
    run_root: str, tmp_path: pathlib.Path) -> None:
  model = testing.tiny_config().model
  assert ablations.load(run_root, model).rows == ()
  folder = tmp_path / 'ablations' / 'zero_audio' / 'fusion'
  folder.mkdir(parents=True)
  (folder / 'config.json').write_text('{}')
  made = ablations.load(str(tmp_path), model)
  assert made.rows == ()
  assert {row.key: reason for row, reason in made.skipped.items()} == {
      'f': 'ablation zero_audio is not finished'}
