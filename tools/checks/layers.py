"""python -m tools.checks.layers: who may import whom, from one literal list.

A file imports lower layers or its own group, nothing else; some names belong
to one place; nothing creates a tensor when it is imported, because a single
module-level constant makes the later set-up of devices fail.
"""

from __future__ import annotations

import ast
import dataclasses
import pathlib
import sys

from tools.checks import source_tree

# (layer, group, path prefixes). The longest matching prefix counts. Groups
# of one layer never import each other.
LAYERS = (
    (0, 'config', ('earsr_tf/config', 'earsr_tf/presets.py',
                   'earsr_tf/environment.py', 'earsr_tf/durable.py',
                   'earsr_tf/__init__.py')),
    (1, 'ops', ('earsr_tf/ops/',)),
    (2, 'media', ('earsr_tf/media/',)),
    (2, 'synthetic', ('earsr_tf/synthetic/',)),
    (3, 'data', ('earsr_tf/data/',)),
    (3, 'models', ('earsr_tf/models/',)),
    (3, 'losses', ('earsr_tf/losses/',)),
    (4, 'stages', ('earsr_tf/stages/',)),
    (5, 'training', ('earsr_tf/training/',)),
    (6, 'evaluation', ('earsr_tf/evaluation/',)),
    (7, 'serving', ('earsr_tf/serving/',)),
    (8, 'commands', ('earsr_tf/',)),
    (9, 'pipelines', ('pipelines/',)),
    (10, 'tools', ('tools/',)),
    (11, 'tests', ('tests/',)),
)
# Module -> path prefixes that may import it.
ONLY = {
    'absl.flags': (
        'earsr_tf/cli.py', 'earsr_tf/flags.py', 'earsr_tf/train.py',
        'earsr_tf/evaluate.py',
        'earsr_tf/export.py', 'earsr_tf/super_resolve.py', 'pipelines/',
        'tools/', 'tests/'),
    # Tests may compare with these.
    'tensorflow_io': ('earsr_tf/data/audio.py', 'tests/'),
    'tensorflow_addons': ('earsr_tf/models/layers.py', 'tests/'),
}
# Attribute -> path prefixes that may use it.
ONLY_ATTRIBUTE = {
    'tensorflow.distribute': ('earsr_tf/training/', 'tests/'),
}
# Of the stages, training/ knows the records only.
TRAINING_KNOWS = 'earsr_tf/stages/stage.py'
# Calls into TensorFlow that create no tensor, allowed at import.
HARMLESS = (
    'tensorflow.function', 'tensorflow.TensorSpec', 'tensorflow.TensorShape',
    'tensorflow.io.FixedLenFeature', 'tensorflow.io.VarLenFeature',
    'tensorflow.io.RaggedFeature',
    'tensorflow.keras.utils.register_keras_serializable',
    'tensorflow.autograph.experimental.do_not_convert')
_TENSOR_PACKAGES = (
    'tensorflow', 'tensorflow_io', 'tensorflow_addons', 'keras')


@dataclasses.dataclass(frozen=True)
class _Place:
  """Where a file stands."""
  layer: int
  group: str


def place(path: str) -> _Place | None:
  """Returns the place of a file given relative to the root, or None."""
  best, length = None, -1
  for layer, group, prefixes in LAYERS:
    for prefix in prefixes:
      if path.startswith(prefix) and len(prefix) > length:
        best, length = _Place(layer, group), len(prefix)
  return best


def _import_problem(path: str, module: str, target: str) -> str:
  """Returns why `path` may not import our file `target`, or ''."""
  here, there = place(path), place(target)
  if here is None or there is None:
    return f'{path if here is None else target} has no layer in LAYERS'
  if here.group == there.group:
    return ''
  if there.layer >= here.layer:
    return (f'{here.group} (layer {here.layer}) imports {module} of '
            f'{there.group} (layer {there.layer})')
  if (here.group == 'training' and there.group == 'stages'
      and target not in (TRAINING_KNOWS, 'earsr_tf/stages/__init__.py')):
    return f'training knows stages.stage only, not {module}'
  return ''


def _is_in(module: str, package: str) -> bool:
  return module == package or module.startswith(package + '.')


def _dotted(node: ast.AST, aliases: dict[str, str]) -> str:
  """Returns 'tensorflow.io.parse' for `tf.io.parse`, '' if not a name."""
  parts: list[str] = []
  while isinstance(node, ast.Attribute):
    parts.append(node.attr)
    node = node.value
  if not isinstance(node, ast.Name):
    return ''
  return '.'.join([aliases.get(node.id, node.id), *reversed(parts)])


def _aliases(tree: ast.AST) -> dict[str, str]:
  """Returns name in the file -> full dotted name."""
  return {
      item.alias: (item.module if item.alias != item.module.partition('.')[0]
                   else item.alias)
      for item in source_tree.imports(tree)}


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


def _use_problems(path: str, tree: ast.Module) -> list[tuple[int, str]]:
  """Returns uses of names that belong elsewhere and tensors at import."""
  aliases = _aliases(tree)
  found = []
  for node in ast.walk(tree):
    if isinstance(node, ast.Attribute):
      name = _dotted(node, aliases)
      for owned, prefixes in ONLY_ATTRIBUTE.items():
        if name == owned and not path.startswith(prefixes):
          found.append((node.lineno, f'{owned} belongs to {prefixes[0]}'))
  visitor = _ImportTimeCalls()
  visitor.visit(tree)
  for call in visitor.calls:
    name = _dotted(call.func, aliases)
    if name.partition('.')[0] in _TENSOR_PACKAGES and name not in HARMLESS:
      found.append((call.lineno, f'{name}() runs when this is imported'))
  return found


def check_file(root: pathlib.Path, file: pathlib.Path) -> list[str]:
  """Returns the problems of one file."""
  path = file.relative_to(root).as_posix()
  tree = source_tree.parse(file)
  found = _use_problems(path, tree)
  for item in source_tree.imports(tree):
    for owned, prefixes in ONLY.items():
      if _is_in(item.module, owned) and not path.startswith(prefixes):
        found.append((item.line, f'{owned} belongs to {", ".join(prefixes)}'))
    if _is_in(item.module, 'tensorflow.distribute') and not path.startswith(
        ONLY_ATTRIBUTE['tensorflow.distribute']):
      found.append((item.line, 'tensorflow.distribute belongs to training/'))
    target = source_tree.module_file(root, item.module)
    if target is not None:
      problem = _import_problem(
          path, item.module, target.relative_to(root).as_posix())
      if problem:
        found.append((item.line, problem))
    elif item.module.partition('.')[0] in source_tree.PACKAGES and (
        item.module not in source_tree.PACKAGES):
      found.append((item.line, f'no such module: {item.module}'))
  return [f'{path}:{line}: {what}' for line, what in sorted(set(found))]


def check(root: pathlib.Path) -> list[str]:
  """Returns every breach of the rules below `root`, one line each."""
  return [
      problem for file in source_tree.python_files(root)
      for problem in check_file(root, file)]


if __name__ == '__main__':
  sys.exit(source_tree.report(check(source_tree.ROOT), 'layers'))
