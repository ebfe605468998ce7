"""python -m tools.checks.build: a BUILD file in every folder, true to the code.

One target per file: `py_library`, `py_binary` (files with a `__main__` block),
`py_test` (`*_test.py`) or `sh_binary`, named after the file's stem, with the
dependencies that its imports imply. `--fix` writes the BUILD files.
"""

from __future__ import annotations

import ast
import dataclasses
import pathlib
import sys

from tools.checks import source_tree

# Import name -> distribution, where they differ.
DISTRIBUTIONS = {
    'PIL': 'pillow',
    'absl': 'absl_py',
    'google': 'protobuf',
    'tfx': 'ml_pipelines_sdk',
}
_HEADER = '# Written by `python -m tools.checks.build --fix`; checked in CI.\n'
_LICENSE = 'licenses(["notice"])  # Apache 2.0\n'
_VISIBILITY = 'package(default_visibility = ["//visibility:public"])\n'
_PLAIN_NAME = 'files'


@dataclasses.dataclass(frozen=True)
class Target:
  """One rule of a BUILD file."""
  rule: str
  name: str
  srcs: tuple[str, ...]
  deps: tuple[str, ...] = ()
  testonly: bool = False

  def text(self) -> str:
    """Returns the rule as it stands in a BUILD file."""
    lines = [f'{self.rule}(', f'    name = "{self.name}",']
    if self.testonly:
      lines.append('    testonly = True,')
    lines += _list('srcs', self.srcs) + _list('deps', self.deps)
    return '\n'.join([*lines, ')\n'])


def _list(name: str, values: tuple[str, ...]) -> list[str]:
  if not values:
    return []
  if len(values) == 1:
    return [f'    {name} = ["{values[0]}"],']
  return [f'    {name} = [', *(f'        "{v}",' for v in values), '    ],']


def _label(root: pathlib.Path, folder: pathlib.Path,
           target: pathlib.Path) -> str:
  package = target.parent.relative_to(root).as_posix()
  if target.parent == folder:
    return f':{target.stem}'
  return f'//{package}:{target.stem}'


def dependencies(root: pathlib.Path, file: pathlib.Path) -> tuple[str, ...]:
  """Returns the labels of what a Python file imports, ours first."""
  ours, others = set(), set()
  for item in source_tree.imports(source_tree.parse(file)):
    top = item.module.partition('.')[0]
    target = source_tree.module_file(root, item.module)
    if target is not None and target != file:
      ours.add(_label(root, file.parent, target))
    elif target is None and top not in sys.stdlib_module_names:
      name = DISTRIBUTIONS.get(top, top).lower()
      others.add(f'@pypi//{name}')
  return (*sorted(ours), *sorted(others))


def _has_main(file: pathlib.Path) -> bool:
  return any(
      isinstance(node, ast.If) and '__main__' in ast.dump(node.test)
      for node in source_tree.parse(file).body)


def _target(root: pathlib.Path, file: pathlib.Path) -> Target | None:
  """Returns the target of a file, None for files that need none."""
  if file.suffix == '.sh':
    return Target('sh_binary', file.stem, (file.name,))
  if file.suffix != '.py':
    return None
  rule = 'py_library'
  if file.name.endswith('_test.py'):
    rule = 'py_test'
  elif _has_main(file):
    rule = 'py_binary'
  is_support = 'tests' in file.relative_to(root).parts and rule != 'py_test'
  return Target(rule, file.stem, (file.name,), dependencies(root, file),
                testonly=is_support)


def targets(root: pathlib.Path, folder: pathlib.Path) -> list[Target]:
  """Returns the targets that the BUILD file of a folder must hold."""
  listed = [
      path for path in source_tree.files(root)
      if path.parent == folder and path.name != 'BUILD']
  found = [_target(root, path) for path in listed]
  rest = tuple(
      path.name for path, target in zip(listed, found) if target is None)
  if rest:
    found.append(Target('filegroup', _PLAIN_NAME, rest))
  return [target for target in found if target is not None]


