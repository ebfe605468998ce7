"""The BUILD check sees every disagreement, and --fix removes them all."""

from __future__ import annotations

import pathlib

import pytest

from tests.tools.checks import small_tree
from tools.checks import build

FILES = {
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
}


@pytest.fixture(name='root')
def _root(tmp_path: pathlib.Path) -> pathlib.Path:
  small_tree.write(tmp_path, FILES)
  build.fix(tmp_path)
  assert not build.check(tmp_path)
  return tmp_path


def test_targets(root: pathlib.Path) -> None:
  ops = (root / 'earsr_tf/ops/BUILD').read_text()
  assert '''
py_library(
    name = "a",
    srcs = ["a.py"],
    deps = ["@pypi//numpy"],
)

py_binary(
    name = "b",
    srcs = ["b.py"],
    deps = [
        ":a",
        "@pypi//absl_py",
        "@pypi//pillow",
    ],
)
''' in ops
  a_test = (root / 'tests/ops/BUILD').read_text()
  assert a_test.endswith('''
py_test(
    name = "a_test",
    srcs = ["a_test.py"],
    deps = [
        "//earsr_tf/ops:a",
        "//tests:testing",
    ],
)
''')
  assert 'testonly = True' in (root / 'tests/BUILD').read_text()
  assert 'testonly' not in ops + a_test
  assert 'sh_binary(\n    name = "go"' in (root / 'tools/BUILD').read_text()
  assert 'filegroup(\n    name = "files",\n    srcs = ["guide.md"]' in (
      root / 'docs/BUILD').read_text()


def test_finds_each_disagreement(root: pathlib.Path) -> None:
  (root / 'docs/guide.md').unlink()
  (root / 'tools/BUILD').unlink()
  small_tree.write(root, {
      'earsr_tf/ops/a.py': 'import math\nimport scipy\n',
      'tests/ops/b_test.py': 'from earsr_tf.absent import c\n'})
  problems = build.check(root)
  assert 'docs/BUILD: no file in this folder' in problems
  assert 'tools/BUILD: missing' in problems
  assert 'earsr_tf/ops/BUILD: -     deps = ["@pypi//numpy"],' in problems
  assert 'earsr_tf/ops/BUILD: +     deps = ["@pypi//scipy"],' in problems
  assert 'tests/ops/BUILD: +     name = "b_test",' in problems
  assert ('tests/ops/b_test.py:1: no such module: earsr_tf.absent.c'
          in problems)
  small_tree.write(root, {'tests/ops/b_test.py': ''})
  build.fix(root)
  assert not build.check(root)
  assert not (root / 'docs/BUILD').exists()
