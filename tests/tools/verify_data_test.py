"""A damaged shard and its record are named, whichever bit it is."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import pathlib
import random
import shutil
from typing import Callable

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.data import manifest as manifest_lib
from earsr_tf.data import records
from earsr_tf.media import reader
from tests import run_folder
from tests import testing
from tools import verify_data

SHARD = 'd_pre-00000-of-00001.tfrecord'


@pytest.fixture(name='whole', scope='module')
def _whole(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
  folder = tmp_path_factory.mktemp('verify') / 'whole'
  run_folder.write_data(folder)
  return folder


@pytest.fixture(name='data')
def _data(whole: pathlib.Path, tmp_path: pathlib.Path) -> pathlib.Path:
  return pathlib.Path(shutil.copytree(whole, tmp_path / 'data'))


def _records(path: pathlib.Path) -> list[bytes]:
  return list(tf.data.TFRecordDataset(str(path)).as_numpy_iterator())


def _rewrite(
    data: pathlib.Path, change: Callable[[list[bytes]], list[bytes]], *,
    stated: int | None = None, is_sealed: bool = True) -> None:
  """Changes the records of `SHARD`; the manifest then agrees, if asked to."""
  serialized = change(_records(data / SHARD))
  with tf.io.TFRecordWriter(str(data / SHARD)) as writer:
    for record in serialized:
      writer.write(record)
  path = data / manifest_lib.FILE_NAME
  content = json.loads(path.read_text())
  entry = content['splits']['d_pre'][0]
  raw = (data / SHARD).read_bytes()
  entry['bytes'] = len(raw)
  entry['records'] = stated or len(serialized)
  if is_sealed:
    entry['sha256'] = hashlib.sha256(raw).hexdigest()
  path.write_text(json.dumps(content))


def _found(data: pathlib.Path) -> list[str]:
  return list(verify_data.problems(str(data)))


def _changed(**changes: object) -> Callable[[list[bytes]], list[bytes]]:
  """Changes fields of the second record."""
  def change(serialized: list[bytes]) -> list[bytes]:
    record = dataclasses.replace(records.decode(serialized[1]), **changes)
    return [serialized[0], records.encode(record), *serialized[2:]]
  return change


def test_whole_data_have_no_problem(data):
  assert _found(data) == []
  assert list(verify_data.problems(str(data), checksums_only=True)) == []


def test_any_flipped_bit_is_found_with_its_record(data):
  path = data / SHARD
  original = path.read_bytes()
  # TFRecord: 8 bytes length, 4 CRC, data, 4 CRC.
  ends = np.cumsum([16 + len(r) for r in _records(path)])
  draw = random.Random(11)
  places = [0, 7, 8, 11, 12, len(original) - 1, int(ends[0]), int(ends[0]) - 1]
  places += [draw.randrange(len(original)) for _ in range(24)]
  for place in places:
    damaged = bytearray(original)
    damaged[place] ^= 1 << draw.randrange(8)
    path.write_bytes(damaged)
    number = int(np.searchsorted(ends, place, side='right'))
    found = _found(data)
    assert any(p.startswith(f'{SHARD}: has sha256') for p in found), place
    assert any(
        p.startswith(f'{SHARD}: record {number} is ') for p in found), (
            place, found)


def test_a_shard_cut_on_a_record_boundary_is_found(data):
  _rewrite(data, lambda r: r[:1], stated=2, is_sealed=False)
  found = _found(data)
  assert f'{SHARD}: 1 whole records, the manifest says 2' in found
  assert any('has sha256' in p for p in found)
  manifest_lib.read_manifest(str(data))  # sizes alone do not tell


def test_a_cut_a_missing_and_a_strange_shard_are_named(data):
  path = data / SHARD
  path.write_bytes(path.read_bytes()[:-9])
  (data / 'open_test-00000-of-00001.tfrecord').unlink()
  shutil.copy(data / 'closed_test-00000-of-00001.tfrecord',
              data / 'more.tfrecord')
  found = _found(data)
  assert f'{SHARD}: record 1 is cut off; the rest cannot be read' in found
  assert any(p.startswith(f'{SHARD}: has ') and 'bytes' in p for p in found)
  assert ('open_test-00000-of-00001.tfrecord: cannot be read (No such file or '
          'directory)') in found
  assert 'more.tfrecord: is not in the manifest' in found


@pytest.mark.parametrize('changes, reason', [
    ({'split': 'd_rest'}, "is of split 'd_rest', the shard is of 'd_pre'"),
    ({'gender': 2}, 'gender is 2'),
    ({'age': -1.0}, 'age is -1.0'),
    ({'speaker': ''}, "'' is no name of a speaker"),
    ({'frames': [b'\x89PNG']}, 'frame 0 is no whole PNG'),
    ({'frames': [reader.encode_png(np.zeros([8, 8, 3], np.uint8))]},
     'frame 0 is 8 x 8 RGB, not 128 x 128 RGB'),
    ({'frames': [reader.encode_png(np.zeros([128, 128, 3], np.uint8))] * 3},
     'has 3 frames, not 1 to 2'),
    ({'voice': b'RIFF'}, 'voice is no WAV file'),
    ({'voice': reader.encode_wav(np.ones(8000, np.int16))},
     'voice has 0.50 s'),
    ({'voice': reader.encode_wav(np.ones(20000, np.int16))[:-2]},
     'bytes for 20000 samples'),
])
def test_what_a_record_holds_is_looked_at(data, changes, reason):
  _rewrite(data, _changed(**changes))
  found = _found(data)
  assert any(p.startswith(f'{SHARD}: record 1 (') and reason in p
             for p in found), found


def test_keys_videos_and_speakers_stay_in_their_places(data):
  _rewrite(data, lambda r: [r[0], r[0], *r[1:]])
  assert any('record 1 (id0/d_pre/00001): has the key of record 0' in p
             for p in _found(data))
  other = records.decode(
      _records(data / 'closed_test-00000-of-00001.tfrecord')[0])
  _rewrite(data, lambda r: [r[0], records.encode(dataclasses.replace(
      other, split='d_pre', clip='2'))])
  assert any('other clips of this video are in' in p for p in _found(data))
  _rewrite(data, _changed(speaker='id2'))
  found = _found(data)
  assert 'speaker id2 is in open-set and in other splits' in found
  assert 'manifest.json: speakers of d_pre are not those of its records' in (
      found)


def test_videos_of_the_manifest_are_those_of_the_records(data):
  path = data / manifest_lib.FILE_NAME
  content = json.loads(path.read_text())
  content['videos'] = {
      split: [f'{person[0]}/{split}' for person in run_folder.PEOPLE
              if split in person[3]] for split in manifest_lib.SPLITS}
  path.write_text(json.dumps(content))
  assert _found(data) == []
  content['videos']['open_test'].pop()
  path.write_text(json.dumps(content))
  assert _found(data) == [
      'manifest.json: videos of open_test are not those of its records']


def test_a_record_that_is_no_clip_is_named(data):
  _rewrite(data, lambda r: [r[0], b'\xff\xff', b''])
  found = _found(data)
  for number in (1, 2):
    assert f'{SHARD}: record {number} does not parse as a clip' in found


def test_the_command_ends_with_0_or_65(data):
  done = testing.run_module('tools.verify_data', str(data), '--checksums_only')
  assert (done.returncode, done.stderr) == (0, '')
  assert 'whole: 4 shards, 8 records' in done.stdout
  raw = bytearray((data / SHARD).read_bytes())
  raw[100] ^= 4
  (data / SHARD).write_bytes(raw)
  done = testing.run_module('tools.verify_data', str(data))
  assert done.returncode == 65
  assert f'{SHARD}: record 0 is damaged (CRC)' in done.stdout
  assert done.stderr.startswith(f'error: {data}: ')
  assert 'Traceback' not in done.stderr
  assert testing.run_module('tools.verify_data').returncode == 1
