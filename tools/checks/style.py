"""python -m tools.checks.style: what the style guide asks and a tool can see.

Google's Python style with two-space indents and 80 columns; files of at most
300 lines, functions of at most 40, six positional parameters, keyword-only
constructors, docstrings and annotations on everything public, tests that
assert, no machine paths and no unfinished marks.
"""

from __future__ import annotations

import ast
import pathlib
import re
import sys
import tokenize
from typing import Iterator

from tools.checks import source_tree

COLUMNS = 80
FILE_LINES = 300
BODY_LINES = 40
POSITIONAL = 6
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
_TEXT = ('.py', '.sh', '.md', '.txt', '.ini', '')
_ASSERTING = re.compile(r'^_?(assert|check|expect|fail|raises|warns)')
_UNFREE_TEXT = ('LICENSE', 'constraints.txt')
# TFX's decorator makes a constructor with keywords only out of a function,
# and cannot read keyword-only parameters itself.
_KEYWORD_DECORATORS = ('component',)

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Problems = Iterator[tuple[int, str]]


def _is_test_code(path: str) -> bool:
  return path.startswith('tests/')


def check_text(path: str, text: str) -> _Problems:
  """Yields problems of any text file."""
  lines = text.splitlines()
  for number, line in enumerate(lines, 1):
    if path.endswith(('.py', '.sh')) and len(line) > COLUMNS:
      yield number, f'{len(line)} columns; at most {COLUMNS}'
    if line != line.rstrip():
      yield number, 'blanks at the end of the line'
    if _MACHINE_PATH.search(line):
      yield number, 'a path of one machine'
    if _UNFINISHED.search(line):
      yield number, 'an unfinished mark'
  if path.endswith('.py') and len(lines) > FILE_LINES:
    yield len(lines), f'{len(lines)} lines; at most {FILE_LINES}'
  if text and not text.endswith('\n'):
    yield len(lines), 'no newline at the end of the file'


def check_indents(file: pathlib.Path) -> _Problems:
  """Yields blocks that are not indented by two spaces more."""
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


def _body_lines(node: _Function) -> int:
  """Returns the lines of a body without its docstring."""
  body = node.body[1:] if ast.get_docstring(node) else node.body
  return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def check_sizes(tree: ast.Module) -> _Problems:
  """Yields long functions and long parameter lists."""
  for node in ast.walk(tree):
    if not isinstance(node, _Function):
      continue
    length = _body_lines(node)
    if length > BODY_LINES:
      yield node.lineno, (
          f'the body of {node.name} has {length} lines; at most {BODY_LINES}')
    names = [a.arg for a in [*node.args.posonlyargs, *node.args.args]]
    count = len([name for name in names if name not in ('self', 'cls')])
    if count > POSITIONAL and not any(
        getattr(decorator, 'id', '') in _KEYWORD_DECORATORS
        for decorator in node.decorator_list):
      yield node.lineno, (
          f'{node.name} has {count} positional parameters; '
          f'at most {POSITIONAL}')


def check_docstrings(tree: ast.Module) -> _Problems:
  """Yields public names without a docstring."""
  if not ast.get_docstring(tree):
    yield 1, 'the module has no docstring'
  for node in tree.body:
    if isinstance(node, ast.ClassDef) and not node.name.startswith('_'):
      if not ast.get_docstring(node):
        yield node.lineno, f'class {node.name} has no docstring'
  for node, owner in _functions(tree):
    is_private = node.name.startswith('_') or (
        owner is not None and owner.name.startswith('_'))
    is_setter = any(
        isinstance(d, ast.Attribute) and d.attr in ('setter', 'deleter')
        for d in node.decorator_list)
    if not (is_private or is_setter or ast.get_docstring(node)):
      yield node.lineno, f'{node.name} has no docstring'


