"""Pictures to score: strips of tiles, or outputs beside their originals.

Imports no TensorFlow: bad folders are refused at once.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
from typing import Iterator, Mapping

import numpy as np

from earsr_tf.media import reader
from earsr_tf.media.reader import MediaError

FACTOR = 16  # of the degradation
STRIP_KEYS = ('c', 'h')  # rows of Table 1 in the third and fourth tile
OUTPUT_KEYS = ('output',)
_TILES = 4


@dataclasses.dataclass(frozen=True)
class Picture:
  """One face: the original and what methods made of its small version.

  Attributes:
    name: File name without its ending.
    truth: [H, W, 3] uint8; H and W are multiples of 16.
    outputs: Row key -> [H, W, 3] uint8.
  """
  name: str
  truth: np.ndarray
  outputs: Mapping[str, np.ndarray]


def read_strips(folder: str) -> Iterator[Picture]:
  """Reads strips of four square tiles: original, input, E_l, F.

  The form of the pictures that the paper's authors published. The second tile
  is for the eye only: scoring makes the input from the original.

  Args:
    folder: Holds pictures 4 H wide and H high, and no other files.

  Yields:
    A picture per file, in order of name, with outputs 'c' and 'h'.

  Raises:
    MediaError: If the folder is missing or empty or a file is no such strip.
  """
  for name, path in _list(folder, 'images').items():
    strip = reader.read_image(path)
    height, width = strip.shape[:2]
    if width != _TILES * height or height % FACTOR:
      raise MediaError(
          path, f'has {width}x{height} pixels and is no strip of {_TILES} '
          f'square tiles with sides that are multiples of {FACTOR}',
          'for plain outputs name the folder of the originals with --truth')
    truth, _, *outputs = np.split(strip, _TILES, axis=1)
    yield Picture(name, truth, dict(zip(STRIP_KEYS, outputs)))


def read_pairs(folder: str, truth: str) -> Iterator[Picture]:
  """Reads outputs, and originals of the same names in another folder.

  Args:
    folder: Outputs, pictures of any format that `media.reader` reads, and no
      other files.
    truth: Originals; the files' endings may differ.

  Yields:
    A picture per name, in order, with the output 'output'.

  Raises:
    MediaError: If a folder is missing or empty, a name is in one of them
      only, a file is no picture, or sizes differ or are no multiples of 16.
  """
  outputs, originals = _list(folder, 'images'), _list(truth, 'truth')
  _check_names(outputs, originals, truth)
  _check_names(originals, outputs, folder)
  for name, path in outputs.items():
    output, original = reader.read_image(path), reader.read_image(
        originals[name])
    height, width = output.shape[:2]
    if output.shape != original.shape:
      raise MediaError(
          path, f'has {width}x{height} pixels, {originals[name]} has '
          f'{original.shape[1]}x{original.shape[0]}',
          'give both the same size')
    if height % FACTOR or width % FACTOR:
      raise MediaError(
          path, f'has {width}x{height} pixels', 'sides must be multiples of '
          f'{FACTOR}, the factor of the degradation')
    yield Picture(name, original, {'output': output})


def _list(folder: str, flag: str) -> dict[str, pathlib.Path]:
  """Name without ending -> file, sorted; hidden files and folders are not."""
  try:
    paths = sorted(
        path for path in pathlib.Path(folder).iterdir()
        if not path.name.startswith('.') and not path.is_dir())
  except FileNotFoundError:
    raise MediaError(folder, 'no such folder', f'check --{flag}',
                     exit_code=66) from None
  except OSError as error:
    raise MediaError(
        folder, f'cannot be listed ({os.strerror(error.errno)})',
        f'name a folder of pictures with --{flag}') from None
  if not paths:
    raise MediaError(folder, 'holds no pictures',
                     f'name a folder of pictures with --{flag}', exit_code=66)
  found: dict[str, pathlib.Path] = {}
  for path in paths:
    if path.stem in found:
      raise MediaError(
          path, f'has the same name as {found[path.stem].name}',
          'keep one file per name')
    found[path.stem] = path
  return found


def _check_names(some: Mapping[str, pathlib.Path],
                 others: Mapping[str, pathlib.Path], folder: str) -> None:
  """Raises MediaError if a name is missing in the other folder."""
  absent = [name for name in some if name not in others]
  if absent:
    count = f' (and {len(absent) - 1} more)' if absent[1:] else ''
    raise MediaError(
        some[absent[0]], f'has no counterpart in {folder}{count}',
        'outputs and originals need the same names')
