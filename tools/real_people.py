"""Lays out public faces and voices so that they can be prepared.

    python -m tools.real_people --lfw=LFW --output=people
    python -m tools.real_people --avspeech=AVSPEECH --split=REAL_SPLIT.tsv \
        --output=voices

Nothing is downloaded: docs/data.md says where the data come from. For research
only; what is written stays out of repositories and releases.
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import os
import pathlib
import re
import shutil
from typing import Iterator

from absl import flags

from earsr_tf import cli
from earsr_tf.data import manifest as manifest_lib
from earsr_tf.data.datasets import faces
from earsr_tf.data.datasets import pairs
from earsr_tf.media import reader

_SIDE = 250  # of LFW's pictures
_CROP = '43 53 156'  # what VoxCeleb2 would show of the deep-funneled ones
_TRAIN = 'train'
_COLUMNS = ('use', 'image', 'audio', 'speaker_id', 'gender')
_PICTURE = re.compile(r'(?P<person>.+)_\d{4}\.jpg')


@dataclasses.dataclass(frozen=True)
class Laid:
  """What was laid out: pictures or pairs, and people."""
  items: int
  people: int


def lay_out_lfw(source: str, output: str) -> Laid:
  """Lays out LFW, deep funneled: pictures and a table that crops them.

  Args:
    source: `<person>/<person>_0001.jpg`, 250 x 250 pixels.
    output: A folder that is not there yet; gets `labels.csv`.

  Raises:
    MissingDataError: If there are no such pictures.
    DataError: If a picture is of another size or `output` is there.
  """
  found = sorted(
      path for path in pathlib.Path(source).glob('*/*.jpg')
      if (match := _PICTURE.fullmatch(path.name))
      and match['person'] == path.parent.name)
  if not found:
    raise manifest_lib.MissingDataError(
        f'--lfw={source}: has no <person>/<person>_0001.jpg; give the folder '
        'images_deepfunneled of the repository '
        'umass-vis-lfw/umass-vis-lfw.github.io, or lfw-deepfunneled.tgz of '
        "LFW's page, unpacked")
  with _appearing(output) as folder:
    with open(folder / faces.TABLE_NAME, 'w', encoding='utf-8', newline=''
              ) as file:
      table = csv.writer(file, lineterminator='\n')
      table.writerow(('path', 'identity', 'crop'))
      for path in found:
        if reader.image_size(path) != (_SIDE, _SIDE):
          raise manifest_lib.DataError(
              f'{path}: is not {_SIDE} x {_SIDE}, as the deep-funneled '
              'pictures are; take a whole copy of these')
        name = f'{path.parent.name}/{path.name}'
        _copy(path, folder / name)
        table.writerow((name, path.parent.name, _CROP))
  return Laid(len(found), len({path.parent for path in found}))


def lay_out_avspeech(source: str, split: str, output: str) -> Laid:
  """Lays out faces and voices of AVSpeech that a table gives for training.

  No other file of the source is opened or listed.

  Args:
    source: The repository, or its folder `figures/avspeech_res`.
    split: A table with tabs and the columns use, image, audio, speaker_id,
      gender; rows whose `use` is not 'train' are left alone.
    output: A folder that is not there yet; gets `MANIFEST.tsv`.

  Raises:
    MissingDataError: If the table or a file is missing.
    DataError: If the table lacks a column or `output` is there.
  """
  rows = [row for row in _rows(split) if row['use'] == _TRAIN]
  if not rows:
    raise manifest_lib.MissingDataError(
        f"--split={split}: no row with the use '{_TRAIN}'")
  paths = {(i, part): _find(source, row[part])
           for i, row in enumerate(rows) for part in ('image', 'audio')}
  missing = [key for key, path in paths.items() if path is None]
  if missing:
    i, part = missing[0]
    raise manifest_lib.MissingDataError(
        f'--avspeech={source}: {rows[i][part]} and {len(missing) - 1} other '
        'files are not there; give the repository '
        'speech2face/speech2face.github.io or its figures/avspeech_res')
  with _appearing(output) as folder:
    lines = ['file\taudio\tspeaker_id\tgender']
    for i, row in enumerate(rows):
      names = []
      for part in ('image', 'audio'):
        path = paths[i, part]
        names.append(f'{path.parent.name}/{path.name}')
        _copy(path, folder / names[-1])
      lines.append('\t'.join((*names, row['speaker_id'], row['gender'])))
    (folder / pairs.MANIFEST_NAME).write_text(
        '\n'.join(lines) + '\n', encoding='utf-8')
  return Laid(len(rows), len({row['speaker_id'] for row in rows}))


def _rows(path: str) -> list[dict[str, str]]:
  """The rows of a split table."""
  try:
    text = pathlib.Path(path).read_text(encoding='utf-8')
  except OSError as e:
    raise manifest_lib.MissingDataError(
        f'--split={path}: cannot be read ({e.strerror}); give a table with the '
        f'columns {", ".join(_COLUMNS)}') from None
  table = csv.DictReader(
      text.splitlines(), delimiter='\t', quoting=csv.QUOTE_NONE, restval='')
  for name in _COLUMNS:
    if name not in (table.fieldnames or ()):
      raise manifest_lib.DataError(
          f'--split={path}: column {name!r} is missing from its first line; '
          f'the columns needed are {", ".join(_COLUMNS)}, separated by tabs')
  return list(table)


def _find(source: str, name: str) -> pathlib.Path | None:
  """A file by its path in the repository, or by the end of that path."""
  parts = pathlib.PurePosixPath(name).parts
  if '..' in parts or not parts or parts[0] == '/':
    return None
  paths = (pathlib.Path(source, *parts), pathlib.Path(source, *parts[-2:]))
  return next((path for path in paths if path.is_file()), None)


def _copy(path: pathlib.Path, target: pathlib.Path) -> None:
  """Copies a file and makes its folder."""
  target.parent.mkdir(parents=True, exist_ok=True)
  shutil.copyfile(path, target)


@contextlib.contextmanager
def _appearing(output: str) -> Iterator[pathlib.Path]:
  """A folder that gets its name when all in it is written, or is not there."""
  path = pathlib.Path(output)
  if path.exists():
    raise manifest_lib.DataError(
        f'--output={output}: is there already; give another folder')
  partial = path.with_name(f'{path.name}.partial')
  shutil.rmtree(partial, ignore_errors=True)  # of an interrupted run
  partial.mkdir(parents=True)
  try:
    yield partial
    os.replace(partial, path)
  finally:
    shutil.rmtree(partial, ignore_errors=True)


def main() -> None:
  """Lays out what the flags name."""
  values = flags.FLAGS
  if bool(values.lfw) == bool(values.avspeech):
    raise cli.InputError(
        'give one of --lfw and --avspeech; each is laid out into a folder of '
        'its own', cli.USAGE)
  if values.lfw:
    laid, words = lay_out_lfw(values.lfw, values.output), 'pictures'
  else:
    if not values.split:
      raise cli.InputError(
          '--avspeech needs --split: which rows may be used', cli.USAGE)
    laid, words = lay_out_avspeech(
        values.avspeech, values.split, values.output), 'pairs'
  print(f'{values.output}: {laid.items} {words} of {laid.people} people')


if __name__ == '__main__':
  flags.DEFINE_string(
      'lfw', None, 'Folder of LFW, deep funneled: images_deepfunneled.')
  flags.DEFINE_string(
      'avspeech', None, 'The repository speech2face.github.io, or its '
      'figures/avspeech_res.')
  flags.DEFINE_string(
      'split', None, "Table of AVSpeech's pairs; those with the use 'train' "
      'are taken.')
  flags.DEFINE_string(
      'output', None, 'A folder that is not there yet.', required=True)
  cli.run(main)
