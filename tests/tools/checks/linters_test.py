"""One deliberate violation of each rule in pyproject.toml is found."""

from __future__ import annotations

import pathlib
import shutil

from tests.tools.checks import small_tree
from tools.checks import linters
from tools.checks import source_tree

_DOC = '"""Module."""\n'
_DEF = _DOC + '\n\ndef f('

# Name of a file in earsr_tf/ops -> (rule, text). The rule names the file.
FAULTS = {
    'line-too-long': _DOC + '# ' + 'words ' * 14 + '.\n',
    'trailing-whitespace': _DOC + 'X = 1 \n',
    'missing-newline-at-end-of-file': _DOC + 'X = 1',
    'unused-import': _DOC + 'import math\n',
    'multiple-imports-on-one-line': _DOC + 'import math, sys\nX = math, sys\n',
    'unsorted-imports':
        _DOC + '\nfrom math import e, pi\nimport sys\n\nX = e, pi, sys\n',
    'undocumented-public-module': 'X = 1\n',
    'undocumented-public-class': _DOC + '\n\nclass A:\n  x = 1\n',
    'undocumented-public-function': _DEF + ') -> int:\n  return 1\n',
    'undocumented-public-method':
        _DOC + '\n\nclass A:\n  """A."""\n\n  def g(self) -> int:\n'
        '    return 1\n',
    'undocumented-param':
        _DEF + 'a: int, b: int) -> int:\n  """Sum.\n\n  Args:\n    a: One.\n'
        '  """\n  return a + b\n',
    'missing-type-function-argument':
        _DEF + 'a, b: int) -> int:\n  """Sum."""\n  return a + b\n',
    'missing-return-type-public-function':
        _DEF + 'a: int):\n  """One more."""\n  return a + 1\n',
    'bare-except': _DOC + 'try:\n  X = 1\nexcept:\n  X = 2\n',
    'blind-except': _DOC + 'try:\n  X = 1\nexcept Exception:\n  X = 2\n',
    'assert': _DOC + 'assert len(__doc__)\n',
    'too-many-positional-arguments':
        _DEF + ', '.join(f'{c}: int' for c in 'abcdefg')
        + ') -> int:\n  """Sum."""\n  return a + b + c + d + e + f + g\n',
    'too-many-statements':
        _DEF + ') -> None:\n  """Much."""\n' + '  print()\n' * 41,
    'too-many-branches':
        _DEF + 'a: int) -> None:\n  """Much."""\n' + '  if a: print()\n' * 13,
    'complex-structure':
        _DEF + 'a: int) -> None:\n  """Much."""\n' + '  if a: print()\n' * 12,
    'too-many-return-statements':
        _DEF + 'a: int) -> int:\n  """Much."""\n' + '  if a: return 1\n' * 7,
    'banned-api': _DOC + 'from absl import flags\n\nX = flags\n',
    'relative-imports': _DOC + 'from . import latent\n\nX = latent\n',
    'private-member-access': _DOC + 'import sys\n\nsys._getframe()\n',
    'mutable-argument-default':
        _DEF + 'a: list = []) -> list:\n  """Same."""\n  return a\n',
    'invalid-all-object': _DOC + '__all__ = [1]\n',
    'global-statement':
        _DEF + ') -> None:\n  """Sets it."""\n  global _x\n  _x = 1\n',
    'unused-noqa': _DOC + 'X = 1  # noqa: E501\n',
}
CLEAN = {
    'earsr_tf/__init__.py': _DOC,
    'earsr_tf/ops/__init__.py': _DOC,
    'earsr_tf/train.py': _DOC + 'from absl import flags\n\nX = flags\n',
    'earsr_tf/flat.py': _DOC + "from math import pi\n\n__all__ = ['pi']\n",
    'earsr_tf/inner.py':
        _DEF + ') -> float:\n  """A half."""\n  def g(x):\n    return x / 2\n'
        '  return g(1)\n',
    'tests/ops/a_test.py': _DOC + '\n\ndef test_a(b):\n  assert b._c\n',
}


def _rule(problem: str) -> tuple[str, str]:
  """A line of ruff -> file, rule."""
  path, _, _, rule = problem.split(':')[:4]
  return path, rule.strip()


def test_ruff_finds_each_fault_and_nothing_in_clean_code(
    tmp_path: pathlib.Path) -> None:
  small_tree.write(tmp_path, {
      f'earsr_tf/ops/{rule.replace("-", "_")}.py': text
      for rule, text in FAULTS.items()})
  small_tree.write(tmp_path, CLEAN)
  small_tree.write(tmp_path, {'earsr_tf/lost/a.py': _DOC,
                              'tests/untold_test.py': 'X = 1\n'})
  found = {_rule(problem) for problem in linters.ruff(tmp_path)}
  wanted = {(f'earsr_tf/ops/{rule.replace("-", "_")}.py', rule)
            for rule in FAULTS}
  wanted |= {('earsr_tf/lost/a.py', 'implicit-namespace-package'),
             ('tests/untold_test.py', 'undocumented-public-module')}
  assert not wanted - found
  assert not {path for path, _ in found} & CLEAN.keys()


# Module -> what it must not import.
BREACHES = {
    'earsr_tf.ops.to_a_higher_layer': 'earsr_tf.models.fusion',
    'earsr_tf.losses.to_a_sibling': 'earsr_tf.models.layers',
    'earsr_tf.media.to_a_sibling': 'earsr_tf.synthetic.people',
    'earsr_tf.training.to_the_commands': 'earsr_tf.flags',
    'earsr_tf.serving.to_the_tools': 'tools.data_card',
    'pipelines.to_the_tools': 'tools.data_card',
    'tools.to_the_tests': 'tests.testing',
    'earsr_tf.training.to_a_stage': 'earsr_tf.stages.invert',
    'earsr_tf.data.to_io': 'tensorflow_io',
    'earsr_tf.models.to_addons': 'tensorflow_addons',
}


def test_import_linter_finds_each_breach(tmp_path: pathlib.Path) -> None:
  for package in source_tree.PACKAGES:
    shutil.copytree(
        source_tree.ROOT / package, tmp_path / package,
        ignore=lambda folder, names: [
            name for name in names if not name.endswith('.py')
            and not (pathlib.Path(folder) / name).is_dir()])
  assert not linters.import_linter(tmp_path)
  # Inside a function counts as well.
  small_tree.write(tmp_path, {
      f'{module.replace(".", "/")}.py': f'def f():\n  import {target}\n'
      for module, target in BREACHES.items()})
  small_tree.write(tmp_path, {'earsr_tf/without_a_layer.py': ''})
  report = '\n'.join(linters.import_linter(tmp_path))
  for module, target in BREACHES.items():
    assert f'{module} -> {target} (l.2)' in report, report
  assert 'without_a_layer' in report
