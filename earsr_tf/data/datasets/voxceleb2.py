"""VoxCeleb2 on disk: `{dev,test}/{mp4,aac,txt}/<speaker>/<video>/<clip>.*`.

The faces in the mp4 files are cropped already (224 x 224 at 25 fps). The sound
comes from `aac/.../<clip>.m4a` where it exists, else from the mp4; for frame
folders and more see earsr_tf/data/clip_tree.py. Gender comes from
`vox2_meta.csv`, whose copies in circulation separate by tabs or commas and
leave blanks behind the fields; speakers that it lists without media are no
matter. Speakers under `test/` are open-set; of the others a share is, by hash.
"""

from __future__ import annotations

import csv
from typing import Iterator

from earsr_tf.data import clip_tree
from earsr_tf.data import dataset
from earsr_tf.data import files as files_lib
from earsr_tf.data import manifest
from earsr_tf.media import clip_files

META_NAME = 'vox2_meta.csv'

_GENDERS = {'f': 0, 'female': 0, 'm': 1, 'male': 1}
_ID_COLUMNS = ('voxceleb2 id', 'voxceleb1 id', 'voxceleb id', 'id')


def list_clips(
    root: str, files: files_lib.Files = files_lib.LOCAL
) -> Iterator[clip_files.Clip]:
  """Lists the clips of a tree, speaker by speaker.

  Args:
    root: Folder that holds `dev` or `test` or both, or `mp4`.
    files: Where it lies.

  Raises:
    MissingDataError: If there is no clip in it.
    DataError: If vox2_meta.csv has no column for speaker or gender.
  """
  genders = read_genders(f'{root}/{META_NAME}', files)
  return clip_tree.list_clips(root, files, genders)


def read_genders(
    path: str, files: files_lib.Files = files_lib.LOCAL) -> dict[str, int]:
  """Reads speaker -> gender (0 f, 1 m, -1 unknown) from a metadata file.

  Args:
    path: Tab- or comma-separated with a header that names an ID column
      ('VoxCeleb2 ID') and 'Gender'; a missing file gives {}.
    files: Where it lies.

  Raises:
    DataError: If it lacks these columns.
  """
  try:
    text = files.read(str(path)).decode('utf-8-sig', 'replace')
  except FileNotFoundError:
    return {}
  lines = [line for line in text.splitlines() if line.strip()]
  # A name may hold a comma, so the header alone says what separates.
  is_tabbed = bool(lines) and '\t' in lines[0]
  rows = [[field.strip() for field in row] for row in csv.reader(
      lines, delimiter='\t' if is_tabbed else ',',
      quoting=csv.QUOTE_NONE if is_tabbed else csv.QUOTE_MINIMAL)]
  header = [name.lower() for name in rows[0]] if rows else []
  ids = [i for i, name in enumerate(header) if name in _ID_COLUMNS]
  if not ids or 'gender' not in header:
    raise manifest.DataError(
        f"{path}: no columns 'VoxCeleb2 ID' and 'Gender' in its first line; "
        'get the file again or remove it')
  gender = header.index('gender')
  return {row[ids[0]]: _GENDERS.get(row[gender].lower(), -1)
          for row in rows[1:] if len(row) > max(ids[0], gender)}


SPEC = dataset.DatasetSpec(
    name='voxceleb2',
    list_clips=list_clips,
    make_command=(
        'python -m tools.prepare_voxceleb2 --input=VOXCELEB2 '
        '--output={data_dir}'),
    open_share=0.02,
    min_frames_per_speaker=500)
