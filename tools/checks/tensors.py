"""Tensors made at import, and `tf.distribute` outside training/.

A single constant at the level of a module makes the later set-up of devices
fail.
"""

from __future__ import annotations

import ast
import pathlib
from typing import Iterator

from tools.checks import source_tree

# Calls into TensorFlow that create no tensor, allowed at import.
HARMLESS = (
    'tensorflow.function', 'tensorflow.TensorSpec', 'tensorflow.TensorShape',
    'tensorflow.io.FixedLenFeature', 'tensorflow.io.VarLenFeature',
    'tensorflow.io.RaggedFeature',
    'tensorflow.keras.utils.register_keras_serializable',
    'tensorflow.autograph.experimental.do_not_convert')
_TENSOR_PACKAGES = (
    'tensorflow', 'tensorflow_io', 'tensorflow_addons', 'keras')
_DISTRIBUTE = 'tensorflow.distribute'
_MAY_DISTRIBUTE = ('earsr_tf/training/', 'tests/')


def _dotted(node: ast.AST, aliases: dict[str, str]) -> str:
  """'tensorflow.io.parse' for `tf.io.parse`, '' if not a name."""
  parts: list[str] = []
  while isinstance(node, ast.Attribute):
    parts.append(node.attr)
    node = node.value
  if not isinstance(node, ast.Name):
    return ''
  return '.'.join([aliases.get(node.id, node.id), *reversed(parts)])


def _run_at_import(node: ast.AST) -> Iterator[ast.AST]:
  """The parts of a module that run when it is imported."""
  if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
    # Decorators and defaults do, the body does not.
    defaults = [*node.args.defaults, *filter(None, node.args.kw_defaults)]
    parts = [*node.decorator_list, *defaults]
  elif isinstance(node, ast.Lambda) or (
      isinstance(node, ast.If) and '__main__' in ast.dump(node.test)):
    return
  else:
    yield node
    parts = ast.iter_child_nodes(node)
  for part in parts:
    yield from _run_at_import(part)


def _problems(path: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
  imported = source_tree.imports(tree)
  aliases = {
      item.alias: item.module for item in imported
      if item.alias != item.module.partition('.')[0]}
  for node in _run_at_import(tree):
    name = _dotted(node.func, aliases) if isinstance(node, ast.Call) else ''
    if name.partition('.')[0] in _TENSOR_PACKAGES and name not in HARMLESS:
      yield node.lineno, f'{name}() runs when this is imported'
  if not path.startswith(_MAY_DISTRIBUTE):
    used = [(item.line, item.module) for item in imported]
    used += [(node.lineno, _dotted(node, aliases)) for node in ast.walk(tree)
             if isinstance(node, ast.Attribute)]
    for line, name in used:
      if f'{name}.'.startswith(f'{_DISTRIBUTE}.'):
        yield line, f'{_DISTRIBUTE} belongs to {_MAY_DISTRIBUTE[0]}'


def check(root: pathlib.Path) -> list[str]:
  """Returns every breach below `root`, '<file>:<line>: <what>'."""
  return [
      f'{path}:{line}: {what}' for file in source_tree.files(root, '.py')
      for path in [file.relative_to(root).as_posix()]
      for line, what in sorted(set(_problems(path, source_tree.parse(file))))]
