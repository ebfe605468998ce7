"""A table of clips: one row per clip, files anywhere.

Columns `speaker`, `video`, `clip`, `video_file`; `audio_file` (empty: the sound
of the video), and if there are any `boxes_file`, `gender` (f, m), `age` (years)
and `open_set` (1: keep the speaker out of training). `video_file` is a face
track, an image or a folder of images. Paths are relative to the table's folder.
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import math
import os
from typing import Any, Iterator, Mapping, Sequence

from earsr_tf.data import dataset
from earsr_tf.data import files as files_lib
from earsr_tf.data import manifest
from earsr_tf.media import clip_files

COLUMNS = ('speaker', 'video', 'clip', 'video_file')

_GENDERS = {'f': 0, 'female': 0, 'm': 1, 'male': 1}
_OPEN_SET = {'': None, '0': False, 'false': False, '1': True, 'true': True}


@dataclasses.dataclass(frozen=True)
class Row:
  """A row of a table: its line, counted from 1, and its values by column."""
  line: int
  values: Mapping[str, str]


def list_clips(
    path: str, files: files_lib.Files = files_lib.LOCAL
) -> list[clip_files.Clip]:
  """Lists the clips of a table, sorted by key.

  Args:
    path: The table: commas, semicolons or tabs, quotes as usual.
    files: Where it lies.

  Raises:
    MissingDataError: If there is no such file or no row in it.
    DataError: If a column is missing or a row makes no sense.
  """
  clips = []
  for row in rows(path, files, COLUMNS, ', and audio_file where the sound is '
                  'not in the video'):
    with named(path, row):
      clips.append(_clip(os.path.dirname(path), row.values))
  return sorted(clips, key=lambda c: c.key)


def rows(path: str, files: files_lib.Files, columns: Sequence[str],
         besides: str = '') -> list[Row]:
  """Reads a table.

  Args:
    path: The table: commas, semicolons or tabs, quotes as usual.
    files: Where it lies.
    columns: Those that must be there, and filled.
    besides: What else the error about a missing one should say.

  Returns:
    Its rows that are not empty; names of columns in small letters.

  Raises:
    MissingDataError: If there is no such file or no row in it.
    DataError: If a column is missing, or a value of one.
  """
  try:
    text = files.read(path).decode('utf-8-sig', 'replace')
  except OSError as e:
    raise manifest.MissingDataError(
        f'{path}: cannot be read ({e.strerror or "no such file"}); give a '
        f'table with the columns {", ".join(columns)}') from None
  lines = text.splitlines()
  header = lines[0] if lines else ''
  reader = csv.DictReader(
      lines, delimiter=max('\t;,', key=header.count), restval='')
  names = [name.strip().lower() for name in reader.fieldnames or ()]
  for name in columns:
    if name not in names:
      raise manifest.DataError(
          f'{path}: column {name!r} is missing from its first line; the '
          f'columns needed are {", ".join(columns)}{besides}')
  reader.fieldnames = names
  found = []
  for row in reader:
    row = {k: v.strip() for k, v in row.items() if k and isinstance(v, str)}
    if any(row.values()):
      found.append(Row(reader.line_num, row))
      with named(path, found[-1]):
        for name in columns:
          if not row[name]:
            raise ValueError(f'{name} is empty')
  if not found:
    raise manifest.MissingDataError(f'{path}: no row below its first line')
  return found


@contextlib.contextmanager
def named(path: str, row: Row) -> Iterator[None]:
  """Makes a DataError that names the line of a ValueError inside."""
  try:
    yield
  except ValueError as e:
    raise manifest.DataError(
        f'{path}: line {row.line}: {e}; mend the row or remove it') from None


def labels(values: Mapping[str, str]) -> dict[str, Any]:
  """What a row says of a person: `gender`, `age` and `open_set` of a `Clip`.

  Raises:
    ValueError: With what is wrong.
  """
  age = values.get('age', '')
  try:
    years = float(age) if age else math.nan
  except ValueError:
    raise ValueError(f'age {age!r} is not a number') from None
  gender = values.get('gender', '').lower()
  if gender not in ('', *_GENDERS):
    raise ValueError(f'gender {gender!r} is neither f nor m')
  open_set = values.get('open_set', '').lower()
  if open_set not in _OPEN_SET:
    raise ValueError(f'open_set {open_set!r} is neither 0 nor 1')
  return {'gender': _GENDERS.get(gender, -1), 'age': years,
          'open_set': _OPEN_SET[open_set]}


def _clip(base: str, row: Mapping[str, str]) -> clip_files.Clip:
  """The clip of a row; raises ValueError with what is wrong."""
  speaker, video, clip = (row[n].replace('/', '_') for n in COLUMNS[:3])
  return clip_files.Clip(
      speaker=speaker, video=video, clip=clip,
      frames=_path(base, row['video_file']),
      audio=_path(base, row.get('audio_file', '')),
      boxes=_path(base, row.get('boxes_file', '')), **labels(row))


def _path(base: str, name: str) -> str:
  """A path of the table as it is, or below the table's folder."""
  if not name or '://' in name:
    return name
  return os.path.join(base, name)


SPEC = dataset.DatasetSpec(
    name='csv',
    list_clips=list_clips,
    make_command=(
        'python -m tools.prepare_voxceleb2 --dataset=csv --input=TABLE.csv '
        '--output={data_dir}'))