def folders(root: pathlib.Path) -> list[pathlib.Path]:
  """Returns every folder that must hold a BUILD file."""
  found = {root}
  for path in source_tree.files(root):
    parents = path.relative_to(root).parents
    found |= {root / parent for parent in parents}
  return sorted(found)


def text(wanted: list[Target]) -> str:
  """Returns the BUILD file that holds these targets."""
  head = '\n'.join([_HEADER + _VISIBILITY, _LICENSE])
  return '\n'.join([head, *(target.text() for target in wanted)])


def read(file: pathlib.Path) -> dict[str, Target]:
  """Returns the targets of a BUILD file by name.

  Raises:
    ValueError: If it is not the plain subset of Starlark used here.
  """
  found = {}
  for node in source_tree.parse(file).body:
    call = getattr(node, 'value', None)
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
      raise ValueError(f'{file}:{node.lineno}: only rules are expected here')
    if call.func.id in ('package', 'licenses'):
      continue
    values = {k.arg: ast.literal_eval(k.value) for k in call.keywords}
    target = Target(
        call.func.id, values.get('name', ''), tuple(values.get('srcs', ())),
        tuple(values.get('deps', ())), values.get('testonly', False))
    found[target.name] = target
  return found


def _differences(where: str, wanted: Target, given: Target) -> list[str]:
  found = []
  if given.rule != wanted.rule:
    found.append(f'{where} is {given.rule}, not {wanted.rule}')
  if set(given.srcs) != set(wanted.srcs):
    found.append(f'{where} has srcs {given.srcs}, not {wanted.srcs}')
  if given.testonly != wanted.testonly:
    found.append(f'{where} has testonly {given.testonly}')
  for dep in sorted(set(wanted.deps) - set(given.deps)):
    found.append(f'{where} lacks the dependency {dep}')
  for dep in sorted(set(given.deps) - set(wanted.deps)):
    found.append(f'{where} does not use {dep}')
  return found


def check_folder(root: pathlib.Path, folder: pathlib.Path) -> list[str]:
  """Returns what is wrong with the BUILD file of a folder."""
  file = folder / 'BUILD'
  where = file.relative_to(root).as_posix()
  if not file.is_file():
    return [f'{where}: missing']
  try:
    given = read(file)
  except (SyntaxError, ValueError) as error:
    return [f'{where}: unreadable: {error}']
  wanted = {target.name: target for target in targets(root, folder)}
  found = [f'{where}: no target {name}' for name in wanted.keys() - given]
  found += [f'{where}: no file for {name}' for name in given.keys() - wanted]
  for name in wanted.keys() & given.keys():
    found += _differences(f'{where}: {name}', wanted[name], given[name])
  return sorted(found)


def check(root: pathlib.Path) -> list[str]:
  """Returns every disagreement between BUILD files and code."""
  stray = [
      f'{path.relative_to(root).as_posix()}: no file in this folder'
      for path in source_tree.files(root, 'BUILD')
      if path.parent not in folders_with_files(root)]
  return stray + [
      problem for folder in folders(root)
      for problem in check_folder(root, folder)]


def folders_with_files(root: pathlib.Path) -> set[pathlib.Path]:
  """Returns the folders that hold something besides a BUILD file."""
  found = {root}
  for path in source_tree.files(root):
    if path.name != 'BUILD':
      parents = path.relative_to(root).parents
      found |= {root / parent for parent in parents}
  return found


def fix(root: pathlib.Path) -> None:
  """Writes every BUILD file anew; removes those of empty folders."""
  wanted = folders_with_files(root)
  for path in list(source_tree.files(root, 'BUILD')):
    if path.parent not in wanted:
      path.unlink()
  for folder in wanted:
    content = text(targets(root, folder))
    (folder / 'BUILD').write_text(content, encoding='utf-8')


def main(arguments: list[str]) -> int:
  """Checks, or writes with `--fix`; returns the exit code."""
  if arguments not in ([], ['--fix']):
    print('usage: python -m tools.checks.build [--fix]', file=sys.stderr)
    return 1
  if arguments:
    fix(source_tree.ROOT)
  return source_tree.report(check(source_tree.ROOT), 'BUILD files')


if __name__ == '__main__':
  sys.exit(main(sys.argv[1:]))
