"""What the style asks and neither ruff nor import-linter can see.

Files of at most 300 lines, bodies of functions of at most 40, indents by two
spaces, keyword-only constructors, types on every function, tests that assert,
names of files that say something, no machine paths and no unfinished marks.
"""

from __future__ import annotations

import ast
import pathlib
import re
import tokenize
from typing import Iterator

from tools.checks import source_tree

COLUMNS = 80
FILE_LINES = 300
BODY_LINES = 40
INDENT = 2
# Names that say nothing about what is inside.
VAGUE_FILES = ('utils.py', 'util.py', 'helpers.py', 'misc.py', 'common.py')
# Paths that exist on somebody's machine only; marks of unfinished work. Both
# are put together here so that this file does not contain them.
_MACHINE_PATH = re.compile(
    '(?<![A-Za-z0-9_.}])/(?:' + '|'.join(
        ('work', 'root', 'home', 'Users', 'mnt')) + ')/')
_UNFINISHED = re.compile(
    r'\b(?:' + '|'.join(('TO' 'DO', 'FIX' 'ME', 'X' 'XX', 'T' 'BD')) + r')\b')
_TEXT = ('.py', '.sh', '.md', '.txt', '.ini', '.toml', '')
_ASSERTING = re.compile(r'^_?(assert|check|expect|fail|raises|warns)')
_UNFREE_TEXT = ('LICENSE', 'constraints.txt')

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Problems = Iterator[tuple[int, str]]


def _check_text(path: str, text: str) -> _Problems:
  """Any text file; the columns and blanks of Python files are ruff's."""
  lines = text.splitlines()
  is_python = path.endswith('.py')
  for number, line in enumerate(lines, 1):
    if path.endswith('.sh') and len(line) > COLUMNS:
      yield number, f'{len(line)} columns; at most {COLUMNS}'
    if not is_python and line != line.rstrip():
      yield number, 'blanks at the end of the line'
    if _MACHINE_PATH.search(line):
      yield number, 'a path of one machine'
    if _UNFINISHED.search(line):
      yield number, 'an unfinished mark'
  if is_python and len(lines) > FILE_LINES:
    yield len(lines), f'{len(lines)} lines; at most {FILE_LINES}'
  if not is_python and text and not text.endswith('\n'):
    yield len(lines), 'no newline at the end of the file'


def _check_indents(file: pathlib.Path) -> _Problems:
  """Blocks; ruff's E111 knows no width but four."""
  stack = [0]
  with open(file, 'rb') as stream:
    for token in tokenize.tokenize(stream.readline):
      if token.type == tokenize.INDENT:
        if '\t' in token.string or len(token.string) != stack[-1] + INDENT:
          yield token.start[0], f'indent by {INDENT} spaces'
        stack.append(len(token.string))
      elif token.type == tokenize.DEDENT:
        stack.pop()


def _functions(
    tree: ast.Module) -> Iterator[tuple[_Function, ast.ClassDef | None]]:
  """Yields module-level functions and methods with their class."""
  for node in tree.body:
    if isinstance(node, _Function):
      yield node, None
    elif isinstance(node, ast.ClassDef):
      for item in node.body:
        if isinstance(item, _Function):
          yield item, node


def _check_sizes(tree: ast.Module) -> _Problems:
  """Long bodies, without their docstring."""
  for node in ast.walk(tree):
    if isinstance(node, _Function):
      body = node.body[bool(ast.get_docstring(node)):]
      length = body[-1].end_lineno - body[0].lineno + 1 if body else 0
      if length > BODY_LINES:
        yield node.lineno, (f'the body of {node.name} has {length} lines; '
                            f'at most {BODY_LINES}')


def _check_signatures(tree: ast.Module) -> _Problems:
  """Constructors with positional arguments (errors may); no type at all."""
  for node, owner in _functions(tree):
    positional = [*node.args.posonlyargs, *node.args.args][bool(owner):]
    if (positional and node.name == '__init__'
        and not owner.name.endswith('Error')):
      yield node.lineno, f'{owner.name}() takes positional arguments'
    every = [*positional, *node.args.kwonlyargs,
             *filter(None, (node.args.vararg, node.args.kwarg))]
    if (node.returns is None and not any(a.annotation for a in every)
        and (every or node.name != '__init__')):
      yield node.lineno, f'{node.name} has no types'


def _asserts(node: ast.AST) -> bool:
  """Whether anything in the node can fail on purpose."""
  for part in ast.walk(node):
    if isinstance(part, ast.Assert):
      return True
    if isinstance(part, ast.Call):
      function = part.func
      name = getattr(function, 'attr', getattr(function, 'id', ''))
      if _ASSERTING.match(name):
        return True
  return False


def _check_python(path: str, file: pathlib.Path) -> _Problems:
  """Problems of a Python file that need its syntax tree."""
  tree = source_tree.parse(file)
  yield from _check_indents(file)
  yield from _check_sizes(tree)
  if file.name in VAGUE_FILES:
    yield 1, f'{file.name} says nothing about what is inside'
  if not path.startswith('tests/'):
    yield from _check_signatures(tree)
    return
  for node, _ in _functions(tree):
    if node.name.startswith('test') and not _asserts(node):
      yield node.lineno, f'{node.name} asserts nothing'


def _check_file(root: pathlib.Path, file: pathlib.Path) -> list[str]:
  path = file.relative_to(root).as_posix()
  if file.suffix not in _TEXT or file.name in _UNFREE_TEXT:
    return []
  try:
    found = list(_check_text(path, file.read_text(encoding='utf-8')))
  except UnicodeDecodeError:
    return [f'{path}:1: not UTF-8']
  if file.suffix == '.py':
    found += _check_python(path, file)
  return [f'{path}:{line}: {what}' for line, what in sorted(set(found))]


def check(root: pathlib.Path) -> list[str]:
  """Returns every breach of the style below `root`, '<file>:<line>: <what>'."""
  return [
      problem for file in source_tree.files(root)
      for problem in _check_file(root, file)]
