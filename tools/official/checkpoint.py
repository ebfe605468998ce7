"""The authors' `model-0`, a TensorFlow 1 Saver checkpoint, by name.

Several generators were built before it was written, so it holds copies
(`G_synthesis`, `G_synthesis_1`, ...); the one built last is the tuned one.
"""

from __future__ import annotations

import pathlib
import re

import numpy as np
import tensorflow as tf

from tools.official import weights

_COPY = re.compile(r'G_(?:synthesis|mapping)(?:_(\d+))?/')
# TensorFlow's reader tells of damage by any of these.
_UNREADABLE = (
    tf.errors.OpError, ValueError, RuntimeError, LookupError, OSError)
_REMEDY = (
    "name the prefix of the authors' files (.../model-0, beside "
    'model-0.index and model-0.data-00000-of-00001), or download them again')


def open_checkpoint(prefix: str) -> weights.Weights:
  """Lists what a checkpoint holds; reads no tensor yet.

  Args:
    prefix: Path without '.index'.

  Returns:
    Its tensors; slashes in names are single.

  Raises:
    WeightsError: If there is no such checkpoint, or it is damaged.
  """
  prefix = re.sub(r'\.(index|meta|data-\d+-of-\d+)$', '', prefix)
  is_old_format = pathlib.Path(prefix).is_file()
  if not is_old_format and not pathlib.Path(f'{prefix}.index').is_file():
    raise weights.WeightsError(
        f'--checkpoint={prefix}: there is no {prefix}.index; {_REMEDY}', 66)
  try:
    reader = tf.train.load_checkpoint(prefix)
    stored = reader.get_variable_to_shape_map()
    types = reader.get_variable_to_dtype_map()
  except _UNREADABLE as error:
    raise weights.WeightsError(
        f'--checkpoint={prefix}: is no readable checkpoint '
        f'({_first_line(error)}); {_REMEDY}') from error
  names = {}
  for name in sorted(stored):
    key = re.sub('/+', '/', name)
    if key in names:
      raise weights.WeightsError(
          f'--checkpoint={prefix}: holds {names[key]} and {name}, which differ '
          f'in slashes only; {_REMEDY}')
    names[key] = name

  def read(key: str) -> np.ndarray:
    """A tensor by its name; WeightsError if it is no float."""
    if not types[names[key]].is_floating:
      raise weights.WeightsError(
          f'--checkpoint={prefix}: {key} is of type '
          f'{types[names[key]].name}, not floating point; {_REMEDY}')
    try:
      return reader.get_tensor(names[key])
    except _UNREADABLE as error:
      raise weights.WeightsError(
          f'--checkpoint={prefix}: {key} cannot be read '
          f'({_first_line(error)}); {_REMEDY}') from error

  return weights.Weights(
      f'--checkpoint={prefix}',
      {key: tuple(stored[name]) for key, name in names.items()}, read,
      _REMEDY)


def newest_copy(checkpoint: weights.Weights) -> str:
  """The suffix of the generator that was built last.

  Args:
    checkpoint: What `open_checkpoint` returned.

  Returns:
    '' or '_1', '_2', ...

  Raises:
    WeightsError: If there is no generator.
  """
  numbers = [int(match.group(1) or 0) for match in map(
      _COPY.match, checkpoint.shapes) if match]
  if not numbers:
    raise weights.WeightsError(
        f'{checkpoint.where}: holds no generator (G_synthesis, G_mapping); '
        f'{checkpoint.remedy}')
  return f'_{max(numbers)}' if max(numbers) else ''


def _first_line(error: Exception) -> str:
  """What TensorFlow says, short."""
  return str(error).strip().split('\n', maxsplit=1)[0][:200]
