"""super_resolve on folders full of hostile files: lines, never an end."""

from __future__ import annotations

import os
import pathlib

import pytest

from earsr_tf import cli
from earsr_tf import super_resolve
from tests import testing
from tools.hostile import corpus


def _flatten(paths: list[pathlib.Path], folder: pathlib.Path
             ) -> list[pathlib.Path]:
  """Links to files in one folder, under names that are all different."""
  folder.mkdir()
  links = [folder / f'{i:04d}_{p.name}' for i, p in enumerate(paths)]
  for path, link in zip(paths, links):
    link.symlink_to(path)
  return links


def _run(model: str, image: pathlib.Path, audio: pathlib.Path,
         output: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> int:
  """Runs; checks code, lines and files; returns the number of faces made."""
  # Folders are walked, links to folders are not.
  total = sum(not path.is_dir() for path in image.iterdir())
  code = cli.guard(lambda: super_resolve.run(
      model, str(image), str(audio), str(output), notice=lambda text: None))
  lines = capsys.readouterr().err.splitlines()
  made = len(os.listdir(output))
  assert code == 65
  assert all(line.startswith('error: ') and line.isprintable()
             for line in lines)
  assert len(lines) == total - made + 1
  assert not [line for line in lines if 'please report it' in line]
  assert f'{made} of {total} faces written' in lines[-1]
  return made


def _both_ways(model: str, paths: list[pathlib.Path], scratch: pathlib.Path,
               capsys: pytest.CaptureFixture[str]) -> tuple[int, int]:
  """As faces with one good voice, and as voices of one good face."""
  links = _flatten(paths, scratch / 'files')
  (scratch / 'voice.wav').write_bytes(corpus.voice(4.0))
  faces = scratch / 'faces'
  faces.mkdir()
  for link in links:
    (faces / f'{link.stem}.png').write_bytes(corpus.face())
  return (
      _run(model, scratch / 'files', scratch / 'voice.wav',
           scratch / 'from_faces', capsys),
      _run(model, faces, scratch / 'files', scratch / 'from_voices', capsys))


@pytest.mark.slow
def test_made_files(model, tmp_path, capsys):
  paths = corpus.write(tmp_path / 'made')
  faces, voices = _both_ways(model, paths, tmp_path, capsys)
  assert 5 <= faces <= 30 and 6 <= voices <= 40


@pytest.mark.slow
def test_all_hostile_files(model, tmp_path, capsys):
  root = testing.shared_dir() / 'data' / 'robustness'
  paths = sorted(p for p in root.rglob('*') if p.is_file())
  assert len(paths) == 341
  faces, voices = _both_ways(model, paths, tmp_path, capsys)
  assert 100 <= faces <= 228 and 5 <= voices <= 110
