"""The project's files as the checks see them: listing, parsing, imports."""

from __future__ import annotations

import ast
import functools
import pathlib
from typing import Iterator, NamedTuple

ROOT = pathlib.Path(__file__).resolve().parents[2]
# What the project consists of; everything else at the top is data.
FOLDERS = ('earsr_tf', 'pipelines', 'tools', 'tests', 'docs', '.ci')
PACKAGES = ('earsr_tf', 'pipelines', 'tools', 'tests')
_GENERATED = ('__pycache__', '.pytest_cache', '.hypothesis')


class Import(NamedTuple):
  """One imported name.

  Attributes:
    line: Line of the statement.
    module: Dotted name as written, `from a.b import c` gives 'a.b.c'.
    alias: The name it has in the file, the first part for `import a.b`.
  """
  line: int
  module: str
  alias: str


def files(root: pathlib.Path, suffix: str = '') -> Iterator[pathlib.Path]:
  """Yields the project's files with this suffix, sorted."""
  for folder in FOLDERS:
    for path in sorted((root / folder).rglob(f'*{suffix}')):
      if path.is_file() and not set(path.parts) & set(_GENERATED):
        yield path
  for path in sorted(root.glob(f'*{suffix}')):
    if path.is_file() and not path.name.startswith('.'):
      yield path


@functools.cache
def _parse(text: str, filename: str) -> ast.Module:
  return ast.parse(text, filename=filename)


def parse(path: pathlib.Path) -> ast.Module:
  """Returns the syntax tree of a file; every check reads the same one.

  Raises:
    SyntaxError: If it is not Python; the message names the file.
  """
  return _parse(path.read_text(encoding='utf-8'), str(path))


def imports(tree: ast.AST) -> list[Import]:
  """Returns every import in the tree, those inside functions included."""
  found = []
  for node in ast.walk(tree):
    if isinstance(node, ast.Import):
      found += [
          Import(node.lineno, name.name,
                 name.asname or name.name.partition('.')[0])
          for name in node.names]
    elif isinstance(node, ast.ImportFrom) and not node.level:
      found += [
          Import(node.lineno, f'{node.module}.{name.name}',
                 name.asname or name.name)
          for name in node.names]
  return found


def module_file(root: pathlib.Path, module: str) -> pathlib.Path | None:
  """Returns the file of one of our modules, or None.

  Args:
    root: Root of the project.
    module: Dotted name; a trailing name inside the module is ignored, so
      'earsr_tf.ops.latent.pixel_norm' gives earsr_tf/ops/latent.py.
  """
  parts = module.split('.')
  if parts[0] not in PACKAGES:
    return None
  for end in (len(parts), len(parts) - 1):
    base = root.joinpath(*parts[:end])
    if base.with_suffix('.py').is_file():
      return base.with_suffix('.py')
    if (base / '__init__.py').is_file():
      return base / '__init__.py'
  return None
