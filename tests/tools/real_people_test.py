"""Public faces and voices laid out for the data sets that read them."""

from __future__ import annotations

import pathlib

import numpy as np
from PIL import Image
import pytest

from earsr_tf.data import manifest as manifest_lib
from earsr_tf.data.datasets import faces
from earsr_tf.data.datasets import pairs
from earsr_tf.media import still_face
from tools import real_people

_HEADER = 'use\timage\taudio\tspeaker_id\tgender\n'


def _picture(path: pathlib.Path, side: int = 250) -> None:
  """Black, and white where VoxCeleb2 would show the face."""
  path.parent.mkdir(parents=True, exist_ok=True)
  pixels = np.zeros((side, side, 3), np.uint8)
  pixels[53:209, 43:199] = 255
  Image.fromarray(pixels).save(path, quality=100)


def test_lfw_becomes_a_tree_with_crops(tmp_path):
  for name in ('A_B/A_B_0001.jpg', 'A_B/A_B_0002.jpg', 'C/C_0001.jpg'):
    _picture(tmp_path / 'lfw' / name)
  _picture(tmp_path / 'lfw' / 'C' / 'other.jpg')
  laid = real_people.lay_out_lfw(
      str(tmp_path / 'lfw'), str(tmp_path / 'out'))
  assert laid == real_people.Laid(3, 2)
  clips = faces.list_clips(str(tmp_path / 'out'))
  assert [clip.speaker for clip in clips] == ['A_B', 'A_B', 'C']
  face = still_face.read(clips[2], 32, None)
  assert face.min() > 240  # the square alone
  with pytest.raises(manifest_lib.DataError, match='is there already'):
    real_people.lay_out_lfw(str(tmp_path / 'lfw'), str(tmp_path / 'out'))


def test_only_rows_for_training_are_taken(tmp_path):
  source = tmp_path / 'repository' / 'figures' / 'avspeech_res'
  for i in (1, 2):
    _picture(source / 'Face_ori' / f'-bcdefghij{i}_1.0-2.0.jpg')
    (source / 'Wav').mkdir(exist_ok=True)
    (source / 'Wav' / f'-bcdefghij{i}_1.0-2.0.wav').write_bytes(b'sound')
  rows = ''.join(
      f'{use}\tfigures/avspeech_res/Face_ori/-bcdefghij{i}_1.0-2.0.jpg\t'
      f'figures/avspeech_res/Wav/-bcdefghij{i}_1.0-2.0.wav\tyt:{i}\tf\n'
      for use, i in (('train', 1), ('test', 2)))
  split = tmp_path / 'split.tsv'
  split.write_text(_HEADER + rows)
  for number, given in enumerate((tmp_path / 'repository', source)):
    output = tmp_path / f'out{number}'
    assert real_people.lay_out_avspeech(
        str(given), str(split), str(output)) == real_people.Laid(1, 1)
    clip, = pairs.list_clips(str(output))
    assert (clip.speaker, clip.video, clip.gender) == (
        'yt:1', '-bcdefghij1', 0)
    assert sorted(p.name for p in output.rglob('*.*')) == [
        '-bcdefghij1_1.0-2.0.jpg', '-bcdefghij1_1.0-2.0.wav', 'MANIFEST.tsv']


def test_what_is_missing_is_named_and_nothing_is_left(tmp_path):
  with pytest.raises(manifest_lib.MissingDataError, match='umass-vis-lfw'):
    real_people.lay_out_lfw(str(tmp_path), str(tmp_path / 'out'))
  _picture(tmp_path / 'A' / 'A_0001.jpg', 224)
  with pytest.raises(manifest_lib.DataError, match='is not 250 x 250'):
    real_people.lay_out_lfw(str(tmp_path), str(tmp_path / 'out'))
  split = tmp_path / 'split.tsv'
  split.write_text(_HEADER + 'train\t../x.jpg\ta.wav\ts\tf\n')
  with pytest.raises(manifest_lib.MissingDataError,
                     match='x.jpg and 1 other files are not there'):
    real_people.lay_out_avspeech(
        str(tmp_path), str(split), str(tmp_path / 'out'))
  split.write_text('image\n')
  with pytest.raises(manifest_lib.DataError, match="column 'use'"):
    real_people.lay_out_avspeech(
        str(tmp_path), str(split), str(tmp_path / 'out'))
  assert sorted(p.name for p in tmp_path.iterdir()) == ['A', 'split.tsv']
