"""Targets of several folders are those of each by itself."""

from __future__ import annotations

import dataclasses
import pathlib

import numpy as np
import tensorflow as tf

from earsr_tf.data import batching
from earsr_tf.data import keys
from earsr_tf.data import mixture
from earsr_tf.training import target_cache
from tests import fakes


def test_targets_of_several_folders(tmp_path: pathlib.Path) -> None:
  config = fakes.small_config()
  config = dataclasses.replace(config, training=dataclasses.replace(
      config.training, cached_targets=True))
  folders = [str(tmp_path / name) for name in 'ab']
  for clips, folder in zip((4, 6), folders):
    fakes.write_data(pathlib.Path(folder), clips=clips)
  run_root = str(tmp_path / 'runs')
  fakes.save_inputs(run_root, 'low_res', config)
  stage = fakes.stage('low_res', config)
  data = mixture.read(':1,'.join(folders), 'low_res')
  both, = target_cache.ensure(stage, config, run_root=run_root, data=data)
  assert len(both.files) == 2
  for folder in folders:
    one, = target_cache.ensure(stage, config, run_root=run_root, data=folder)
    (shard, path), = one.files.items()
    codes = [np.concatenate([
        np.frombuffer(r, '<f4') for r in tf.data.TFRecordDataset(
            file).as_numpy_iterator()]) for file in (path, both.files[shard])]
    np.testing.assert_array_equal(*codes)
  # A batch's codes are those of its pictures, as E_h makes them.
  batch = next(iter(batching.make_dataset(
      data, splits=stage.splits, inputs=stage.inputs, targets=[both],
      batch_size=8, seed=3)))
  target, = stage.targets
  networks = dict(target.build())
  target_cache.checkpoints.restore_networks(
      networks, target.restores, run_root)
  np.testing.assert_allclose(
      batch[keys.CODE], target.compute(networks, batch[keys.IMAGE_HIGH]),
      atol=1e-4)
