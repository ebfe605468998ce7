"""Whether this Python can run the project, in one line; imports nothing big.

The versions are those of requirements.txt. Checking costs about a
millisecond: packages are looked up, not imported.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import re
import sys
import tempfile
from typing import Iterable, Iterator
import warnings

PYTHON = (3, 11)
_ABOVE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Else it is an installed package, which has no scripts and needs no tests.
IS_CLONE = os.path.exists(os.path.join(_ABOVE, 'tools', 'setup.sh'))
REMEDY = (
    'run tools/demo.sh or tools/test.sh once (they make .venv), then use '
    '.venv/bin/python' if IS_CLONE else
    "install with Python 3.11, in a clone of earsr_tf: pip install -c "
    "constraints.txt '.[pipelines]'")
# Its metadata forbids Python 3.11, on which it works; see requirements.txt.
_SDK = 'ml-pipelines-sdk'
_SDK_COMMAND = (
    f'pip install --no-deps --ignore-requires-python {_SDK}==1.16.0')

# Import name -> distribution on PyPI: what every command needs.
REQUIRED = {
    'absl': 'absl-py',
    'numpy': 'numpy',
    'scipy': 'scipy',
    'PIL': 'Pillow',
    'imageio_ffmpeg': 'imageio-ffmpeg',
    'tqdm': 'tqdm',
    'filelock': 'filelock',
    'tensorflow': 'tensorflow',
    'keras': 'keras',
    'tensorflow_io': 'tensorflow-io',
    'tensorflow_addons': 'tensorflow-addons',
    'tensorflow_serving': 'tensorflow-serving-api',
}
# Import name -> distribution: what preparing data needs besides, what
# pipelines.run does, and what tests do.
BEAM = {'apache_beam': 'apache-beam'}
TFX = {'ml_metadata': 'ml-metadata', 'tfx': _SDK}
TESTS = {'pytest': 'pytest', 'hypothesis': 'hypothesis'}
OPTIONAL = {**BEAM, **TFX, **TESTS}
# Distribution -> prefix of the version; others are known to fail.
VERSIONS = {
    'tensorflow': '2.15.',
    'keras': '2.15.',
    'tensorflow-io': '0.36.',
    'tensorflow-addons': '0.23.',
    'numpy': '1.26.',
    'absl-py': '1.',
    'protobuf': '4.25.',
    'apache-beam': '2.77.',
    'ml-metadata': '1.16.',
    'ml-pipelines-sdk': '1.16.',
}
# What importing TensorFlow's GPU build always says, as errors, on any machine.
_BANNERS = re.compile(
    rb'Unable to register cu(DNN|FFT|BLAS) factory|'
    rb'This TensorFlow binary is optimized|To enable the following instr|'
    rb'TF-TRT Warning|Could not find cuda drivers|GPU will not be used')


class MissingPackageError(ImportError):
  """A package is missing; the message says which and how to get it.

  Attributes:
    exit_code: What a command ends with.
  """
  exit_code = 1


def version(distribution: str) -> str:
  """Returns the installed version of a distribution, '' if there is none."""
  from importlib import metadata  # costs more than all else here
  try:
    return metadata.version(distribution)
  except metadata.PackageNotFoundError:
    return ''


def python_problem() -> str:
  """Returns what is wrong with this Python, '' if nothing is."""
  if sys.version_info[:2] == PYTHON:
    return ''
  return 'Python %d.%d is needed, this is %d.%d (%s)' % (
      *PYTHON, *sys.version_info[:2], sys.executable)


def missing(packages: dict[str, str]) -> list[str]:
  """Returns the distributions of `packages` that cannot be imported.

  Args:
    packages: Import name -> name of the distribution on PyPI.
  """
  return [
      distribution for module, distribution in packages.items()
      if importlib.util.find_spec(module) is None]


def wrong_versions() -> list[str]:
  """Returns '<distribution> <version> (needs <prefix>x)' where they differ."""
  found = {name: version(name) for name in VERSIONS}
  return [
      f'{name} {found[name]} (needs {prefix}x)'
      for name, prefix in VERSIONS.items()
      if found[name] and not found[name].startswith(prefix)]


def problem(packages: dict[str, str] | None = None) -> str:
  """Returns the first reason why a command cannot run, in one line, or ''.

  Args:
    packages: What it needs, import name -> distribution; REQUIRED by default.
  """
  if python_problem():
    return f'{python_problem()}; {REMEDY}.'
  absent = missing(REQUIRED if packages is None else packages)
  if absent:
    return f'Missing Python packages: {", ".join(absent)}; {remedy(absent)}.'
  return ''


def remedy(absent: Iterable[str]) -> str:
  """Returns how to get distributions that are missing."""
  if IS_CLONE or _SDK not in absent:
    return REMEDY
  if list(absent) == [_SDK]:
    return _SDK_COMMAND
  return f'{REMEDY}; then {_SDK_COMMAND}'


def require(packages: dict[str, str] | None = None) -> None:
  """Stops a command that cannot run, with one line that says what to do.

  Args:
    packages: See `problem`.

  Raises:
    SystemExit: Under `python -m ...`: the line on stderr, exit code 1.
    MissingPackageError: When imported as a library.
  """
  # The doctor must be able to speak when something is wrong.
  reason = '' if 'earsr_tf.doctor' in sys.orig_argv else problem(packages)
  if not reason:
    return
  # While `python -m package.module` imports the package, argv[0] is '-m'.
  if sys.argv[:1] == ['-m']:
    sys.exit(f'earsr_tf: {reason}')
  raise MissingPackageError(f'earsr_tf: {reason}')


def quieten() -> None:
  """Silences banners that look like errors and mean nothing here.

  Call it before TensorFlow is imported: the end-of-life notice of
  TensorFlow Addons, the plugin registration notices of TensorFlow's C++ part
  and deprecation warnings of third parties. Real errors stay visible.
  """
  os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
  os.environ.setdefault('GRPC_VERBOSITY', 'ERROR')
  warnings.filterwarnings('ignore', message='(?s).*TensorFlow Addons.*')
  for module in ('tensorflow', 'keras', 'apache_beam', 'tfx', 'google',
                 'pkg_resources', 'tensorboard', 'ml_metadata'):
    warnings.filterwarnings(
        'ignore', category=DeprecationWarning, module=module)
    warnings.filterwarnings('ignore', category=FutureWarning, module=module)


@contextlib.contextmanager
def stderr_without(banners: re.Pattern[bytes]) -> Iterator[None]:
  """Holds back what is written to file descriptor 2, less the banners.

  TensorFlow writes them from C++, where no logger can be set up; there is no
  level that hides these and keeps real errors.

  Args:
    banners: Found in lines that are dropped.
  """
  sys.stderr.flush()
  saved = os.dup(2)
  with tempfile.TemporaryFile() as held:
    os.dup2(held.fileno(), 2)
    try:
      yield
    finally:
      sys.stderr.flush()
      os.dup2(saved, 2)
      os.close(saved)
      held.seek(0)
      for line in held:
        if not banners.search(line):
          os.write(2, line)


def load_tensorflow() -> None:
  """Imports TensorFlow (about 5 s) without its banners; see `quieten`.

  oneDNN's kernels are asked for on every CPU: TensorFlow takes them by itself
  only where it finds AVX-512 VNNI, and its own gradients of convolutions with
  few channels are up to ten times slower (measured with AVX2: a step of
  `finetune` at the demo's size in half the time). TF_ENABLE_ONEDNN_OPTS=0 in
  the environment turns them off.
  """
  quieten()
  os.environ.setdefault('TF_ENABLE_ONEDNN_OPTS', '1')
  with stderr_without(_BANNERS):
    importlib.import_module('tensorflow')
