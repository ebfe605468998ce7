"""pyproject.toml, requirements.txt, constraints.txt and the code agree."""

from __future__ import annotations

import re
import tomllib

from packaging import requirements
from packaging import utils
from packaging import version as version_lib
import pytest

import earsr_tf
from earsr_tf import environment
from tests import testing

_PROJECT = tomllib.loads(
    (testing.ROOT / 'pyproject.toml').read_text(encoding='utf-8'))['project']
_EXTRAS = _PROJECT['optional-dependencies']
# What tools/setup.sh installs.
_INSTALLED = ('pipelines', 'serving', 'dev')
_CLONE = [
    *_PROJECT['dependencies'], *(
        line for extra in _INSTALLED for line in _EXTRAS[extra])]


def _lines(name: str) -> list[str]:
  """The requirements of a file, without remarks."""
  text = (testing.ROOT / name).read_text(encoding='utf-8')
  return list(filter(None, (
      line.partition('#')[0].strip() for line in text.splitlines())))


def _lock() -> dict[str, str]:
  """Distribution -> version of constraints.txt."""
  made = {}
  for line in _lines('constraints.txt'):
    requirement = requirements.Requirement(line)
    name = utils.canonicalize_name(requirement.name)
    assert name not in made, f'{name} is pinned twice'
    [specifier] = requirement.specifier
    assert specifier.operator == '=='
    made[name] = specifier.version
  return made


def _normal(lines: list[str]) -> list[tuple[str, str, str]]:
  """(name, extras, versions) of requirements, in order of name."""
  made = [requirements.Requirement(line) for line in lines]
  return sorted(
      (utils.canonicalize_name(r.name), ','.join(sorted(r.extras)),
       str(r.specifier)) for r in made)


def test_a_clone_installs_what_the_package_declares() -> None:
  assert _normal(_lines('requirements.txt')) == _normal(_CLONE)


@pytest.mark.parametrize('line', _CLONE)
def test_the_lock_pins_a_version_that_fits(line: str) -> None:
  requirement = requirements.Requirement(line)
  pinned = _lock()[utils.canonicalize_name(requirement.name)]
  assert requirement.specifier.contains(version_lib.Version(pinned))


@pytest.mark.parametrize('extra', sorted(set(_EXTRAS) - set(_INSTALLED)))
def test_the_lock_fits_the_other_extras(extra: str) -> None:
  lock = _lock()
  for line in _EXTRAS[extra]:
    requirement = requirements.Requirement(line)
    name = utils.canonicalize_name(requirement.name)
    if extra == 'page':
      assert name in lock
    if name in lock:
      assert requirement.specifier.contains(lock[name]), name


def test_extras_are_the_documented_ones() -> None:
  assert sorted(_EXTRAS) == [
      'dask', 'dev', 'faces', 'heic', 'judges', 'onnx', 'page', 'peers',
      'pipelines', 'serving']


def test_what_commands_ask_for_is_required() -> None:
  core = {name for name, *_ in _normal(_PROJECT['dependencies'])}
  needed = {utils.canonicalize_name(d) for d in environment.REQUIRED.values()}
  assert needed <= core
  extra = {name for name, *_ in _normal(_EXTRAS['pipelines'])}
  assert set(environment.BEAM.values()) <= extra
  # The SDK cannot be named by an extra; see pyproject.toml.
  assert set(environment.TFX.values()) - extra == {'ml-pipelines-sdk'}
  assert set(environment.TESTS.values()) <= {
      name for name, *_ in _normal(_EXTRAS['dev'])}


def test_versions_that_are_checked_are_those_of_the_lock() -> None:
  lock = _lock()
  for name, prefix in environment.VERSIONS.items():
    assert lock[utils.canonicalize_name(name)].startswith(prefix), name


def test_the_sdk_has_one_version() -> None:
  pinned = f'ml-pipelines-sdk=={_lock()["ml-pipelines-sdk"]}'
  for name in ('tools/setup.sh', 'requirements.txt', 'pyproject.toml'):
    text = (testing.ROOT / name).read_text(encoding='utf-8')
    assert re.findall(r'ml-pipelines-sdk==[\d.]+', text) == [pinned], name
  assert environment.remedy(['ml-pipelines-sdk'])
  assert environment._SDK_COMMAND.endswith(pinned)


def test_python_and_version_stand_in_one_place() -> None:
  assert _PROJECT['requires-python'] == '>=%d.%d,<%d.%d' % (
      *environment.PYTHON, environment.PYTHON[0], environment.PYTHON[1] + 1)
  assert _PROJECT['dynamic'] == ['version'] and 'version' not in _PROJECT
  assert version_lib.Version(earsr_tf.__version__) >= version_lib.Version('1')
