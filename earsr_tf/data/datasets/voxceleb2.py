"""VoxCeleb2 on disk: `{dev,test}/{mp4,aac}/<speaker>/<video>/<clip>.*`.

The faces in the mp4 files are cropped already (224 x 224 at 25 fps). The sound
comes from `aac/.../<clip>.m4a` where it exists, else from the mp4. Gender comes
from `vox2_meta.csv`, whose copies in circulation separate by tabs or commas and
leave blanks behind the fields; speakers that it lists without media are no
matter. Speakers under `test/` are open-set; of the others a share is, by hash.
"""

from __future__ import annotations

import os
import pathlib
import re

from earsr_tf.data import dataset
from earsr_tf.data import manifest

META_NAME = 'vox2_meta.csv'

_GENDERS = {'f': 0, 'female': 0, 'm': 1, 'male': 1}


def list_clips(root: str) -> list[dataset.Clip]:
  """Lists the clips of a tree, sorted by key.

  Args:
    root: Folder that holds `dev` or `test` or both.

  Raises:
    MissingDataError: If there is no such tree or no clip in it.
    DataError: If vox2_meta.csv has no column for speaker or gender.
  """
  base = pathlib.Path(root)
  if not base.is_dir():
    raise manifest.MissingDataError(
        f'{root}: no such folder; give the one that holds dev/mp4')
  genders = read_genders(base / META_NAME)
  clips = []
  for part in ('dev', 'test'):
    for path in _videos(base / part / 'mp4'):
      speaker, video, name = path.parts[-3:]
      clip = name.removesuffix('.mp4')
      audio = base / part / 'aac' / speaker / video / f'{clip}.m4a'
      clips.append(dataset.Clip(
          speaker=speaker, video=video, clip=clip, frames=str(path),
          audio=str(audio) if audio.exists() else '',
          gender=genders.get(speaker, -1),
          open_set=True if part == 'test' else None))
  if not clips:
    raise manifest.MissingDataError(
        f'{root}: no clips found; expected '
        '{dev,test}/mp4/<speaker>/<video>/<clip>.mp4')
  return sorted(clips, key=lambda c: c.key)


def read_genders(path: str | os.PathLike[str]) -> dict[str, int]:
  """Reads speaker -> gender (0 f, 1 m, -1 unknown) from a metadata file.

  Args:
    path: Tab- or comma-separated with a header that names an ID column
      ('VoxCeleb2 ID') and 'Gender'; a missing file gives {}.

  Raises:
    DataError: If it lacks these columns.
  """
  try:
    text = pathlib.Path(path).read_text('utf-8-sig', errors='replace')
  except FileNotFoundError:
    return {}
  rows = [[field.strip() for field in re.split(r'[\t,]', line)]
          for line in text.splitlines() if line.strip()]
  header = [name.lower() for name in rows[0]] if rows else []
  ids = [i for i, name in enumerate(header)
         if name in ('voxceleb2 id', 'voxceleb id', 'id')]
  if not ids or 'gender' not in header:
    raise manifest.DataError(
        f"{path}: no columns 'VoxCeleb2 ID' and 'Gender' in its first line; "
        'get the file again or remove it')
  gender = header.index('gender')
  return {row[ids[0]]: _GENDERS.get(row[gender].lower(), -1)
          for row in rows[1:] if len(row) > max(ids[0], gender)}


def _videos(base: pathlib.Path) -> list[pathlib.Path]:
  """All `<speaker>/<video>/<clip>.mp4` below a folder."""
  found = []
  for folder, folders, files in os.walk(base):
    folders.sort()
    depth = len(pathlib.Path(folder).relative_to(base).parts)
    if depth == 2:
      folders.clear()
      found.extend(pathlib.Path(folder) / name for name in sorted(files)
                   if name.endswith('.mp4'))
  return found


SPEC = dataset.DatasetSpec(
    name='voxceleb2',
    list_clips=list_clips,
    make_command=(
        'python -m tools.prepare_voxceleb2 --input=VOXCELEB2 '
        '--output={data_dir}'),
    open_share=0.02)
