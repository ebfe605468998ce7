"""SyntheticVox, the embedded data set: a procedural talking-face world.

Stands in for VoxCeleb2 (paper section 4.1) in the demo: same tree, known
identity, gender and age. See docs/synthetic.md for what it is and measures.
"""

from __future__ import annotations

import csv
import dataclasses
import pathlib
from typing import Callable

from earsr_tf.data import dataset
from earsr_tf.data import files as files_lib
from earsr_tf.data.datasets import voxceleb2
from earsr_tf.media import clip_files
from earsr_tf.synthetic import tree
from earsr_tf.synthetic import world

ATTRIBUTES_FILE = 'attributes.csv'


def make_tree(
    output: str, speakers: int, seed: int, *, videos_per_speaker: int = 3,
    clips_per_video: int = 1, workers: int = 2, open_set_share: float = 0.2,
    on_progress: Callable[[int, int], None] | None = None) -> int:
  """Writes a world of talking faces in VoxCeleb2's tree.

  Args:
    output: Folder to create; must be absent or empty.
    speakers: Number of people, half of them men.
    seed: The same seed gives the same frames and samples.
    videos_per_speaker: Videos of each person.
    clips_per_video: Clips of each video, 4.2 to 5 s each.
    workers: Processes.
    open_set_share: Share of speakers kept out of training.
    on_progress: Called with (clips done, clips in all).

  Returns:
    The number of clips written.

  Raises:
    world.TreeError: If `output` is taken or a number makes no sense.
    encode.EncodeError: If ffmpeg fails.
  """
  return tree.write_tree(
      pathlib.Path(output),
      world.World(
          speakers=speakers, seed=seed,
          videos_per_speaker=videos_per_speaker,
          clips_per_video=clips_per_video, open_set_share=open_set_share),
      workers, on_progress)


def read_attributes(
    root: str, files: files_lib.Files = files_lib.LOCAL
) -> dict[str, dict[str, str]]:
  """Rows of attributes.csv by speaker.

  Args:
    root: A tree made by `make_tree`.
    files: Where it lies.

  Returns:
    For each speaker the columns id, gender, age, open_set, seed.

  Raises:
    ValueError: If the file is missing or a column is.
  """
  path = f'{root}/{ATTRIBUTES_FILE}'
  try:
    lines = files.read(path).decode('utf-8').splitlines()
  except (FileNotFoundError, NotADirectoryError):
    raise ValueError(
        f'{path} is missing: not a finished SyntheticVox tree; make one '
        f'with: python -m tools.make_synthetic --output=DIR') from None
  reader = csv.DictReader(lines)
  missing = {'id', 'age', 'open_set'} - set(reader.fieldnames or ())
  if missing:
    raise ValueError(
        f'{path} lacks the column(s) {", ".join(sorted(missing))}; make '
        f'the tree anew with: python -m tools.make_synthetic')
  return {row['id']: row for row in reader}


def list_clips(
    root: str, files: files_lib.Files = files_lib.LOCAL
) -> list[clip_files.Clip]:
  """The clips of a tree with age and open-set membership filled in.

  Args:
    root: A tree made by `make_tree`.
    files: Where it lies.

  Returns:
    One Clip per mp4, in order of name.

  Raises:
    ValueError: If the tree is unfinished or a file of it is unreadable.
  """
  attributes = read_attributes(root, files)
  clips = []
  for clip in voxceleb2.list_clips(root, files):
    row = attributes.get(clip.speaker)
    if row is None:
      raise ValueError(
          f'{root}: speaker {clip.speaker} is not in {ATTRIBUTES_FILE}; make '
          f'the tree anew with: python -m tools.make_synthetic')
    clips.append(dataclasses.replace(
        clip, age=float(row['age']), open_set=row['open_set'] == '1'))
  return clips


SPEC = dataset.DatasetSpec(
    name='synthetic', list_clips=list_clips,
    make_command=(
        'python -m tools.make_synthetic --output=tree --speakers=150 && '
        'python -m tools.prepare_voxceleb2 --input=tree '
        '--output={data_dir}'))
