"""From pictures without voices to shards, and what reads them."""

from __future__ import annotations

import filecmp
import pathlib

import pytest
import tensorflow as tf

from earsr_tf import face_finder
from earsr_tf.data import batching
from earsr_tf.data import figures
from earsr_tf.data import keys
from earsr_tf.data import manifest as manifest_lib
from earsr_tf.data import records
from pipelines.ingest import prepare
from tests import picture_trees
from tools import preview_batch
from tools import verify_data

OPTIONS = prepare.Options(
    image_size=16, shards=2, workers=2, open_share=0.0, detect_faces=False,
    open_speakers=('c',))
_LEVELS = {f'{person}/{i}.png': 10 * i + 40 * n
           for n, person in enumerate('abc') for i in (1, 2, 3)}


@pytest.fixture(name='done', scope='module')
def _done(tmp_path_factory) -> manifest_lib.Manifest:
  root = tmp_path_factory.mktemp('faces')
  picture_trees.write(root / 'tree', _LEVELS)
  (root / 'tree' / 'd.png').write_text('I am text.')
  return prepare.run(
      str(root / 'tree'), str(root / 'data'), 'faces', OPTIONS)


def _records(found: manifest_lib.Manifest) -> list[records.ClipRecord]:
  return [
      records.decode(r.numpy()) for s in found.shards(manifest_lib.SPLITS)
      for r in tf.data.TFRecordDataset(f'{found.data_dir}/{s.file}')]


def test_people_are_split_and_nobody_is_heard(done):
  found = _records(done)
  assert len(found) == 9 and done.rejected == 1
  assert not done.has_voices and done.dataset == 'faces'
  assert {r.voice for r in found} == {b''}
  assert done.speakers['open_test'] == ('c',)
  assert done.speakers['d_pre'] == done.speakers['closed_test'] == ('a', 'b')
  levels = {r.video: int(tf.io.decode_png(r.frames[0])[15, 15, 0])
            for r in found}
  assert levels == {
      name[:-4].replace('/', '_'): level for name, level in _LEVELS.items()}


def test_tools_take_them(done):
  assert list(verify_data.problems(done.data_dir)) == []
  split = figures.count(done, 99)[0]
  assert split.seen and split.seconds == [] and split.frames == split.seen
  assert [len(s.tiles) for s in preview_batch.read_samples(
      done.data_dir, 2)] == [2, 2]


def test_faces_are_read_and_voices_are_refused(done):
  options = dict(splits=('d_pre', 'd_rest'), batch_size=2, seed=3)
  batch = next(iter(batching.make_dataset(
      done, inputs=(keys.IMAGE_HIGH, keys.SPEAKER), **options)))
  assert batch[keys.IMAGE_HIGH].shape == (2, 16, 16, 3)
  with pytest.raises(manifest_lib.DataError, match='holds faces without them'):
    batching.make_dataset(
        done, inputs=(keys.IMAGE_HIGH, keys.WAVEFORM), **options)


def test_a_zip_file_gives_the_same_pictures(done, tmp_path):
  classes = [[name, name[0]] for name in _LEVELS]
  archive = picture_trees.stylegan_zip(
      tmp_path / 'z.zip', tmp_path / 'tree', _LEVELS, classes)
  zipped = prepare.run(str(archive), str(tmp_path / 'data'), '', OPTIONS)
  assert zipped.dataset == 'faces' and zipped.rejected == 0
  for shard in zipped.shards(manifest_lib.SPLITS):
    assert filecmp.cmp(f'{zipped.data_dir}/{shard.file}',
                       f'{done.data_dir}/{shard.file}', shallow=False)


def test_faces_are_found_by_default(tmp_path, monkeypatch):
  picture_trees.write(tmp_path / 'tree', {'a.png': 60, 'b.png': 90})
  seen = []

  def find(picture):
    seen.append(int(picture[-1, -1, 0]))
    return [face_finder.Box(4, 2, 8, 8)] if seen[-1] == 60 else []

  monkeypatch.setattr(face_finder, 'find', find)
  monkeypatch.setattr(
      face_finder, 'framed', lambda picture, box: picture[2:10, 4:12])
  found = prepare.run(
      str(tmp_path / 'tree'), str(tmp_path / 'data'), 'faces',
      prepare.Options(image_size=16, shards=1, open_share=0.0))
  assert sorted(seen) == [60, 90] and found.rejected == 1
  record, = _records(found)
  assert int(tf.reduce_min(tf.io.decode_png(record.frames[0]))) == 255
  reject, = manifest_lib.read_rejects(found.data_dir)
  assert reject['file'] == 'b.png' and 'shows no face' in reject['reason']


def test_a_damaged_picture_in_a_zip_file_is_named(tmp_path):
  archive = picture_trees.stylegan_zip(
      tmp_path / 'z.zip', tmp_path / 'tree', {'a.png': 60, 'b.png': 90}, None)
  raw = archive.read_bytes()
  at = raw.index(b'IDAT')
  archive.write_bytes(raw[:at + 8] + b'\0\0\0\0' + raw[at + 12:])
  found = prepare.run(str(archive), str(tmp_path / 'data'), 'faces', OPTIONS)
  reject, = manifest_lib.read_rejects(found.data_dir)
  assert pathlib.PurePath(reject['file']).name == 'a.png'
  assert 'z.zip!/a.png' in reject['file'] and 'cannot be' in reject['reason']
