"""python -m tools.checks: every rule of the project about its own files."""

from __future__ import annotations

import pathlib
import sys

from tools.checks import build
from tools.checks import linters
from tools.checks import source_tree
from tools.checks import style
from tools.checks import tensors

CHECKS = {
    'ruff': linters.ruff,
    'import-linter': linters.import_linter,
    'tensors at import': tensors.check,
    'BUILD files': build.check,
    'style': style.check,
}


def main(root: pathlib.Path) -> int:
  """Prints what is wrong below `root` and a line per check; the exit code."""
  failed = 0
  for name, check in CHECKS.items():
    problems = check(root)
    print(*problems, f'{name}: {"failed" if problems else "ok"}', sep='\n')
    failed |= bool(problems)
  return failed


if __name__ == '__main__':
  sys.exit(main(source_tree.ROOT))
