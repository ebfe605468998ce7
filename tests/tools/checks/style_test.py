"""Each rule of our own is shown to fail, and clean code to pass."""

from __future__ import annotations

import pathlib

import pytest

from tests.tools.checks import small_tree
from tools.checks import style

_LONG = ''.join(f'  x = {i}\n' for i in range(41))
_CODE = 'earsr_tf/ops/a.py'

FAULTS = [
    (_CODE, "X = '/wo" "rk/data'\n", 'a path of one machine'),
    ('docs/a.md', 'see /ho' 'me/me/x\n', 'a path of one machine'),
    (_CODE, '# TO' 'DO: later\n', 'an unfinished mark'),
    ('docs/a.md', '# TO' 'DO: later\n', 'an unfinished mark'),
    (_CODE, '\n' * 301, '301 lines; at most 300'),
    (_CODE, 'if True:\n    X = 1\n', 'indent by 2 spaces'),
    (_CODE, 'if True:\n\tX = 1\n', 'indent by 2 spaces'),
    (_CODE, 'def f() -> None:\n  """Doc."""\n' + _LONG,
     'the body of f has 41 lines; at most 40'),
    (_CODE, 'def f():\n  return 1\n', 'f has no types'),
    (_CODE, 'def _f(a, *, b):\n  return a, b\n', '_f has no types'),
    (_CODE, 'class A:\n  def __init__(self, a: int):\n    self.a = a\n',
     'A() takes positional arguments'),
    ('earsr_tf/ops/utils.py', '', 'utils.py says nothing about what is inside'),
    ('tests/a_test.py', 'def test_a():\n  print(1)\n',
     'test_a asserts nothing'),
    ('tools/a.sh', '#' * 81 + '\n', '81 columns; at most 80'),
    ('docs/a.md', 'Words. \n', 'blanks at the end of the line'),
    ('docs/a.md', 'Words.', 'no newline at the end of the file'),
]


@pytest.mark.parametrize(('path', 'text', 'what'), FAULTS)
def test_finds_fault(
    path: str, text: str, what: str, tmp_path: pathlib.Path) -> None:
  [problem] = style.check(small_tree.write(tmp_path, {path: text}))
  file, _, found = problem.split(':', 2)
  assert (file, found.strip()) == (path, what)


def test_finds_files_that_are_not_utf8(tmp_path: pathlib.Path) -> None:
  (tmp_path / 'README.md').write_bytes(b'\xff\n')
  assert style.check(tmp_path) == ['README.md:1: not UTF-8']


CLEAN = {
    'docs/a.md': 'https://example.org/work/x\n',
    'earsr_tf/a.py': '''
class FileError(ValueError):
  """An error may take positional arguments."""

  def __init__(self, path: str, reason: str):
    super().__init__(f'{path}: {reason}')


class Thing:
  def __init__(self):
    self.size = 1

  def area(self, *, scale: float) -> float:
    def square(x):
      return x * x
    return square(self.size) * scale
''',
    'earsr_tf/forty.py':
        'def f() -> None:\n  """Doc."""\n' + _LONG[:-len('  x = 40\n')],
    'tests/a_test.py': (
        'def test_a():\n  assert x\n'
        'def test_b():\n  with pytest.raises(E):\n    f()\n'
        'def test_c():\n  np.testing.assert_allclose(a, b)\n'
        'def test_d():\n  _check(x)\n'),
}


def test_clean_code(tmp_path: pathlib.Path) -> None:
  assert not style.check(small_tree.write(tmp_path, CLEAN))
