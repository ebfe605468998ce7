"""A manifest says what is wrong with the data, and where."""

from __future__ import annotations

import json
import pathlib

import pytest

from earsr_tf.data import manifest
from tests.data import fake_data


@pytest.fixture(name='folder')
def _folder(tmp_path: pathlib.Path) -> pathlib.Path:
  fake_data.write(tmp_path / 'data', {'d_pre': [2, 1], 'open_test': [1]})
  return tmp_path / 'data'


def test_reads_what_was_written(folder):
  found = manifest.read_manifest(str(folder))
  assert [s.records for s in found.splits['d_pre']] == [2, 1]
  assert found.splits['closed_test'] == ()
  assert [s.file for s in found.shards(['open_test', 'd_pre'])] == [
      'open_test-00000-of-00001.tfrecord', 'd_pre-00000-of-00002.tfrecord',
      'd_pre-00001-of-00002.tfrecord']
  assert found.all_speakers == ('s0', 's1', 's2')
  assert len(found.sha256) == 64


def test_no_data_names_the_command(tmp_path):
  with pytest.raises(manifest.MissingDataError) as e:
    manifest.read_manifest(str(tmp_path / 'none'), 'make --to={data_dir}')
  assert f'make --to={tmp_path}/none' in str(e.value)
  assert e.value.exit_code == 66
  with pytest.raises(manifest.MissingDataError, match='prepare_voxceleb2'):
    manifest.read_manifest(str(tmp_path))


def test_a_missing_shard_is_named_with_the_command(folder):
  (folder / 'd_pre-00001-of-00002.tfrecord').unlink()
  with pytest.raises(manifest.DataError) as e:
    manifest.read_manifest(str(folder))
  assert 'd_pre-00001-of-00002.tfrecord: shard is missing' in str(e.value)
  assert 'python -m tools.prepare_voxceleb2' in str(e.value)
  assert e.value.exit_code == 65


def test_a_shard_of_wrong_size_is_named(folder):
  path = folder / 'open_test-00000-of-00001.tfrecord'
  path.write_bytes(path.read_bytes()[:-1])
  with pytest.raises(manifest.DataError, match='open_test-00000.*bytes'):
    manifest.read_manifest(str(folder))


@pytest.mark.parametrize('damage', [
    b'', b'{', b'[]', b'{"format": 2}', b'\xff\xfe'])
def test_a_damaged_manifest_is_refused(folder, damage):
  (folder / 'manifest.json').write_bytes(damage)
  with pytest.raises(manifest.DataError, match='not a manifest of format 1'):
    manifest.read_manifest(str(folder))


def test_a_shard_outside_the_folder_is_refused(folder):
  path = folder / 'manifest.json'
  content = json.loads(path.read_text())
  content['splits']['d_pre'][0]['file'] = '../other.tfrecord'
  path.write_text(json.dumps(content))
  with pytest.raises(manifest.DataError, match='not a manifest'):
    manifest.read_manifest(str(folder))


def test_unknown_and_empty_splits_are_named(folder):
  found = manifest.read_manifest(str(folder))
  with pytest.raises(manifest.DataError, match="unknown split 'train'"):
    found.shards(['train'])
  with pytest.raises(manifest.DataError, match='no records in d_rest'):
    found.shards(['d_rest'])
