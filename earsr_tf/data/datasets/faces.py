"""Faces without voices: a tree of pictures, or StyleGAN's folder or zip file.

Who is in a picture follows from the first of these that is there:

- `labels.csv` with the column `path`, and if there are any `identity`, `gender`
  (f, m), `age` (years), `open_set` (1 keeps the person out of training) and
  `crop` ('left top side' in pixels: the square that is kept). Only its pictures
  are taken. It may also be given itself, under any name.
- `dataset.json` of StyleGAN's `dataset_tool`: the class of a picture is its
  person. Without classes nobody is known twice.
- the first folder in a picture's path; a picture in no folder is of somebody
  who occurs once.

Every picture is a video of its own, so that people with several are in
`closed_test` as well.
"""

from __future__ import annotations

import json
import os
from typing import Any, Iterator

from earsr_tf.data import clip_tree
from earsr_tf.data import dataset
from earsr_tf.data import files as files_lib
from earsr_tf.data import manifest
from earsr_tf.data import zip_files
from earsr_tf.data.datasets import csv as table
from earsr_tf.media import clip_files

TABLE_NAME = 'labels.csv'
STYLEGAN_NAME = 'dataset.json'

_DEPTH = 6
_COLUMNS = ('path',)


def list_clips(
    root: str, files: files_lib.Files = files_lib.LOCAL
) -> list[clip_files.Clip]:
  """Lists the pictures, sorted by key.

  Args:
    root: A folder, a table, or a local zip file.
    files: Where it lies.

  Raises:
    MissingDataError: If there are no pictures.
    DataError: If a table makes no sense, or the archive is none.
  """
  base = os.fspath(root).rstrip('/')
  if base.endswith('.zip'):
    files, base = zip_files.ZipFiles(path=base), f'{base}!'
  if base.endswith('.csv'):
    clips = _of_table(base, files)
  elif files.exists(f'{base}/{TABLE_NAME}'):
    clips = _of_table(f'{base}/{TABLE_NAME}', files)
  elif files.exists(f'{base}/{STYLEGAN_NAME}'):
    clips = _of_classes(base, files)
  else:
    clips = (
        _clip(base, name, name.split('/')[0] if '/' in name else '')
        for name in _pictures(base, files))
  found = sorted(clips, key=lambda clip: clip.key)
  if not found:
    raise manifest.MissingDataError(
        f'{root}: no picture in it; give a folder or a zip file of '
        f'{", ".join(clip_tree.IMAGES)} files')
  return found


def _pictures(base: str, files: files_lib.Files) -> Iterator[str]:
  """Paths of pictures below a folder."""
  return (name for name in files.walk(base, _DEPTH)
          if name.lower().endswith(clip_tree.IMAGES))


def _clip(base: str, name: str, identity: str, **labels: Any
          ) -> clip_files.Clip:
  """The clip of a picture.

  Args:
    base: Folder that paths are relative to.
    name: Path of the picture.
    identity: Who it is; '': somebody who occurs once.
    **labels: Further attributes of it.
  """
  stem = os.path.splitext(name)[0].strip('/').replace('/', '_')
  person = identity.replace('/', '_')
  return clip_files.Clip(
      speaker=person or stem, video=stem, clip='still',
      frames=os.path.join(base, name), has_voice=False, **labels)


def _of_table(path: str, files: files_lib.Files
              ) -> Iterator[clip_files.Clip]:
  """The pictures of a table; DataError names the line of a bad row."""
  base = os.path.dirname(path)
  for row in table.rows(path, files, _COLUMNS):
    with table.named(path, row):
      yield _clip(
          base, row.values['path'], row.values.get('identity', ''),
          crop=_crop(row.values.get('crop', '')), **table.labels(row.values))


def _crop(text: str) -> tuple[int, ...]:
  """'left top side' as numbers; ValueError if they are none."""
  try:
    crop = tuple(int(part) for part in text.split())
  except ValueError:
    crop = (0,)
  if len(crop) not in (0, 3):
    raise ValueError(
        f"crop {text!r} is not 'left top side' in whole pixels")
  return crop


def _of_classes(base: str, files: files_lib.Files
                ) -> Iterator[clip_files.Clip]:
  """The pictures of a folder that `dataset_tool` wrote."""
  path = f'{base}/{STYLEGAN_NAME}'
  try:
    rows = json.loads(files.read(path))['labels'] or []
    classes = {str(name): str(label) for name, label in rows}
  except (ValueError, KeyError, TypeError):
    raise manifest.DataError(
        f"{path}: holds no 'labels', a list of [path, class]; mend it or take "
        'it away') from None
  for name in _pictures(base, files):
    yield _clip(base, name, classes.get(name, ''))


SPEC = dataset.DatasetSpec(
    name='faces',
    list_clips=list_clips,
    make_command=(
        'python -m tools.prepare_voxceleb2 --dataset=faces --input=FOLDER '
        '--output={data_dir}'),
    has_voices=False)
