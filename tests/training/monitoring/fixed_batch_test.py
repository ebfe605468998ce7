"""Which pictures a run is watched by."""

from __future__ import annotations

import dataclasses
import pathlib

import numpy as np
import tensorflow as tf

from earsr_tf.data import batching
from earsr_tf.data import keys
from earsr_tf.training.monitoring import fixed_batch
from tests import fakes


def _held_out(videos: list[str]) -> list[bool]:
  return [bool(h) for h in tf.equal(
      tf.strings.to_hash_bucket_fast(videos, 16), 0).numpy()]


def test_watched_pictures_are_held_out_and_never_of_the_tests(
    tmp_path: pathlib.Path) -> None:
  data_dir = tmp_path / 'data'
  fakes.write_data(data_dir, clips=40)
  stage = fakes.stage('attributes')
  info = batching.data_info(str(data_dir))
  assert fixed_batch.splits(stage, info) == ('d_pre', 'd_rest')
  assert fixed_batch.splits(fakes.stage('audio'), info) == ('closed_test',)
  batch = fixed_batch.read(stage, fakes.small_config(), str(data_dir), info)
  videos = [f'id{i % 3}/{split}{i}' for split in stage.splits
            for i in range(40)]
  expected = sum(_held_out(videos))
  assert expected > 0
  assert np.all(batch[keys.HELD_OUT])
  assert len(batch[keys.SPEAKER]) == 4 * expected
  few = dataclasses.replace(stage, watched_images=3)
  assert len(fixed_batch.read(
      few, fakes.small_config(), str(data_dir), info)[keys.SPEAKER]) == 3


def test_without_held_out_videos_there_is_a_batch_all_the_same(
    tmp_path: pathlib.Path) -> None:
  data_dir = tmp_path / 'data'
  fakes.write_data(data_dir, clips=2)
  assert not any(_held_out(['id0/d_pre0', 'id1/d_pre1']))
  stage = dataclasses.replace(fakes.stage('attributes'), splits=('d_pre',))
  batch = fixed_batch.read(
      stage, fakes.small_config(), str(data_dir),
      batching.data_info(str(data_dir)))
  assert len(batch[keys.SPEAKER]) == 2 and not np.any(batch[keys.HELD_OUT])
