"""manifest.json of an export: the sha256 of every file, and its check.

A flipped byte in saved_model.pb loads without complaint, so files are compared
with the manifest before anything is loaded. Imports no TensorFlow: a bad path
is refused at once.
"""

from __future__ import annotations

import json
import os
import pathlib
from typing import Any, Mapping

from earsr_tf import durable

NAME = 'manifest.json'
# Names of signatures; here, so that they are known before TensorFlow is.
SUPER_RESOLVE = 'super_resolve'
SUPER_RESOLVE_STRENGTH = 'super_resolve_strength'
SUPER_RESOLVE_BYTES = 'super_resolve_bytes'
SERVING_DEFAULT = 'serving_default'
IMAGE_ONLY = 'image_only'
AUDIO_ONLY = 'audio_only'
ENCODE = 'encode'
RENDER = 'render'
SIGNATURES = (SUPER_RESOLVE, SUPER_RESOLVE_STRENGTH, SUPER_RESOLVE_BYTES,
              SERVING_DEFAULT, IMAGE_ONLY, AUDIO_ONLY, ENCODE, RENDER)
# What `--format` of the export writes for other runtimes, by its values.
PORTABLE_FILES = {'onnx': 'model.onnx', 'tflite': 'model.tflite'}
MAX_STRENGTH = 1.5  # of the voice: half more than networks were trained for
_FORMAT = 1


class ExportError(ValueError):
  """An export is missing or damaged; says which file and what to do.

  Attributes:
    exit_code: 66 when nothing is there, 65 when it is damaged.
  """

  def __init__(self, message: str, exit_code: int = 65):
    """Takes the sentence for the user and the command's exit code."""
    super().__init__(message)
    self.exit_code = exit_code


def write(folder: pathlib.Path, facts: Mapping[str, Any]) -> None:
  """Writes manifest.json over all files of a folder and syncs them to disk.

  Args:
    folder: Folder that holds a complete SavedModel.
    facts: Further JSON-ready entries, such as where the weights come from.
  """
  files = {}
  for path in sorted(folder.rglob('*')):
    if path.is_file():
      files[path.relative_to(folder).as_posix()] = {
          'bytes': path.stat().st_size, 'sha256': durable.sha256(path)}
      durable.sync(path)
  text = json.dumps({'format': _FORMAT, **facts, 'files': files}, indent=2)
  path = folder / NAME
  path.write_text(text + '\n', encoding='utf-8')
  for item in (path, *(p for p in folder.rglob('*') if p.is_dir()), folder):
    durable.sync(item)


def verify(folder: pathlib.Path) -> dict[str, Any]:
  """Checks that every file is as it was when exported.

  Args:
    folder: A version folder.

  Returns:
    The manifest.

  Raises:
    ExportError: If the manifest or a file is missing or differs; names it.
  """
  path = folder / NAME
  try:
    manifest = json.loads(path.read_text(encoding='utf-8'))
    files = dict(manifest['files'])
    sums = {name: entry['sha256'] for name, entry in files.items()}
  except FileNotFoundError:
    raise ExportError(
        f'{path} is missing, so this is no export of earsr_tf; make one with '
        'python -m earsr_tf.export', 66) from None
  except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
    raise ExportError(
        f'{path}: damaged ({type(error).__name__}); export again') from None
  for name, expected in sums.items():
    file = folder / name
    if '..' in pathlib.PurePosixPath(name).parts or not file.is_file():
      raise ExportError(f'{file}: listed in {NAME} but missing; export again')
    if durable.sha256(file) != expected:
      raise ExportError(
          f'{file}: differs from its sha256 in {NAME}; copy or export the '
          'model again')
  return manifest


def offers(manifest: Mapping[str, Any], signature: str) -> bool:
  """Whether an export has a signature.

  Args:
    manifest: What `verify` returns; one from before there were several has
      no list of them.
    signature: Its name.
  """
  return signature in manifest.get('signatures', [SUPER_RESOLVE])


def newest(base: str | os.PathLike[str]) -> pathlib.Path:
  """Finds the version to use.

  Args:
    base: An export folder with numbered versions, or one version.

  Returns:
    The highest version below `base`, or `base` itself if it is a version.

  Raises:
    ExportError: If there is none.
  """
  base = pathlib.Path(base)
  if not base.is_dir():
    raise ExportError(
        f'{base}: no such folder; export a model with python -m '
        'earsr_tf.export --run_root=DIR --output=DIR', 66)
  if (base / 'saved_model.pb').exists():
    return base
  _check_portable(base)
  numbers = versions(base)
  if not numbers:
    raise ExportError(
        f'{base}: holds no exported model (no folder 1, 2, ...); export one '
        f'with python -m earsr_tf.export --run_root=DIR --output={base}', 66)
  _check_portable(base / str(numbers[-1]))
  return base / str(numbers[-1])


def kind(version: pathlib.Path) -> str:
  """What a version's folder holds: 'saved_model', 'onnx' or 'tflite'."""
  for name, file in PORTABLE_FILES.items():
    if (version / file).exists():
      return name
  return 'saved_model'


def _check_portable(version: pathlib.Path) -> None:
  """Refuses a version that TensorFlow does not load."""
  held = kind(version)
  if held != 'saved_model':
    raise ExportError(
        f'{version}: holds {PORTABLE_FILES[held]}, for programs of other '
        'makers; export for this one with --format=saved_model', 66)


def versions(base: pathlib.Path) -> list[int]:
  """Lists the version numbers of an export folder, ascending."""
  if not base.is_dir():
    return []
  return sorted(int(path.name) for path in base.iterdir()
                if path.name.isascii() and path.name.isdigit()
                and path.is_dir())
