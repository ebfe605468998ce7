"""Which version is served while folders appear, grow and go."""

from __future__ import annotations

import os
import pathlib
import shutil
import threading
import types

import pytest

from earsr_tf.serving import export_manifest
from earsr_tf.serving import version_choice


def _write(base: pathlib.Path, number: int) -> pathlib.Path:
  """A folder that looks like a version."""
  folder = base / str(number)
  (folder / 'variables').mkdir(parents=True)
  (folder / 'saved_model.pb').write_bytes(b'graph')
  (folder / 'variables' / 'data').write_bytes(b'numbers')
  export_manifest.write(folder, {})
  return folder


class _Loader:
  """Verifies, and remembers what it was asked for."""

  def __init__(self) -> None:
    self.asked: list[str] = []

  def __call__(self, folder: pathlib.Path) -> types.SimpleNamespace:
    self.asked.append(folder.name)
    export_manifest.verify(folder)
    return types.SimpleNamespace(folder=folder)


def _choice(base: pathlib.Path) -> tuple[
    version_choice.VersionChoice, _Loader, list[str]]:
  loader, said = _Loader(), []
  return version_choice.VersionChoice(
      base=base, load=loader, say=said.append), loader, said


def _served(choice: version_choice.VersionChoice) -> str:
  choice.refresh()
  return choice.current.folder.name


def test_the_highest_is_taken_and_newer_ones_follow(
    tmp_path: pathlib.Path) -> None:
  for number in (2, 10):
    _write(tmp_path, number)
  choice, loader, said = _choice(tmp_path)
  assert _served(choice) == '10'
  _write(tmp_path, 11)
  assert _served(choice) == '11' and _served(choice) == '11'
  assert loader.asked == ['10', '11']
  assert said == ['version 10 is served', 'version 11 is served']


def test_a_version_that_grows_is_taken_when_it_is_whole(
    tmp_path: pathlib.Path) -> None:
  _write(tmp_path, 1)
  choice, loader, said = _choice(tmp_path)
  whole = _write(tmp_path / 'elsewhere', 2)
  half = tmp_path / '2'
  half.mkdir()
  assert _served(choice) == '1'
  shutil.copy(whole / 'manifest.json', half)
  assert _served(choice) == '1'
  (half / 'variables').mkdir()
  shutil.copy(whole / 'saved_model.pb', half)
  (half / 'variables' / 'data').write_bytes(b'num')
  assert _served(choice) == '1'
  before = list(loader.asked)
  assert _served(choice) == '1' and loader.asked == before  # not read again
  shutil.copy(whole / 'variables' / 'data', half / 'variables')
  assert _served(choice) == '2'
  assert 'version 2 is passed over' in said[1]


def test_a_version_that_goes_gives_way_to_the_one_below(
    tmp_path: pathlib.Path) -> None:
  for number in (1, 2):
    _write(tmp_path, number)
  choice, _, _ = _choice(tmp_path)
  assert _served(choice) == '2'
  shutil.rmtree(tmp_path / '2')
  assert _served(choice) == '1'
  shutil.rmtree(tmp_path / '1')
  assert _served(choice) == '1'  # none is left: what is in memory stays


def test_a_damaged_newest_one_is_passed_over(tmp_path: pathlib.Path) -> None:
  _write(tmp_path, 1)
  (_write(tmp_path, 2) / 'saved_model.pb').write_bytes(b'grapi')
  choice, _, said = _choice(tmp_path)
  assert _served(choice) == '1'
  assert said[0].startswith('version 2 is passed over: ')
  assert 'differs from its sha256' in said[0]


def test_a_named_version_stays(tmp_path: pathlib.Path) -> None:
  first = _write(tmp_path, 1)
  choice, _, _ = _choice(first)
  _write(tmp_path, 2)
  assert _served(choice) == '1'


def test_without_a_usable_version_the_reason_is_told(
    tmp_path: pathlib.Path) -> None:
  with pytest.raises(export_manifest.ExportError, match='no exported model'):
    _choice(tmp_path)
  (_write(tmp_path, 1) / 'saved_model.pb').write_bytes(b'x')
  with pytest.raises(export_manifest.ExportError, match='differs from'):
    _choice(tmp_path)


def test_the_watch_ends_when_told_and_survives_a_vanished_folder(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
  _write(tmp_path, 1)
  choice, _, said = _choice(tmp_path)
  stop = threading.Event()

  def vanish() -> None:
    if len(said) > 1:
      stop.set()
    raise OSError(2, os.strerror(2))
  monkeypatch.setattr(choice, 'refresh', vanish)
  choice.watch(stop, 0.001)
  assert 'cannot be read (No such file' in said[1]
