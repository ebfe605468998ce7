"""The tour compiles, names what exists, and runs at `tiny`."""

from __future__ import annotations

import ast
import importlib
import pathlib

import numpy as np
from PIL import Image
import pytest

from tests import testing
from tools.checks import source_tree

TOUR = testing.ROOT / 'docs' / 'tour.py'


def _dotted(node: ast.AST, modules: dict[str, str]) -> str:
  """'earsr_tf.train.run' for `train.run`, '' for what is not the project's."""
  parts: list[str] = []
  while isinstance(node, ast.Attribute):
    parts.append(node.attr)
    node = node.value
  if not isinstance(node, ast.Name) or node.id not in modules:
    return ''
  return '.'.join([modules[node.id], *reversed(parts)])


def _names(code: str) -> set[str]:
  """Dotted names of the project that the code uses."""
  tree = ast.parse(code)
  modules = {
      item.alias: item.module for item in source_tree.imports(tree)
      if item.module.partition('.')[0] in source_tree.PACKAGES}
  found = {_dotted(node, modules) for node in ast.walk(tree)}
  return found - {''}


def _is_there(name: str) -> bool:
  """Whether a module, or an attribute of a module, has this name."""
  try:
    importlib.import_module(name)
    return True
  except ModuleNotFoundError:
    module, _, attribute = name.rpartition('.')
    if not module or not _is_there(module):
      return False
    return hasattr(importlib.import_module(module), attribute)


def test_missing_names_are_seen() -> None:
  names = _names('import os\nfrom earsr_tf import train\n'
                 'train.run(os.sep)\ntrain.walk()\n')
  assert names == {
      'earsr_tf.train', 'earsr_tf.train.run', 'earsr_tf.train.walk'}
  assert {name for name in names if not _is_there(name)} == {
      'earsr_tf.train.walk'}


def test_it_is_python_and_every_name_exists() -> None:
  code = TOUR.read_text(encoding='utf-8')
  compile(code, str(TOUR), 'exec')
  names = _names(code)
  assert {'earsr_tf.load', 'earsr_tf.train.run', 'earsr_tf.evaluate.run',
          'earsr_tf.export.run', 'pipelines.ingest.prepare.run'} <= names
  assert sorted(name for name in names if not _is_there(name)) == []


def test_cells_are_short() -> None:
  first, *cells = TOUR.read_text(encoding='utf-8').split('# %%')
  assert first == '' and len(cells) >= 15
  assert max(len(cell.splitlines()) for cell in cells) <= 30


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_it_runs(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
  monkeypatch.setenv('EARSR_TOUR', str(tmp_path / 'a tour'))
  done = testing.run_module('docs.tour', timeout_s=900)
  assert done.returncode == 0, done.stderr[-2000:]
  for words in ('24 clips', 'closed_test   4 clips of 4 people',
                'face        (128, 128, 3) uint8', 'fusion     16 images',
                '(h) F + tuned E_a', '(128, 128, 3) uint8'):
    assert words in done.stdout, done.stdout
  with Image.open(tmp_path / 'a tour' / 'out.png') as picture:
    face = np.asarray(picture)
  assert face.shape == (128, 128, 3)
  assert np.ptp(face) > 0
