"""The command refuses what no suite has."""

from __future__ import annotations

import importlib

from tests import testing
from tools.benchmark import __main__ as command


def test_the_command_names_unknown_parts():
  for module in command.SUITES.values():
    assert importlib.import_module(module).PARTS
  done = testing.run_module('tools.benchmark', '--parts=prepare,speed')
  assert done.returncode == 1
  assert '--parts=speed' in done.stderr and 'memory' in done.stderr
