"""A folder of face + voice pairs with a MANIFEST.tsv.

Columns needed: file, audio, speaker_id, gender; `media` is read if present.
`file` is an image, a video, or `<folder>/*.jpg` for a folder of frames;
`audio` a sound file, or '(muxed)' or nothing for the sound of a video. Paths
are relative to the folder. Rows without a face or a voice are skipped, and
those whose `media` says 'talking-head': their faces are not cropped.

The video of a pair is read off names of the form `..._<11-character YouTube
id>_<clip>` (one video, one split) and is the file's name otherwise. A speaker
with one pair is in `d_pre`, or in `open_test` for the share of speakers that
is open-set by hash.
"""

from __future__ import annotations

import csv
import pathlib
import re

from earsr_tf.data import dataset
from earsr_tf.data import manifest

MANIFEST_NAME = 'MANIFEST.tsv'

_COLUMNS = ('file', 'audio', 'speaker_id', 'gender')
_GENDERS = {'f': 0, 'm': 1}
_IMAGES = ('.png', '.jpg', '.jpeg', '.bmp', '.webp')
_VIDEOS = ('.mp4', '.mov', '.mkv', '.webm', '.avi', '.mpg', '.flv')


def list_clips(root: str) -> list[dataset.Clip]:
  """Lists the pairs of a folder, sorted by key.

  Raises:
    MissingDataError: If the manifest is missing or nothing in it is a pair.
    DataError: If it lacks a column.
  """
  base = pathlib.Path(root)
  clips = [_clip(base, row) for row in _rows(base / MANIFEST_NAME)]
  found = sorted((c for c in clips if c), key=lambda c: c.key)
  if not found:
    raise manifest.MissingDataError(
        f'{root}: no face + voice pair in its {MANIFEST_NAME}; a row needs an '
        'image and a sound file, or a video with sound')
  return found


def _rows(path: pathlib.Path) -> list[dict[str, str]]:
  """The rows of the manifest as dicts; quotes mean nothing in it."""
  try:
    with open(path, encoding='utf-8-sig', errors='replace', newline='') as f:
      reader = csv.DictReader(
          f, delimiter='\t', quoting=csv.QUOTE_NONE, restval='')
      header = [name.strip() for name in reader.fieldnames or ()]
      reader.fieldnames = header
      rows = [{k: v.strip() for k, v in row.items() if k} for row in reader]
  except (FileNotFoundError, NotADirectoryError):
    raise manifest.MissingDataError(
        f'{path}: no such file; a folder of pairs needs one with the columns '
        f'{", ".join(_COLUMNS)}') from None
  missing = [name for name in _COLUMNS if name not in header]
  if missing:
    raise manifest.DataError(
        f'{path}: column {missing[0]!r} is missing from its first line; the '
        f'columns needed are {", ".join(_COLUMNS)}, separated by tabs')
  return rows


def _clip(base: pathlib.Path, row: dict[str, str]) -> dataset.Clip | None:
  """The clip of a row, or None if it is no pair of a cropped face and voice."""
  name = re.sub(r'/\*\.\w+$', '', row['file'])  # <folder>/*.jpg
  path = pathlib.PurePosixPath(name)
  suffix = path.suffix.lower()
  has_face = suffix in _IMAGES + _VIDEOS or name != row['file']
  muxed = row['audio'] in ('', '(muxed)')
  if not has_face or not row['speaker_id'] or (muxed and suffix not in _VIDEOS):
    return None
  if 'talking-head' in row.get('media', ''):
    return None
  voice = path if muxed else pathlib.PurePosixPath(row['audio'])
  match = re.search(r'(?:^|_)([\w-]{11})_[\d.-]+$', path.stem)
  return dataset.Clip(
      speaker=row['speaker_id'].replace('/', '_'),
      video=match[1] if match else path.stem,
      clip=voice.stem,
      frames=str(base / name),
      audio='' if muxed else str(base / row['audio']),
      gender=_GENDERS.get(row['gender'].lower(), -1))


SPEC = dataset.DatasetSpec(
    name='pairs',
    list_clips=list_clips,
    make_command=(
        'python -m tools.prepare_voxceleb2 --dataset=pairs --input=FOLDER '
        '--output={data_dir}'))
