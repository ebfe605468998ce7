"""Tests of tools/ablations.py: what is trained, and what stays."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.evaluation import ablations as rows
from earsr_tf.training import checkpoints
from tests import fakes
from tools import ablations


def test_the_command_knows_all_rows() -> None:
  assert ablations._NAMES == tuple(a.name for a in rows.ABLATIONS)


def _tensors(root: str, part: str) -> dict[str, np.ndarray]:
  reader = tf.train.load_checkpoint(checkpoints.finished_prefix(
      root, 'audio' if part == 'start' else 'fusion'))
  return {name: reader.get_tensor(name)
          for name in reader.get_variable_to_shape_map()
          if name.startswith('networks/audio_encoder/')
          and '.OPTIMIZER_SLOT' not in name}


def test_an_unfinished_run_is_refused(tmp_path: pathlib.Path) -> None:
  with pytest.raises(checkpoints.CheckpointError, match='--stage=fusion'):
    ablations.train(str(tmp_path / 'runs'), str(tmp_path))
  assert not (tmp_path / 'runs').exists()


@pytest.mark.slow
def test_each_differs_in_what_it_is_about(tmp_path: pathlib.Path) -> None:
  config, main = fakes.small_config(), str(tmp_path / 'runs')
  fakes.save_inputs(main, 'fusion', config)
  networks = fakes.stage('fusion', config).build()
  checkpoints.save_networks(main, 'fusion', {
      name: networks[name] for name in ('fusion', 'audio_encoder')}, config)
  fakes.write_data(tmp_path / 'data')
  made = ablations.train(main, str(tmp_path / 'data'))
  assert [pathlib.Path(root).name for root in made] == list(ablations._NAMES)
  one, zero, fixed = made
  assert pathlib.Path(one, 'low_res').is_symlink()
  assert checkpoints.load_config(one, 'fusion').model.fusion_layers == 1
  assert checkpoints.load_config(zero, 'fusion').fusion.zero_audio
  start = _tensors(main, 'start')
  moved = {root: max(
      float(np.abs(value - start[name]).max())
      for name, value in _tensors(root, 'end').items()) for root in made}
  assert moved[one] > 0 and moved[zero] == moved[fixed] == 0
  # The main run is as it was, and a second call trains nothing.
  assert checkpoints.load_config(main, 'fusion') == config
  before = pathlib.Path(one, 'fusion', 'finished.json').stat().st_mtime_ns
  ablations.train(main, str(tmp_path / 'data'), only=('one_layer',))
  assert pathlib.Path(
      one, 'fusion', 'finished.json').stat().st_mtime_ns == before
