"""A wrong Python or a missing package: one line that says what to do."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from earsr_tf import doctor
from earsr_tf import environment
from tests import testing


def test_this_environment_is_fine() -> None:
  assert not environment.problem()
  assert not doctor.problems()


def test_wrong_python(monkeypatch: pytest.MonkeyPatch) -> None:
  monkeypatch.setattr(environment, 'PYTHON', (3, 99))
  assert environment.problem().startswith('Python 3.99 is needed, this is 3.')
  assert environment.REMEDY in environment.problem()


def test_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
  monkeypatch.setitem(environment.REQUIRED, 'no_such_module', 'no-such-dist')
  assert environment.problem() == (
      f'Missing Python packages: no-such-dist; {environment.REMEDY}.')
  with pytest.raises(ImportError, match='no-such-dist'):
    environment.require()
  assert environment.problem() in doctor.problems()


def test_wrong_version(monkeypatch: pytest.MonkeyPatch) -> None:
  monkeypatch.setitem(environment.VERSIONS, 'numpy', '2.')
  [wrong] = environment.wrong_versions()
  assert wrong.startswith('numpy 1.26.') and wrong.endswith('(needs 2.x)')


@pytest.mark.parametrize('before, after', [(None, '1'), ('0', '0')])
def test_onednn_is_asked_for_unless_the_user_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, before: str | None, after: str) -> None:
  monkeypatch.delenv('TF_ENABLE_ONEDNN_OPTS', raising=False)
  if before:
    monkeypatch.setenv('TF_ENABLE_ONEDNN_OPTS', before)
  environment.load_tensorflow()
  assert os.environ['TF_ENABLE_ONEDNN_OPTS'] == after


@pytest.mark.parametrize('module', [
    'earsr_tf.train', 'earsr_tf.evaluate', 'pipelines.run',
    'tools.make_synthetic'])
def test_command_without_packages_ends_in_one_line(module: str) -> None:
  # -S hides site-packages: a Python without the packages.
  done = subprocess.run(
      [sys.executable, '-S', '-m', module], cwd=testing.ROOT,
      capture_output=True, text=True, timeout=60, check=False)
  assert done.returncode == 1
  [line] = done.stderr.splitlines()
  assert line.startswith('earsr_tf: Missing Python packages: absl-py')
  assert environment.REMEDY in line


def test_doctor_speaks_without_packages() -> None:
  done = subprocess.run(
      [sys.executable, '-S', '-m', 'earsr_tf.doctor'], cwd=testing.ROOT,
      capture_output=True, text=True, timeout=60, check=False)
  assert done.returncode == 1
  assert 'tensorflow           missing' in done.stdout
  assert done.stderr.startswith('Problem: Missing Python packages: absl-py')


def test_doctor_prints_versions() -> None:
  done = testing.run_module('earsr_tf.doctor')
  assert done.returncode == 0
  assert 'No problem found.' in done.stdout
  assert 'tensorflow           2.15.1' in done.stdout


def test_banners_go_and_errors_stay(capfd: pytest.CaptureFixture[str]) -> None:
  with environment.stderr_without(environment._BANNERS):
    os.write(2, b'E: Unable to register cuDNN factory: twice\n')
    os.write(2, b'E: a real error\n')
  assert capfd.readouterr().err == 'E: a real error\n'
