"""Fingerprints change with what matters, and only with that."""

from __future__ import annotations

import os
import pathlib

import pytest

from pipelines import fingerprint


@pytest.fixture(name='project')
def _project(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
  files = {
      'earsr_tf/__init__.py': '',
      'earsr_tf/train.py':
          'import os\nfrom earsr_tf.ops import latent\n'
          'def f():\n  import earsr_tf.losses.r1\n',
      'earsr_tf/ops/__init__.py': '',
      'earsr_tf/ops/latent.py': 'from earsr_tf.ops.shapes import check\n',
      'earsr_tf/ops/shapes.py': 'def check(): pass\n',
      'earsr_tf/losses/r1.py': '',
      'earsr_tf/other.py': '',
  }
  for name, text in files.items():
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(text)
  monkeypatch.setattr(fingerprint, '_ROOT', tmp_path)
  return tmp_path


def test_follows_all_imports(project: pathlib.Path) -> None:
  names = {
      path.relative_to(project).as_posix()
      for path in fingerprint.reachable(['earsr_tf.train'])}
  assert names == {
      'earsr_tf/train.py', 'earsr_tf/__init__.py', 'earsr_tf/ops/__init__.py',
      'earsr_tf/ops/latent.py', 'earsr_tf/ops/shapes.py',
      'earsr_tf/losses/r1.py'} - {'earsr_tf/__init__.py'}


@pytest.mark.parametrize('name, changes', [
    ('earsr_tf/ops/shapes.py', True), ('earsr_tf/losses/r1.py', True),
    ('earsr_tf/other.py', False)])
def test_an_edit_counts_where_it_can_be_reached(
    name: str, changes: bool, project: pathlib.Path) -> None:
  before = fingerprint.code('earsr_tf.train')
  (project / name).write_text('X = 1\n')
  assert (fingerprint.code('earsr_tf.train') != before) == changes


def test_unknown_module() -> None:
  with pytest.raises(ValueError, match='no module earsr_tf.trian'):
    fingerprint.code('earsr_tf.trian')


def test_listing_sees_names_sizes_and_times(tmp_path: pathlib.Path) -> None:
  (tmp_path / 'a').mkdir()
  file = tmp_path / 'a' / 'clip.mp4'
  file.write_bytes(b'12')
  os.utime(file, (1, 1))
  first = fingerprint.listing(str(tmp_path))
  assert fingerprint.listing(str(tmp_path)) == first
  file.write_bytes(b'34')
  os.utime(file, (2, 2))
  second = fingerprint.listing(str(tmp_path))
  file.rename(tmp_path / 'a' / 'other.mp4')
  third = fingerprint.listing(str(tmp_path))
  assert len({first, second, third}) == 3


def test_files_hash_contents_in_order(tmp_path: pathlib.Path) -> None:
  a, b = tmp_path / 'a', tmp_path / 'b'
  a.write_bytes(b'1')
  b.write_bytes(b'2')
  assert fingerprint.files([a, b]) != fingerprint.files([b, a])
  assert fingerprint.files([a, b]) == fingerprint.files([a, b])
