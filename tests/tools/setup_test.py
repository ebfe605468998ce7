"""tools/setup.sh without the network: the stamp and the wrong Python."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys

from tests import testing

SCRIPT = 'tools/setup.sh'


def _run(venv: pathlib.Path, path: str) -> subprocess.CompletedProcess[str]:
  return subprocess.run(
      ['bash', SCRIPT], cwd=testing.ROOT, capture_output=True, text=True,
      env=dict(os.environ, EARSR_VENV=str(venv), PATH=path), timeout=60,
      check=False)


def _fake_python(folder: pathlib.Path, name: str, code: int) -> None:
  folder.mkdir(exist_ok=True)
  (folder / name).write_text(f'#!/bin/sh\nexit {code}\n')
  (folder / name).chmod(0o755)


def test_wrong_python_is_one_line(tmp_path: pathlib.Path) -> None:
  for name in ('python3.11', 'python3', 'python'):
    _fake_python(tmp_path / 'bin', name, 1)
  done = _run(tmp_path / 'venv', f'{tmp_path}/bin:/usr/bin:/bin')
  assert done.returncode == 1
  [line] = done.stderr.splitlines()
  assert line.startswith('setup: Python 3.11 is needed')
  assert not (tmp_path / 'venv').exists()


def test_stamped_environment_is_taken_at_once(tmp_path: pathlib.Path) -> None:
  venv = tmp_path / 'venv'
  (venv / 'bin').mkdir(parents=True)
  (venv / 'bin' / 'python').symlink_to(sys.executable)
  content = b''.join(
      (testing.ROOT / name).read_bytes()
      for name in ('requirements.txt', 'constraints.txt'))
  sums = subprocess.run(
      ['cksum'], input=content, capture_output=True, check=True).stdout
  sdk = re.search(
      "sdk='(.*?)'", (testing.ROOT / SCRIPT).read_text()).group(1)
  (venv / 'earsr_tf.stamp').write_text(f'{sums.decode().strip()} {sdk}\n')
  done = _run(venv, os.environ['PATH'])
  assert (done.returncode, done.stderr) == (0, '')
  assert done.stdout == f'{venv}/bin/python\n'
