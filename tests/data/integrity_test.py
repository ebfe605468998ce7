"""Shards are compared with their manifest once, and again when they change."""

from __future__ import annotations

import os
import pathlib

import pytest

from earsr_tf.data import integrity
from earsr_tf.data import manifest
from tests.data import fake_data


@pytest.fixture(name='data')
def _data(tmp_path: pathlib.Path) -> manifest.Manifest:
  return fake_data.write(
      tmp_path / 'data', {'d_pre': [2, 1], 'open_test': [1]})


def _check(data: manifest.Manifest, *splits: str) -> int:
  return integrity.check_shards(
      data, splits, memory=pathlib.Path(data.data_dir).parent / 'seen.json')


def test_what_was_verified_is_remembered(data):
  total = sum(s.bytes for s in data.splits['d_pre'])
  assert _check(data, 'd_pre') == total
  assert _check(data, 'd_pre') == 0
  assert _check(data, 'd_pre', 'open_test') == data.splits['open_test'][0].bytes
  path = pathlib.Path(data.data_dir) / data.splits['d_pre'][1].file
  os.utime(path, ns=(1, 1))
  assert _check(data, 'd_pre') == data.splits['d_pre'][1].bytes
  (path.parent.parent / 'seen.json').write_text('{')
  assert _check(data, 'd_pre') == total


def test_a_changed_shard_is_named_until_it_is_whole(data):
  path = pathlib.Path(data.data_dir) / data.splits['d_pre'][1].file
  whole = path.read_bytes()
  assert _check(data, 'd_pre') > 0
  path.write_bytes(whole[:50] + bytes([whole[50] ^ 1]) + whole[51:])
  for _ in range(2):
    with pytest.raises(manifest.DataError) as e:
      _check(data, 'd_pre')
    assert str(path) in str(e.value) and 'tools.verify_data' in str(e.value)
  assert _check(data, 'open_test') == data.splits['open_test'][0].bytes
  path.write_bytes(whole)
  assert _check(data, 'd_pre') > 0
  assert _check(data, 'd_pre') == 0


def test_a_missing_shard_is_named(data):
  path = pathlib.Path(data.data_dir) / data.splits['open_test'][0].file
  path.unlink()
  with pytest.raises(manifest.DataError, match='shard is missing'):
    _check(data, 'open_test')