def check_annotations(tree: ast.Module) -> _Problems:
  """Yields parameters and results without a type."""
  for node, owner in _functions(tree):
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs,
             *filter(None, (arguments.vararg, arguments.kwarg))]
    bare = [
        a.arg for i, a in enumerate(every) if a.annotation is None
        and not (owner is not None and i == 0 and a.arg in ('self', 'cls'))]
    if bare:
      yield node.lineno, f'{node.name}: no type for {", ".join(bare)}'
    if node.returns is None and node.name != '__init__':
      yield node.lineno, f'{node.name}: no type for the result'


def check_constructors(tree: ast.Module) -> _Problems:
  """Yields constructors that take positional arguments (errors may)."""
  for node, owner in _functions(tree):
    if node.name != '__init__' or owner.name.endswith('Error'):
      continue
    if len(node.args.posonlyargs) + len(node.args.args) > 1:
      yield node.lineno, f'{owner.name}() takes positional arguments'


def _exported(tree: ast.Module) -> set[str]:
  """Returns the strings of `__all__`: names imported to be passed on."""
  for node in tree.body:
    if isinstance(node, ast.Assign) and any(
        getattr(target, 'id', '') == '__all__' for target in node.targets):
      return set(ast.literal_eval(node.value))
  return set()


def check_habits(tree: ast.Module, is_test: bool) -> _Problems:
  """Yields bare excepts, asserts in the product and unused imports."""
  used = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
  used |= _exported(tree)
  for node in ast.walk(tree):
    if isinstance(node, ast.ExceptHandler) and node.type is None:
      yield node.lineno, 'a bare except'
    if isinstance(node, ast.Assert) and not is_test:
      yield node.lineno, 'assert vanishes under -O; raise an error'
  for item in source_tree.imports(tree):
    if item.alias not in used and not item.module.startswith('__future__'):
      yield item.line, f'{item.alias} is imported and never used'


def _asserts(node: ast.AST) -> bool:
  """Returns whether anything in the node can fail on purpose."""
  for part in ast.walk(node):
    if isinstance(part, ast.Assert):
      return True
    if isinstance(part, ast.Call):
      function = part.func
      name = getattr(function, 'attr', getattr(function, 'id', ''))
      if _ASSERTING.match(name):
        return True
  return False


def check_tests(tree: ast.Module) -> _Problems:
  """Yields tests that assert nothing."""
  for node, _ in _functions(tree):
    if node.name.startswith('test') and not _asserts(node):
      yield node.lineno, f'{node.name} asserts nothing'


def _check_python(path: str, file: pathlib.Path) -> _Problems:
  """Yields the problems of a Python file that need its syntax tree."""
  tree = source_tree.parse(file)
  yield from check_indents(file)
  yield from check_sizes(tree)
  yield from check_habits(tree, _is_test_code(path))
  if file.name in VAGUE_FILES:
    yield 1, f'{file.name} says nothing about what is inside'
  if _is_test_code(path):
    yield from check_tests(tree)
    if not ast.get_docstring(tree):
      yield 1, 'the module has no docstring'
  else:
    yield from check_docstrings(tree)
    yield from check_annotations(tree)
    yield from check_constructors(tree)


def check_file(root: pathlib.Path, file: pathlib.Path) -> list[str]:
  """Returns the problems of one file."""
  path = file.relative_to(root).as_posix()
  if file.suffix not in _TEXT or file.name in _UNFREE_TEXT:
    return []
  try:
    found = list(check_text(path, file.read_text(encoding='utf-8')))
  except UnicodeDecodeError:
    return [f'{path}:1: not UTF-8']
  if file.suffix == '.py':
    found += _check_python(path, file)
  return [f'{path}:{line}: {what}' for line, what in sorted(set(found))]


def check(root: pathlib.Path) -> list[str]:
  """Returns every breach of the style below `root`, one line each."""
  return [
      problem for file in source_tree.files(root)
      for problem in check_file(root, file)]


if __name__ == '__main__':
  sys.exit(source_tree.report(check(source_tree.ROOT), 'style'))
