"""VoxCeleb1 on disk: voices as `wav/<speaker>/<video>/<clip>.wav`.

The data set comes as sound; a clip is usable where its picture lies in `mp4/`
or `frames/` under the same names (see earsr_tf/data/clip_tree.py). Gender
comes from `vox1_meta.csv`. Its face boxes count pixels, VoxCeleb2's fractions;
earsr_tf/media/boxes.py tells them apart.
"""

from __future__ import annotations

from typing import Iterator

from earsr_tf.data import clip_tree
from earsr_tf.data import dataset
from earsr_tf.data import files as files_lib
from earsr_tf.data.datasets import voxceleb2
from earsr_tf.media import clip_files

META_NAME = 'vox1_meta.csv'


def list_clips(
    root: str, files: files_lib.Files = files_lib.LOCAL
) -> Iterator[clip_files.Clip]:
  """Lists the clips of a tree, speaker by speaker.

  Args:
    root: Folder that holds `wav`, or `dev/wav` and `test/wav`.
    files: Where it lies.

  Raises:
    MissingDataError: If no clip has a picture.
    DataError: If vox1_meta.csv has no column for speaker or gender.
  """
  genders = voxceleb2.read_genders(f'{root}/{META_NAME}', files)
  return clip_tree.list_clips(root, files, genders)


SPEC = dataset.DatasetSpec(
    name='voxceleb1',
    list_clips=list_clips,
    make_command=(
        'python -m tools.prepare_voxceleb2 --dataset=voxceleb1 '
        '--input=VOXCELEB1 --output={data_dir}'),
    open_share=0.02,
    min_frames_per_speaker=500)
