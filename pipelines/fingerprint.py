"""Hashes that name code and data, for the parameters of components.

A component depends on the sources that its step can reach, found by following
the imports; an edit elsewhere leaves its result valid.
"""

from __future__ import annotations

import ast
import hashlib
import os
import pathlib
from typing import Iterable

_ROOT = pathlib.Path(__file__).resolve().parent.parent
_PACKAGES = ('earsr_tf', 'pipelines')


def _file_of(module: str) -> pathlib.Path | None:
  """Returns the file of one of our modules, None for other names."""
  base = _ROOT.joinpath(*module.split('.'))
  for path in (base.with_suffix('.py'), base / '__init__.py'):
    if module.partition('.')[0] in _PACKAGES and path.is_file():
      return path
  return None


def _imported(path: pathlib.Path) -> set[str]:
  """Returns the modules that a file may import, anywhere in it."""
  found = set()
  for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
    if isinstance(node, ast.Import):
      found |= {name.name for name in node.names}
    elif isinstance(node, ast.ImportFrom) and node.module:
      found |= {node.module, *(
          f'{node.module}.{name.name}' for name in node.names)}
  return found


def reachable(modules: Iterable[str]) -> list[pathlib.Path]:
  """Returns our source files that these modules can reach, sorted.

  Args:
    modules: Dotted names; those loaded by name at run time must be listed.

  Raises:
    ValueError: If one of them does not exist.
  """
  todo, seen = list(modules), set()
  for module in todo:
    if _file_of(module) is None:
      raise ValueError(f'there is no module {module}')
  while todo:
    path = _file_of(todo.pop())
    if path is not None and path not in seen:
      seen.add(path)
      todo += _imported(path)
  return sorted(seen)


def code(*modules: str) -> str:
  """Returns a hash of all sources that these modules can reach."""
  digest = hashlib.sha256()
  for path in reachable(modules):
    digest.update(path.relative_to(_ROOT).as_posix().encode() + b'\0')
    digest.update(path.read_bytes() + b'\0')
  return digest.hexdigest()[:16]


def listing(folder: str) -> str:
  """Returns a hash of names, sizes and times of the files in a folder."""
  digest = hashlib.sha256()
  for parent, folders, names in os.walk(folder):
    folders.sort()
    for name in sorted(names):
      path = os.path.join(parent, name)
      status = os.stat(path)
      digest.update(
          f'{os.path.relpath(path, folder)}\0{status.st_size}\0'
          f'{status.st_mtime_ns}\0'.encode('utf-8', 'surrogateescape'))
  return digest.hexdigest()[:16]


def files(paths: Iterable[pathlib.Path]) -> str:
  """Returns a hash of the contents of files, in the given order."""
  digest = hashlib.sha256()
  for path in paths:
    with open(path, 'rb') as stream:
      digest.update(hashlib.file_digest(stream, 'sha256').digest())
  return digest.hexdigest()
