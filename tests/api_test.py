"""`import earsr_tf` is light: what costs time is loaded when it is needed."""

from __future__ import annotations

import ast
import re
import subprocess
import sys

from tests import testing

# Seconds each, or a tenth of one, and no help before a model is opened.
_HEAVY = ('tensorflow', 'keras', 'numpy', 'scipy', 'PIL', 'absl', 'google',
          'importlib.metadata', 'tqdm')
_SCRIPT = '''
import sys
before = set(sys.modules)
import earsr_tf
print(*sorted(set(sys.modules) - before))
assert callable(earsr_tf.load) and earsr_tf.__version__
{more}
print(*sorted(set(sys.modules) - before))
'''


def _loaded(more: str = '') -> tuple[set[str], set[str]]:
  """Modules after the import, and after what follows."""
  done = subprocess.run(
      [sys.executable, '-c', _SCRIPT.format(more=more)], cwd=testing.ROOT,
      capture_output=True, text=True, timeout=60, check=False)
  assert done.returncode == 0, done.stderr
  first, second = done.stdout.splitlines()
  return set(first.split()), set(second.split())


def test_the_import_loads_nothing_heavy() -> None:
  modules, _ = _loaded()
  assert not modules & set(_HEAVY)
  assert {m for m in modules if m.startswith('earsr_tf')} == {
      'earsr_tf', 'earsr_tf.environment'}
  assert len(modules) < 60  # of the standard library


def test_a_missing_model_is_refused_without_tensorflow() -> None:
  _, modules = _loaded('''
try:
  earsr_tf.load('absent')
except ValueError as error:
  assert 'absent: no such folder; export a model with python' in str(error)
else:
  raise AssertionError
''')
  assert 'numpy' in modules and 'tensorflow' not in modules


def test_the_documentation_names_every_argument() -> None:
  text = (testing.ROOT / 'docs' / 'api.md').read_text(encoding='utf-8')
  source = (testing.ROOT / 'earsr_tf' / 'trained_model.py').read_text(
      encoding='utf-8')
  [made] = [
      node for node in ast.walk(ast.parse(source))
      if isinstance(node, ast.FunctionDef) and node.name == 'super_resolve']
  names = [a.arg for a in [*made.args.args[1:], *made.args.kwonlyargs]]
  rows = re.findall(r'^\| `(\w+)=?[^`]*` \|', text, re.M)
  assert rows[:len(names)] == names
