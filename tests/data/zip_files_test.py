"""Pictures in archives, hostile ones among them."""

from __future__ import annotations

import pathlib
import zipfile

import pytest

from earsr_tf.data import manifest
from earsr_tf.data import zip_files
from earsr_tf.media import picture
from earsr_tf.media import sniffing


def _archive(path: pathlib.Path) -> pathlib.Path:
  with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
    for name in ('b/1.png', 'a/2.png', '3.png', '../4.png'):
      archive.writestr(name, name.encode())
  return path


def test_lists_and_reads(tmp_path):
  path = _archive(tmp_path / 'a.zip')
  files = zip_files.ZipFiles(path=str(path))
  assert list(files.walk(f'{path}!', 9)) == [
      '../4.png', '3.png', 'a/2.png', 'b/1.png']
  assert list(files.walk(f'{path}!', 1)) == ['3.png']
  assert list(files.walk(f'{path}!/a', 1)) == ['2.png']
  assert files.exists(f'{path}!/3.png') and not files.exists(f'{path}!/5.png')
  assert files.read(f'{path}!/a/2.png') == b'a/2.png'


def test_a_copy_has_a_name_of_ours(tmp_path):
  path = _archive(tmp_path / 'a.zip')
  with zip_files.extracted(f'{path}!/../4.png') as copy:
    assert pathlib.Path(copy).read_bytes() == b'../4.png'
    assert pathlib.Path(copy).name == 'picture'
  assert not pathlib.Path(copy).exists()
  assert sorted(p.name for p in tmp_path.iterdir()) == ['a.zip']


def test_damage_and_size_are_named(tmp_path, monkeypatch):
  path = _archive(tmp_path / 'a.zip')
  raw = bytearray(path.read_bytes())
  raw[raw.index(b'b/1.png') + 7] ^= 0xff
  path.write_bytes(raw)
  with pytest.raises(sniffing.MediaError, match='cannot be unpacked'):
    with zip_files.extracted(f'{path}!/b/1.png'):
      pass
  monkeypatch.setattr(picture, 'MAX_IMAGE_BYTES', 3)
  with pytest.raises(sniffing.MediaError, match='has 5 bytes'):
    with zip_files.extracted(f'{path}!/3.png'):
      pass
  with pytest.raises(FileNotFoundError):
    with zip_files.extracted(f'{path}!/none.png'):
      pass


def test_what_is_no_archive_is_named(tmp_path):
  (tmp_path / 'text.zip').write_text('I am text.')
  with pytest.raises(manifest.DataError, match='is no whole zip file'):
    zip_files.ZipFiles(path=str(tmp_path / 'text.zip'))
  with pytest.raises(manifest.MissingDataError, match='none.zip: cannot be'):
    zip_files.ZipFiles(path=str(tmp_path / 'none.zip'))
