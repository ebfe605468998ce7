"""The data suite: whose commands it repeats, and its arithmetic."""

from __future__ import annotations

import subprocess
import sys

from tools.benchmark import data


def test_commands_of_children_are_noted():
  commands = []
  with data._recorded(commands):
    subprocess.run([sys.executable, '-c', 'pass'], check=True)
  subprocess.run([sys.executable, '-c', ''], check=True)
  assert commands == [[sys.executable, '-c', 'pass']]


def test_the_start_of_a_run_is_taken_off():
  # 2 s for the first clip, half a second for each of 8 more.
  assert data._marginal(9, 9 / 6.0, 1 / 2.0) == 2.0
