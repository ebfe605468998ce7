"""The BUILD check sees every disagreement, and --fix removes them all."""

from __future__ import annotations

import pathlib

import pytest

from tools.checks import build


@pytest.fixture(name='root')
def _root(tmp_path: pathlib.Path) -> pathlib.Path:
  files = {
      'earsr_tf/__init__.py': '"""Package."""\n',
      'earsr_tf/ops/a.py': 'import math\nimport numpy as np\n',
      'earsr_tf/ops/b.py':
          'from absl import app\nfrom earsr_tf.ops import a\n'
          'def f():\n  import PIL.Image\n'
          "if __name__ == '__main__':\n  app.run(f)\n",
      'tests/testing.py': 'import pytest\n',
      'tests/ops/a_test.py':
          'from earsr_tf.ops.a import np\nfrom tests import testing\n',
      'tools/go.sh': '#!/bin/sh\n',
      'docs/guide.md': '# Guide\n',
      'README.md': '# Project\n',
  }
  for path, text in files.items():
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text(text)
  build.fix(tmp_path)
  return tmp_path


def test_fixed_tree_is_clean(root: pathlib.Path) -> None:
  assert not build.check(root)


def test_rules_and_dependencies(root: pathlib.Path) -> None:
  ops = build.read(root / 'earsr_tf/ops/BUILD')
  assert ops['a'] == build.Target(
      'py_library', 'a', ('a.py',), ('@pypi//numpy',))
  assert ops['b'] == build.Target(
      'py_binary', 'b', ('b.py',), (':a', '@pypi//absl_py', '@pypi//pillow'))
  tests = build.read(root / 'tests/ops/BUILD')
  assert tests['a_test'] == build.Target(
      'py_test', 'a_test', ('a_test.py',),
      ('//earsr_tf/ops:a', '//tests:testing'))
  assert build.read(root / 'tests/BUILD')['testing'].testonly
  assert build.read(root / 'tools/BUILD')['go'].rule == 'sh_binary'
  docs = build.read(root / 'docs/BUILD')['files']
  assert (docs.rule, docs.srcs) == ('filegroup', ('guide.md',))


def _replace(file: pathlib.Path, old: str, new: str) -> None:
  text = file.read_text()
  assert old in text
  file.write_text(text.replace(old, new))


def test_missing_file(root: pathlib.Path) -> None:
  (root / 'docs/BUILD').unlink()
  assert build.check(root) == ['docs/BUILD: missing']


def test_missing_dependency(root: pathlib.Path) -> None:
  _replace(root / 'earsr_tf/ops/BUILD', '        ":a",\n', '')
  assert build.check(root) == [
      'earsr_tf/ops/BUILD: b lacks the dependency :a']


def test_unused_dependency(root: pathlib.Path) -> None:
  _replace(root / 'earsr_tf/ops/a.py', 'import numpy as np\n', '')
  assert build.check(root) == [
      'earsr_tf/ops/BUILD: a does not use @pypi//numpy']


def test_new_and_deleted_files(root: pathlib.Path) -> None:
  (root / 'earsr_tf/ops/a.py').rename(root / 'earsr_tf/ops/c.py')
  problems = build.check(root)
  assert 'earsr_tf/ops/BUILD: no file for a' in problems
  assert 'earsr_tf/ops/BUILD: no target c' in problems


def test_wrong_rule_and_sources(root: pathlib.Path) -> None:
  _replace(root / 'tests/ops/BUILD', 'py_test', 'py_library')
  _replace(root / 'earsr_tf/BUILD', '"__init__.py"', '"other.py"')
  assert build.check(root) == [
      "earsr_tf/BUILD: __init__ has srcs ('other.py',), not "
      "('__init__.py',)",
      'tests/ops/BUILD: a_test is py_library, not py_test']


def test_unreadable(root: pathlib.Path) -> None:
  (root / 'tools/BUILD').write_text('[x for x in y]\n')
  [problem] = build.check(root)
  assert problem.startswith('tools/BUILD: unreadable: ')


def test_folder_left_behind(root: pathlib.Path) -> None:
  (root / 'docs/guide.md').unlink()
  assert any('no file' in p for p in build.check(root))
  build.fix(root)
  assert not (root / 'docs/BUILD').exists()
  assert not build.check(root)


def test_usage(capsys: pytest.CaptureFixture[str]) -> None:
  assert build.main(['--fxi']) == 1
  assert 'usage' in capsys.readouterr().err
