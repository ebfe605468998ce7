"""python -m tools.checks.build: a BUILD file in every folder, true to the code.

One target per file: `py_library`, `py_binary` (files with a `__main__` block),
`py_test` (`*_test.py`) or `sh_binary`, named after the file's stem, with the
dependencies that its imports imply. `--fix` writes the BUILD files.
"""

from __future__ import annotations

import ast
import difflib
import pathlib
import sys
from typing import Sequence

from tools.checks import source_tree

# Import name -> distribution, where they differ.
DISTRIBUTIONS = {
    'PIL': 'pillow',
    'absl': 'absl_py',
    'google': 'protobuf',
    'tfx': 'ml_pipelines_sdk',
}
_HEAD = '''\
# Written by `python -m tools.checks.build --fix`; checked in CI.
package(default_visibility = ["//visibility:public"])

licenses(["notice"])  # Apache 2.0
'''


def _rule(kind: str, name: str, srcs: Sequence[str], deps: Sequence[str] = (),
          *, testonly: bool = False) -> str:
  """One target, as it stands in a BUILD file."""
  lines = [f'{kind}(', f'    name = "{name}",']
  if testonly:
    lines.append('    testonly = True,')
  for key, values in (('srcs', srcs), ('deps', deps)):
    if len(values) == 1:
      lines.append(f'    {key} = ["{values[0]}"],')
    elif values:
      lines += [f'    {key} = [', *(f'        "{v}",' for v in values),
                '    ],']
  return '\n'.join([*lines, ')\n'])


def _dependencies(root: pathlib.Path, file: pathlib.Path) -> list[str]:
  """Labels of what a Python file imports, ours first."""
  ours, others = set(), set()
  for item in source_tree.imports(source_tree.parse(file)):
    top = item.module.partition('.')[0]
    target = source_tree.module_file(root, item.module)
    if target is None and top not in sys.stdlib_module_names:
      others.add(f'@pypi//{DISTRIBUTIONS.get(top, top).lower()}')
    elif target is not None and target.parent == file.parent != target:
      ours.add(f':{target.stem}')
    elif target is not None:
      ours.add(f'//{target.parent.relative_to(root)}:{target.stem}')
  return [*sorted(ours - {f':{file.stem}'}), *sorted(others)]


def _target(root: pathlib.Path, file: pathlib.Path) -> str | None:
  """The target of a file, None for files that need none of their own."""
  if file.suffix == '.sh':
    return _rule('sh_binary', file.stem, [file.name])
  if file.suffix != '.py':
    return None
  kind = 'py_library'
  if file.name.endswith('_test.py'):
    kind = 'py_test'
  elif any(isinstance(node, ast.If) and '__main__' in ast.dump(node.test)
           for node in source_tree.parse(file).body):
    kind = 'py_binary'
  is_support = file.is_relative_to(root / 'tests') and kind != 'py_test'
  return _rule(kind, file.stem, [file.name], _dependencies(root, file),
               testonly=is_support)


def texts(root: pathlib.Path) -> dict[pathlib.Path, str]:
  """Returns BUILD file -> what it must hold, for every folder with files."""
  listed = [p for p in source_tree.files(root) if p.name != 'BUILD']
  folders = {root}
  for path in listed:
    folders |= {root / parent for parent in path.relative_to(root).parents}
  found = {}
  for folder in sorted(folders):
    here = [path for path in listed if path.parent == folder]
    targets = {path.name: _target(root, path) for path in here}
    rest = [name for name, target in targets.items() if target is None]
    rules = [target for target in targets.values() if target]
    if rest:
      rules.append(_rule('filegroup', 'files', rest))
    found[folder / 'BUILD'] = '\n'.join([_HEAD, *rules])
  return found


def check(root: pathlib.Path) -> list[str]:
  """Returns every disagreement between BUILD files and code, a line each."""
  found = [
      f'{file.relative_to(root)}:{item.line}: no such module: {item.module}'
      for file in source_tree.files(root, '.py')
      for item in source_tree.imports(source_tree.parse(file))
      if item.module.startswith(tuple(f'{p}.' for p in source_tree.PACKAGES))
      and source_tree.module_file(root, item.module) is None]
  wanted = texts(root)
  for file in sorted({*wanted, *source_tree.files(root, 'BUILD')}):
    where = file.relative_to(root)
    if file not in wanted:
      found.append(f'{where}: no file in this folder')
    elif not file.is_file():
      found.append(f'{where}: missing')
    else:
      lines = difflib.ndiff(file.read_text(encoding='utf-8').splitlines(),
                            wanted[file].splitlines())
      found += [f'{where}: {line}' for line in lines if line[0] in '+-']
  return found


def fix(root: pathlib.Path) -> None:
  """Writes every BUILD file anew; removes those of empty folders."""
  wanted = texts(root)
  for path in list(source_tree.files(root, 'BUILD')):
    if path not in wanted:
      path.unlink()
  for path, text in wanted.items():
    path.write_text(text, encoding='utf-8')


if __name__ == '__main__':
  if sys.argv[1:] != ['--fix']:
    sys.exit('usage: python -m tools.checks.build --fix\n'
             '(python -m tools.checks looks without writing)')
  fix(source_tree.ROOT)
