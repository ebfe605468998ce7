"""The style check finds each fault, and nothing in clean code."""

from __future__ import annotations

import pathlib

import pytest

from tools.checks import style

HEAD = '"""Module."""\n'
LONG = ''.join(f'  x = {i}\n' for i in range(41))

FAULTS = {
    'columns': HEAD + '#' * 81 + '\n',
    'blanks at the end': HEAD + 'X = 1 \n',
    'a path of one machine': HEAD + "X = '/wo" "rk/data'\n",
    'an unfinished mark': HEAD + '# TO' 'DO: later\n',
    'lines; at most 300': HEAD + '\n' * 300,
    'no newline': HEAD + 'X = 1',
    'indent by 2': HEAD + 'if True:\n    X = 1\n',
    'the body of f has 41 lines': (
        HEAD + 'def f() -> None:\n  """Doc."""\n' + LONG),
    'f has 7 positional parameters': (
        HEAD + 'def f(' + ', '.join(f'{c}: int' for c in 'abcdefg') +
        ') -> None:\n  """Doc."""\n'),
    'the module has no docstring': 'X = 1\n',
    'class A has no docstring': HEAD + 'class A:\n  x = 1\n',
    'g has no docstring': (
        HEAD + 'class A:\n  """Doc."""\n\n  def g(self) -> None:\n'
        '    self.x = 1\n'),
    'no type for a, c': (
        HEAD + 'def _f(a, b: int, *, c) -> None:\n  del a, b, c\n'),
    'no type for the result': HEAD + 'def _f():\n  return 1\n',
    'takes positional arguments': (
        HEAD + 'class A:\n  """Doc."""\n\n  def __init__(self, a: int):\n'
        '    self.a = a\n'),
    'a bare except': HEAD + 'try:\n  X = 1\nexcept:\n  X = 2\n',
    'assert vanishes': HEAD + 'assert 1\n',
    'math is imported': HEAD + 'import math\n',
}


def _check(root: pathlib.Path, path: str, text: str) -> list[str]:
  file = root / path
  file.parent.mkdir(parents=True, exist_ok=True)
  file.write_text(text)
  return style.check(root)


@pytest.mark.parametrize('fault', FAULTS)
def test_finds_fault(fault: str, tmp_path: pathlib.Path) -> None:
  [problem] = _check(tmp_path, 'earsr_tf/ops/a.py', FAULTS[fault])
  assert problem.startswith('earsr_tf/ops/a.py:')
  assert fault in problem


def test_clean_code(tmp_path: pathlib.Path) -> None:
  text = HEAD + '''
from __future__ import annotations

import math


class FileError(ValueError):
  """An error may take positional arguments."""

  def __init__(self, path: str, reason: str):
    super().__init__(f'{path}: {reason}')


class Thing:
  """Thing."""

  def __init__(self, *, size: int) -> None:
    self._size = size

  @property
  def size(self) -> int:
    """Size in metres."""
    return self._size


def area(radius: float, *rest: float, **more: float) -> float:
  """Returns an area."""
  del rest, more

  def square(x):
    return x * x
  return math.pi * square(radius)
'''
  assert not _check(tmp_path, 'earsr_tf/ops/a.py', text)


def test_a_name_in_all_is_used(tmp_path: pathlib.Path) -> None:
  text = HEAD + "from math import pi\n__all__ = ['pi']\n"
  assert not _check(tmp_path, 'earsr_tf/ops/a.py', text)


def test_body_of_forty_lines_is_fine(tmp_path: pathlib.Path) -> None:
  text = HEAD + 'def f() -> None:\n  """Doc."""\n' + LONG[:-len('  x = 40\n')]
  assert not _check(tmp_path, 'earsr_tf/ops/a.py', text)


def test_vague_file_name(tmp_path: pathlib.Path) -> None:
  [problem] = _check(tmp_path, 'earsr_tf/ops/utils.py', HEAD)
  assert 'utils.py says nothing' in problem


ASSERTING = (
    'assert x', 'with pytest.raises(E):\n    f()',
    'np.testing.assert_allclose(a, b)', '_check(x)', 'self.assertEqual(1, 1)')


@pytest.mark.parametrize('body', ASSERTING)
def test_tests_may_assert_in_many_ways(
    body: str, tmp_path: pathlib.Path) -> None:
  text = HEAD + f'def test_a():\n  {body}\n'
  assert not _check(tmp_path, 'tests/a_test.py', text)


def test_tests_must_assert(tmp_path: pathlib.Path) -> None:
  text = HEAD + 'def test_a():\n  print(1)\n'
  [problem] = _check(tmp_path, 'tests/a_test.py', text)
  assert 'test_a asserts nothing' in problem


def test_other_text_files(tmp_path: pathlib.Path) -> None:
  [problem] = _check(tmp_path, 'docs/a.md', 'see /ho' 'me/me/x\n')
  assert problem == 'docs/a.md:1: a path of one machine'
  assert not _check(tmp_path, 'docs/a.md', 'https://example.org/work/x\n')
  (tmp_path / 'docs/b.md').write_bytes(b'\xff\n')
  assert style.check(tmp_path) == ['docs/b.md:1: not UTF-8']


def test_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
  from tools.checks import source_tree
  assert source_tree.report([], 'style') == 0
  assert source_tree.report(['a:1: b'], 'style') == 1
  assert capsys.readouterr().out.splitlines() == [
      'style: ok', 'a:1: b', 'style: 1 problem(s)']
