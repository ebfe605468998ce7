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


class _ImportTimeCalls(ast.NodeVisitor):
  """Collects the calls that run when a module is imported."""

  def __init__(self) -> None:
    self.calls: list[ast.Call] = []

  def _visit_function(
      self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    # Decorators and defaults run at import, the body does not.
    arguments = node.args
    defaults = [*arguments.defaults, *arguments.kw_defaults]
    for part in [*node.decorator_list, *filter(None, defaults)]:
      self.visit(part)

  visit_FunctionDef = _visit_function
  visit_AsyncFunctionDef = _visit_function

  def visit_Lambda(self, node: ast.Lambda) -> None:
    """Skips the body of a lambda."""

  def visit_If(self, node: ast.If) -> None:
    """Skips `if __name__ == '__main__'`, which no import runs."""
    if '__main__' not in ast.dump(node.test):
      self.generic_visit(node)

  def visit_Call(self, node: ast.Call) -> None:
    """Keeps the call."""
    self.calls.append(node)
    self.generic_visit(node)


def _problems(path: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
  imported = source_tree.imports(tree)
  aliases = {
      item.alias: item.module for item in imported
      if item.alias != item.module.partition('.')[0]}
  visitor = _ImportTimeCalls()
  visitor.visit(tree)
  for call in visitor.calls:
    name = _dotted(call.func, aliases)
    if name.partition('.')[0] in _TENSOR_PACKAGES and name not in HARMLESS:
      yield call.lineno, f'{name}() runs when this is imported'
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
