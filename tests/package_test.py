"""The wheel: built, installed elsewhere, and used from another folder."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

import pytest

import earsr_tf
from pipelines import fingerprint
from tests import run_folder
from tests import testing

_PACKAGES = ('earsr_tf', 'pipelines', 'tools')
_API = '''
import pathlib
import sys
import numpy as np
import earsr_tf
assert pathlib.Path(earsr_tf.__file__).is_relative_to(sys.argv[1])
assert 'numpy' not in vars(earsr_tf) and 'tensorflow' not in sys.modules
model = earsr_tf.load('models')
hum = np.sin(np.arange(32000) / 20)
face = np.arange(300, dtype=np.uint8)[:, None, None] * np.ones(
    [1, 300, 3], np.uint8)
made = model.super_resolve([face, face], hum, strength=0.5,
                           sample_rate_hz=8000, consistency=1)
assert made.shape == (2, 128, 128, 3) and made.dtype == np.uint8
assert np.abs(made[0].astype(int) - made[1]).max() <= 1
print(int(made.std()))
'''


def _pip(*arguments: str) -> None:
  """Runs pip without the network."""
  done = subprocess.run(
      [sys.executable, '-m', 'pip', '--disable-pip-version-check', *arguments],
      capture_output=True, text=True, timeout=300, check=False)
  assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


@pytest.fixture(scope='module', name='wheel')
def _wheel(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
  """The wheel of the sources, built from a copy: building leaves files."""
  source = tmp_path_factory.mktemp('source')
  for name in _PACKAGES:
    shutil.copytree(testing.ROOT / name, source / name,
                    ignore=shutil.ignore_patterns('__pycache__'))
  for name in ('pyproject.toml', 'README.md', 'LICENSE'):
    shutil.copy(testing.ROOT / name, source)
  output = tmp_path_factory.mktemp('wheel')
  _pip('wheel', '--no-deps', '--no-build-isolation', '--no-index', '-w',
       str(output), str(source))
  [path] = output.iterdir()
  return path


@pytest.fixture(scope='module', name='site')
def _site(wheel: pathlib.Path,
          tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
  """A folder with the package installed, on top of this environment."""
  folder = tmp_path_factory.mktemp('site')
  _pip('install', '--no-deps', '--no-index', '--target', str(folder),
       str(wheel))
  return folder


@pytest.fixture(name='elsewhere')
def _elsewhere(tmp_path: pathlib.Path) -> pathlib.Path:
  """A working folder that is no clone."""
  folder = tmp_path / 'work'
  folder.mkdir()
  return folder


def _run(site: pathlib.Path, folder: pathlib.Path, *arguments: str
         ) -> subprocess.CompletedProcess[str]:
  """Runs Python with the installed package in another folder."""
  environment = dict(
      os.environ, PYTHONPATH=str(site), TF_CPP_MIN_LOG_LEVEL='2')
  return subprocess.run(
      [sys.executable, *arguments], cwd=folder, env=environment,
      capture_output=True, text=True, timeout=300, check=False)


def _done(*arguments: object) -> str:
  """As `_run`, which must succeed; returns its output."""
  done = _run(*arguments)
  assert done.returncode == 0, done.stdout[-500:] + done.stderr[-2000:]
  return done.stdout


def _commands(site: pathlib.Path) -> list[str]:
  """Modules that users start with `python -m`."""
  found = []
  for name in _PACKAGES:
    for path in [*(site / name).glob('*.py'),
                 *(site / name).glob('*/__main__.py')]:
      if re.search(r'^(if __name__ ==|  cli\.run)', path.read_text(), re.M):
        module = '.'.join(path.relative_to(site).with_suffix('').parts)
        found.append(module.removesuffix('.__main__'))
  return sorted(found)


def test_the_wheel_holds_the_packages_and_their_data(
    wheel: pathlib.Path) -> None:
  assert wheel.name == f'earsr_tf-{earsr_tf.__version__}-py3-none-any.whl'
  with zipfile.ZipFile(wheel) as archive:
    names = set(archive.namelist())
    info = f'earsr_tf-{earsr_tf.__version__}.dist-info'
    metadata = archive.read(f'{info}/METADATA').decode()
  assert {'earsr_tf/py.typed', 'earsr_tf/data/datasets/pairs.py',
          'pipelines/ingest/shard.py', 'tools/report/__main__.py',
          f'{info}/licenses/LICENSE'} <= names
  assert {name.split('/')[0] for name in names} == {*_PACKAGES, info}
  assert not [name for name in names
              if name.startswith('tools/checks') or name.endswith('BUILD')]
  for folder in _PACKAGES:  # every template and table that the code reads
    for path in (testing.ROOT / folder).rglob('*'):
      if path.suffix in ('.html', '.npz', '.css', '.jinja'):
        assert path.relative_to(testing.ROOT).as_posix() in names
  for line in ('License-Expression: Apache-2.0',
               'Requires-Python: <3.12,>=3.11',
               'Requires-Dist: tensorflow==2.15.1',
               "Requires-Dist: kserve<0.16,>=0.15; extra == \"serving\""):
    assert line in metadata.splitlines()


def test_another_folder_runs_what_is_installed(
    site: pathlib.Path, elsewhere: pathlib.Path) -> None:
  script = ('import earsr_tf, pipelines, tools; print(earsr_tf.__file__, '
            'pipelines.__file__, tools.__file__)')
  for path in _done(site, elsewhere, '-c', script).split():
    assert pathlib.Path(path).is_relative_to(site)
  assert 'No problem found.' in _done(
      site, elsewhere, '-m', 'earsr_tf.doctor')
  done = _run(site, elsewhere, '-m', 'earsr_tf.super_resolve', '--model=x')
  assert (done.returncode, done.stdout) == (1, '')
  assert done.stderr.startswith('error: --output is required: a PNG or JPEG')
  assert not list(elsewhere.iterdir())


def test_messages_of_an_installed_package_name_no_script(
    site: pathlib.Path, elsewhere: pathlib.Path) -> None:
  script = ('from earsr_tf import environment as e; print(e.REMEDY); print('
            'e.remedy(["ml-pipelines-sdk"])); print(e.remedy(["apache-beam", '
            '"ml-pipelines-sdk"]))')
  remedy, sdk, both = _done(site, elsewhere, '-c', script).splitlines()
  assert "pip install -c constraints.txt '.[pipelines]'" in remedy
  assert sdk.startswith('pip install --no-deps --ignore-requires-python ml-')
  assert both == f'{remedy}; then {sdk}'
  assert '.sh' not in remedy + sdk


@pytest.mark.parametrize('hidden, command, sentence', [
    ('apache_beam', 'tools.prepare_voxceleb2 --input=. --output=out',
     'apache-beam; install with Python 3.11, in a clone of earsr_tf: pip '),
    ('tfx', 'pipelines.run --preset=tiny --root=out',
     'ml-pipelines-sdk; pip install --no-deps --ignore-requires-python ml-')])
def test_a_missing_extra_is_one_line(
    site: pathlib.Path, elsewhere: pathlib.Path, hidden: str, command: str,
    sentence: str) -> None:
  # A finder that hides a package, as where the extra is not installed.
  module, *arguments = command.split()
  script = f'''
import runpy, sys, importlib.util
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: (
    None if name == {hidden!r} else real(name, *rest))
sys.argv = ['command', *{arguments!r}]
runpy.run_module({module!r}, run_name='__main__')
'''
  done = _run(site, elsewhere, '-c', script)
  assert (done.returncode, done.stdout) == (1, '')
  [line] = done.stderr.splitlines()
  assert line.startswith(
      f'error: earsr_tf: Missing Python packages: {sentence}')
  assert not list(elsewhere.iterdir())


def test_pipelines_know_their_sources(
    site: pathlib.Path, elsewhere: pathlib.Path) -> None:
  # A pipeline's root goes on under an installation of the same sources.
  script = ('from pipelines import fingerprint; '
            "print(fingerprint.code('pipelines.executors'))")
  assert _done(site, elsewhere, '-c', script).strip() == fingerprint.code(
      'pipelines.executors')


@pytest.mark.slow
def test_every_command_has_help(
    site: pathlib.Path, elsewhere: pathlib.Path) -> None:
  commands = _commands(site)
  assert {'earsr_tf.train', 'earsr_tf.evaluate', 'earsr_tf.export',
          'earsr_tf.super_resolve', 'pipelines.run', 'tools.make_synthetic',
          'tools.prepare_voxceleb2', 'tools.verify_data', 'tools.data_card',
          'tools.preview_batch', 'tools.report', 'tools.import_official'} <= (
              set(commands))
  for command in commands:
    text = _done(site, elsewhere, '-m', command, '--help')
    assert '--' in text or command in (
        'earsr_tf.doctor', 'pipelines.infra_probe'), command
  for line in ('earsr_tf.train --stage=audio --preset=tiny',
               'earsr_tf.export --output=x', 'earsr_tf.evaluate',
               'pipelines.run --preset=tiny', 'tools.report x',
               'tools.make_synthetic --output=x --speakers=2'):
    assert _done(site, elsewhere, '-m', *line.split(), '--dry_run').strip()
  assert not list(elsewhere.iterdir())


@pytest.mark.slow
def test_data_are_made_and_prepared(
    site: pathlib.Path, elsewhere: pathlib.Path) -> None:
  _done(site, elsewhere, '-m', 'tools.make_synthetic', '--output=tree',
        '--speakers=3', '--workers=2', '--open_set_share=0.4')
  _done(site, elsewhere, '-m', 'tools.prepare_voxceleb2', '--input=tree',
        '--output=data', '--workers=2', '--shards=1')
  assert _done(site, elsewhere, '-m', 'tools.verify_data', 'data').startswith(
      'data: whole: ')
  _done(site, elsewhere, '-m', 'tools.data_card', 'data', '--output=card.html')
  assert (elsewhere / 'card.html').stat().st_size > 1000


@pytest.mark.slow
def test_a_model_is_exported_and_used(
    site: pathlib.Path, elsewhere: pathlib.Path) -> None:
  run_folder.write_run(elsewhere / 'runs')
  assert _done(site, elsewhere, '-m', 'earsr_tf.export', '--run_root=runs',
               '--output=models').strip().endswith('1')
  assert int(_done(site, elsewhere, '-c', _API, str(site))) > 1
