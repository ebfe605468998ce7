"""VoxCeleb1: voices in a tree, pictures beside."""

from __future__ import annotations

import pathlib

from earsr_tf.data import dataset
from earsr_tf.data.datasets import voxceleb1


def _touch(path: pathlib.Path) -> None:
  path.parent.mkdir(parents=True, exist_ok=True)
  path.touch()


def test_lists_voices_with_pictures(tmp_path):
  for name in ('dev/wav/id10001/v/00001.wav', 'dev/wav/id10001/v/00002.wav',
               'dev/frames/id10001/v/00001/1.jpg',
               'test/wav/id10270/v/00001.wav', 'test/mp4/id10270/v/00001.mp4'):
    _touch(tmp_path / name)
  (tmp_path / 'vox1_meta.csv').write_text(
      'VoxCeleb1 ID\tVGGFace1 ID\tGender\tNationality\tSet\n'
      'id10001\tA.J._Buckley\tm\tIreland\tdev\n'
      'id10270\tEd, Jr.\tf\tUSA\ttest\n')
  one, two = voxceleb1.list_clips(str(tmp_path))
  assert (one.key, one.gender, one.open_set) == ('id10001/v/00001', 1, None)
  assert one.audio.endswith('dev/wav/id10001/v/00001.wav')
  assert (two.key, two.gender, two.open_set) == ('id10270/v/00001', 0, True)
  assert dataset.get('voxceleb1').min_frames_per_speaker == 500
