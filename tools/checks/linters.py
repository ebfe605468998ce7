"""ruff and import-linter, with the rules in this project's pyproject.toml."""

from __future__ import annotations

import pathlib
import subprocess
import sys

from tools.checks import source_tree

_CONFIG = source_tree.ROOT / 'pyproject.toml'
_IMPORT_LINTER = 'from importlinter import cli; cli.lint_imports_command()'


def _run(root: pathlib.Path, *command: str) -> list[str]:
  """What a tool says about the files below `root`; nothing if all is well."""
  done = subprocess.run(
      [sys.executable, *command], cwd=root, check=False, text=True,
      stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
  lines = [line.rstrip() for line in done.stdout.splitlines() if line.strip()]
  if done.returncode and not lines:
    return [f'{" ".join(command)} ended with code {done.returncode}']
  return lines if done.returncode else []


def ruff(root: pathlib.Path) -> list[str]:
  """Returns what ruff finds below `root`, '<file>:<line>:<column>: <what>'."""
  return _run(root, '-m', 'ruff', 'check', '--no-cache', '--quiet',
              '--output-format=concise', f'--config={_CONFIG}', '.')


def import_linter(root: pathlib.Path) -> list[str]:
  """Returns import-linter's report on `root`, nothing if no rule is broken."""
  return _run(root, '-c', _IMPORT_LINTER, '--no-cache', '--no-logo',
              str(_CONFIG))
