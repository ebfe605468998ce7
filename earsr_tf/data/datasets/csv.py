"""A table of clips: one row per clip, files anywhere.

Columns `speaker`, `video`, `clip`, `video_file`; `audio_file` (empty: the sound
of the video), and if there are any `boxes_file`, `gender` (f, m), `age` (years)
and `open_set` (1: keep the speaker out of training). `video_file` is a face
track, an image or a folder of images. Paths are relative to the table's folder.
"""

from __future__ import annotations

import csv
import math
import os
from typing import Iterable

from earsr_tf.data import dataset
from earsr_tf.data import files as files_lib
from earsr_tf.data import manifest
from earsr_tf.media import clip_files

COLUMNS = ('speaker', 'video', 'clip', 'video_file')

_GENDERS = {'f': 0, 'female': 0, 'm': 1, 'male': 1}
_OPEN_SET = {'': None, '0': False, 'false': False, '1': True, 'true': True}


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
  try:
    text = files.read(path).decode('utf-8-sig', 'replace')
  except OSError as e:
    raise manifest.MissingDataError(
        f'{path}: cannot be read ({e.strerror or "no such file"}); give a '
        f'table with the columns {", ".join(COLUMNS)}') from None
  lines = text.splitlines()
  header = lines[0] if lines else ''
  reader = csv.DictReader(
      lines, delimiter=max('\t;,', key=header.count), restval='')
  names = [name.strip().lower() for name in reader.fieldnames or ()]
  for name in COLUMNS:
    if name not in names:
      raise manifest.DataError(
          f'{path}: column {name!r} is missing from its first line; the '
          f'columns needed are {", ".join(COLUMNS)}, and audio_file where '
          'the sound is not in the video')
  reader.fieldnames = names
  clips = list(_clips(path, reader))
  if not clips:
    raise manifest.MissingDataError(f'{path}: no row below its first line')
  return sorted(clips, key=lambda c: c.key)


def _clips(
    path: str, reader: csv.DictReader) -> Iterable[clip_files.Clip]:
  """The clips of the rows; DataError names the line of a bad one."""
  base = os.path.dirname(path)
  for row in reader:
    row = {k: v.strip() for k, v in row.items() if k and isinstance(v, str)}
    if not any(row.values()):
      continue
    try:
      yield _clip(base, row)
    except ValueError as e:
      raise manifest.DataError(
          f'{path}: line {reader.line_num}: {e}; mend the row or remove '
          'it') from None


def _clip(base: str, row: dict[str, str]) -> clip_files.Clip:
  """The clip of a row; raises ValueError with what is wrong."""
  for name in COLUMNS:
    if not row[name]:
      raise ValueError(f'{name} is empty')
  age = row.get('age', '')
  try:
    years = float(age) if age else math.nan
  except ValueError:
    raise ValueError(f'age {age!r} is not a number') from None
  gender = row.get('gender', '').lower()
  if gender not in ('', *_GENDERS):
    raise ValueError(f'gender {gender!r} is neither f nor m')
  open_set = row.get('open_set', '').lower()
  if open_set not in _OPEN_SET:
    raise ValueError(f'open_set {open_set!r} is neither 0 nor 1')
  speaker, video, clip = (row[n].replace('/', '_') for n in COLUMNS[:3])
  return clip_files.Clip(
      speaker=speaker, video=video, clip=clip,
      frames=_path(base, row['video_file']),
      audio=_path(base, row.get('audio_file', '')),
      boxes=_path(base, row.get('boxes_file', '')),
      gender=_GENDERS.get(gender, -1), age=years,
      open_set=_OPEN_SET[open_set])


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
