"""What lies in the folder that a server watches, whatever happens."""

from __future__ import annotations

import os
import pathlib
import time

import pytest

from earsr_tf.serving import export_manifest
from earsr_tf.serving import saved_model
from pipelines import push


@pytest.fixture(name='version')
def _version(tmp_path: pathlib.Path) -> pathlib.Path:
  return _export(tmp_path / 'export', b'graph')


def _export(base: pathlib.Path, graph: bytes) -> pathlib.Path:
  def write(folder: str) -> None:
    pathlib.Path(folder, 'saved_model.pb').write_bytes(graph)
    pathlib.Path(folder, 'variables').mkdir()
    pathlib.Path(folder, 'variables', 'data').write_bytes(b'weights')
  return saved_model.publish(write, str(base), {'dataset': 'synthetic'})


def test_versions_count_up_and_say_where_from(
    version: pathlib.Path, tmp_path: pathlib.Path) -> None:
  target = tmp_path / 'served'
  first = push.push(version, target, {'pipeline': {'model': 7}})
  assert first == target / '1'
  facts = export_manifest.verify(first)
  assert facts['pipeline'] == {'model': 7} and facts['dataset'] == 'synthetic'
  assert (first / 'variables' / 'data').read_bytes() == b'weights'
  other = push.push(_export(tmp_path / 'other', b'graph 2'), target, {})
  assert other == target / '2'
  # The first again is a new newest: somebody wants it back.
  assert push.push(version, target, {}) == target / '3'


def test_the_same_model_is_there_once(
    version: pathlib.Path, tmp_path: pathlib.Path) -> None:
  target = tmp_path / 'served'
  for _ in range(2):  # as if killed before the store knew of it
    assert push.push(version, target, {}) == target / '1'
  (target / '1' / 'saved_model.pb').write_bytes(b'damaged')
  assert push.push(version, target, {}) == target / '2'
  assert export_manifest.versions(target) == [1, 2]


def test_no_number_is_visible_before_it_is_whole(
    version: pathlib.Path, tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch) -> None:
  target = tmp_path / 'served'
  copy = push.shutil.copyfile

  def full(source: pathlib.Path, to: pathlib.Path) -> None:
    assert export_manifest.versions(target) == []
    if 'variables' in str(to):
      raise OSError(28, 'No space left on device')
    copy(source, to)

  monkeypatch.setattr(push.shutil, 'copyfile', full)
  with pytest.raises(OSError, match='No space'):
    push.push(version, target, {})
  assert [p.name for p in target.iterdir()] == ['.push.lock']


def test_remains_of_a_kill_go_after_a_day(
    version: pathlib.Path, tmp_path: pathlib.Path) -> None:
  target = tmp_path / 'served'
  for name, age_s in (('.partial-1-a', 90000), ('.partial-2-b', 10)):
    (target / name).mkdir(parents=True)
    os.utime(target / name, (time.time() - age_s,) * 2)
  push.push(version, target, {})
  assert {p.name for p in target.iterdir()} == {
      '1', '.partial-2-b', '.push.lock'}


def test_a_damaged_export_is_not_pushed(
    version: pathlib.Path, tmp_path: pathlib.Path) -> None:
  (version / 'saved_model.pb').write_bytes(b'damaged')
  with pytest.raises(export_manifest.ExportError, match='differs'):
    push.push(version, tmp_path / 'served', {})
  assert not (tmp_path / 'served').exists()
