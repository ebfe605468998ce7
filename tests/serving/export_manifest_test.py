"""The check of an export before it is loaded."""

from __future__ import annotations

import json
import pathlib

import pytest

from earsr_tf.serving import export_manifest


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
  """A folder that looks like version 3 of an export."""
  path = tmp_path / '3'
  (path / 'variables').mkdir(parents=True)
  (path / 'saved_model.pb').write_bytes(b'graph')
  (path / 'variables' / 'data').write_bytes(b'numbers')
  export_manifest.write(path, {'preset': 'tiny'})
  return path


def test_a_whole_export_passes(folder: pathlib.Path) -> None:
  result = export_manifest.verify(folder)
  assert result['preset'] == 'tiny'
  assert sorted(result['files']) == ['saved_model.pb', 'variables/data']
  assert result['files']['saved_model.pb']['bytes'] == 5


def test_a_flipped_byte_is_named(folder: pathlib.Path) -> None:
  (folder / 'saved_model.pb').write_bytes(b'grapi')
  with pytest.raises(
      export_manifest.ExportError, match=r'saved_model\.pb: differs'):
    export_manifest.verify(folder)


def test_a_missing_file_is_named(folder: pathlib.Path) -> None:
  (folder / 'variables' / 'data').unlink()
  with pytest.raises(export_manifest.ExportError, match='data: listed in'):
    export_manifest.verify(folder)


@pytest.mark.parametrize('text', ['{', '[]', '{"files": 3}', '{"files": [1]}',
                                  '{"files": {"a": 3}}', '\x00'])
def test_a_damaged_manifest_is_refused(
    folder: pathlib.Path, text: str) -> None:
  (folder / export_manifest.NAME).write_text(text)
  with pytest.raises(
      export_manifest.ExportError, match=r'manifest\.json: damaged'):
    export_manifest.verify(folder)


def test_a_manifest_cannot_point_outside(folder: pathlib.Path) -> None:
  (folder.parent / 'secret').write_text('x')
  path = folder / export_manifest.NAME
  content = json.loads(path.read_text())
  content['files']['../secret'] = {'sha256': '0'}
  path.write_text(json.dumps(content))
  with pytest.raises(export_manifest.ExportError, match='secret: listed in'):
    export_manifest.verify(folder)


def test_the_newest_version_is_found_by_number(folder: pathlib.Path) -> None:
  base = folder.parent
  for name in ('10', '.partial-1', 'notes'):
    (base / name).mkdir()
  assert export_manifest.versions(base) == [3, 10]
  assert export_manifest.newest(base) == base / '10'
  assert export_manifest.newest(folder) == folder


def test_folders_without_a_model_say_what_to_run(
    tmp_path: pathlib.Path) -> None:
  for path in (tmp_path, tmp_path / 'absent'):
    with pytest.raises(
        export_manifest.ExportError, match='earsr_tf.export') as e:
      export_manifest.newest(path)
    assert e.value.exit_code == 66
  with pytest.raises(
      export_manifest.ExportError, match='no export of earsr_tf'):
    export_manifest.verify(tmp_path)
