"""A folder of face + voice pairs with a MANIFEST.tsv.

Columns needed: file, audio, speaker_id, gender; `media` is read if present.
`file` is an image, a video, or `<folder>/*.jpg` for a folder of frames;
`audio` a sound file, or '(muxed)' or nothing for the sound of a video. Paths
are relative to the folder; the table may also lie in the folder above, whose
rows of this folder are then taken. Rows without a face or a voice are skipped.
Those whose `media` says 'talking-head' show more than a face: with face boxes
in `<video>.txt` beside the video they are cropped, without they are refused.

The video of a pair is read off names of the form `..._<11-character YouTube
id>_<clip>` (one video, one split) and is the file's name otherwise. A speaker
with one pair is in `d_pre`, or in `open_test` for the share of speakers that
is open-set by hash.
"""

from __future__ import annotations

import csv
import os
import pathlib
import re

from earsr_tf.data import clip_tree
from earsr_tf.data import dataset
from earsr_tf.data import files as files_lib
from earsr_tf.data import manifest
from earsr_tf.media import boxes
from earsr_tf.media import clip_files

MANIFEST_NAME = 'MANIFEST.tsv'

_COLUMNS = ('file', 'audio', 'speaker_id', 'gender')
_GENDERS = {'f': 0, 'm': 1}


def list_clips(
    root: str, files: files_lib.Files = files_lib.LOCAL
) -> list[clip_files.Clip]:
  """Lists the pairs of a folder, sorted by key.

  Args:
    root: The folder.
    files: Where it lies.

  Raises:
    MissingDataError: If the manifest is missing or nothing in it is a pair.
    DataError: If it lacks a column.
  """
  base, inside = os.fspath(root).rstrip('/'), ''
  if not files.exists(f'{base}/{MANIFEST_NAME}'):
    above, _, name = base.rpartition('/')
    if files.exists(f'{above or "."}/{MANIFEST_NAME}'):
      base, inside = above or '.', f'{name}/'
  clips = [
      _clip(base, row, files) for row in _rows(f'{base}/{MANIFEST_NAME}', files)
      if row['file'].startswith(inside)]
  found = sorted((c for c in clips if c), key=lambda c: c.key)
  if not found:
    raise manifest.MissingDataError(
        f'{root}: no face + voice pair in its {MANIFEST_NAME}; a row needs an '
        'image and a sound file, or a video with sound')
  return found


def _rows(path: str, files: files_lib.Files) -> list[dict[str, str]]:
  """The rows of the manifest as dicts; quotes mean nothing in it."""
  try:
    text = files.read(path).decode('utf-8-sig', 'replace')
  except (FileNotFoundError, NotADirectoryError):
    raise manifest.MissingDataError(
        f'{path}: no such file; a folder of pairs needs one with the columns '
        f'{", ".join(_COLUMNS)}') from None
  reader = csv.DictReader(
      text.splitlines(), delimiter='\t', quoting=csv.QUOTE_NONE, restval='')
  header = [name.strip() for name in reader.fieldnames or ()]
  reader.fieldnames = header
  rows = [{k: v.strip() for k, v in row.items() if k} for row in reader]
  missing = [name for name in _COLUMNS if name not in header]
  if missing:
    raise manifest.DataError(
        f'{path}: column {missing[0]!r} is missing from its first line; the '
        f'columns needed are {", ".join(_COLUMNS)}, separated by tabs')
  return rows


def _clip(
    base: str, row: dict[str, str], files: files_lib.Files
) -> clip_files.Clip | None:
  """The clip of a row, or None if it is no pair of a face and a voice."""
  name = re.sub(r'/\*\.\w+$', '', row['file'])  # <folder>/*.jpg
  path = pathlib.PurePosixPath(name)
  suffix = path.suffix.lower()
  is_video = suffix in clip_tree.VIDEOS
  has_face = is_video or suffix in clip_tree.IMAGES or name != row['file']
  muxed = row['audio'] in ('', '(muxed)')
  if not has_face or not row['speaker_id'] or (muxed and not is_video):
    return None
  track = os.path.join(base, path.with_suffix('.txt'))
  track = track if is_video and files.exists(track) else ''
  is_scene = 'talking-head' in row.get('media', '')
  voice = path if muxed else pathlib.PurePosixPath(row['audio'])
  match = re.search(r'(?:^|_)([\w-]{11})_[\d.-]+$', path.stem)
  return clip_files.Clip(
      speaker=row['speaker_id'].replace('/', '_'),
      video=match[1] if match else path.stem,
      clip=voice.stem,
      frames=os.path.join(base, name),
      audio='' if muxed else os.path.join(base, row['audio']),
      boxes=track,
      refused=boxes.NEEDED if is_scene and not track else '',
      gender=_GENDERS.get(row['gender'].lower(), -1))


SPEC = dataset.DatasetSpec(
    name='pairs',
    list_clips=list_clips,
    make_command=(
        'python -m tools.prepare_voxceleb2 --dataset=pairs --input=FOLDER '
        '--output={data_dir}'))
