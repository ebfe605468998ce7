"""Paths elsewhere, through Beam's file systems."""

from __future__ import annotations

import hashlib
import pathlib

import pytest

from earsr_tf.data import manifest
from pipelines.ingest import storage
from tests.pipelines.ingest import fake_storage


@pytest.fixture(name='root', params=['', 'fake://box'])
def _root(request, tmp_path, monkeypatch) -> str:
  monkeypatch.setattr(fake_storage, 'ROOT', tmp_path)
  return request.param or str(tmp_path / 'box')


def _write(path, data):
  with storage.open_write(path) as f:
    f.write(data)


def test_files_appear_whole(root, tmp_path):
  path = storage.join(root, 'a', 'b.bin')
  for data in (b'one', b'twofold'):
    with storage.open_write(path) as f:
      f.write(data)
      assert not (tmp_path / 'box/a/b.bin').exists() or (
          data == b'twofold' and (tmp_path / 'box/a/b.bin').stat().st_size == 3)
    assert (tmp_path / 'box/a/b.bin').read_bytes() == data
  with storage.open_read(path) as f:
    f.seek(3)
    assert f.read(2) == b'fo'
  assert storage.sha256(path) == hashlib.sha256(b'twofold').hexdigest()
  (tmp_path / 'local').write_bytes(b'three')
  storage.publish(str(tmp_path / 'local'), path)
  assert (tmp_path / 'box/a/b.bin').read_bytes() == b'three'
  assert [p.name for p in (tmp_path / 'box/a').iterdir()] == ['b.bin']


def test_what_is_not_there(root):
  with pytest.raises(FileNotFoundError):
    storage.open_read(storage.join(root, 'none'))
  storage.delete([storage.join(root, 'none')])
  files = storage.files_of(root)
  assert list(files.walk(root, 3)) == []
  assert not files.exists(storage.join(root, 'none'))


def test_walks_to_a_depth(root):
  for name in ('x', 'a-b/w', 'a/y', 'a/b/z'):
    _write(storage.join(root, name), b'1')
  files = storage.files_of(root)
  assert list(files.walk(root, 2)) == ['a/y', 'a-b/w', 'x']
  assert list(files.walk(root, 3)) == ['a/b/z', 'a/y', 'a-b/w', 'x']
  assert files.read(storage.join(root, 'a/b/z')) == b'1'


def test_media_elsewhere_are_copied_for_the_while(root):
  _write(storage.join(root, 'v', 'clip.mp4'), b'film')
  _write(storage.join(root, 'frames', '1.jpg'), b'one')
  _write(storage.join(root, 'frames', '2.jpg'), b'two')
  with storage.local_copy(storage.join(root, 'v', 'clip.mp4')) as path:
    assert pathlib.Path(path).read_bytes() == b'film'
  with storage.local_copy(storage.join(root, 'frames')) as path:
    assert sorted(p.name for p in pathlib.Path(path).iterdir()) == [
        '1.jpg', '2.jpg']
  assert pathlib.Path(path).exists() == (not storage.is_remote(root))


def test_an_unknown_scheme_is_a_sentence():
  with pytest.raises(manifest.DataError, match='nothing://a.*install the Beam'):
    storage.open_read('nothing://a/b')
