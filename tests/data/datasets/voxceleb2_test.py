"""VoxCeleb2's tree and the metadata files in circulation."""

from __future__ import annotations

import pathlib

import pytest

from earsr_tf.data import manifest
from earsr_tf.data.datasets import voxceleb2


def _touch(path: pathlib.Path) -> None:
  path.parent.mkdir(parents=True, exist_ok=True)
  path.touch()


def test_lists_clips_with_labels(tmp_path):
  for name in ('dev/mp4/id2/-v/00002.mp4', 'dev/mp4/id1/v/00001.mp4',
               'test/mp4/id9/v/00001.mp4', 'dev/mp4/id1/v/notes.txt',
               'dev/mp4/id1/v/deeper/00001.mp4', 'dev/aac/id1/v/00001.m4a'):
    _touch(tmp_path / name)
  (tmp_path / 'vox2_meta.csv').write_text(
      'Name \tVoxCeleb2 ID \tVGGFace2 ID \tGender \tSet \n'
      'A \tid1 \tn1 \tm \tdev \nB \tid2 \tn2 \tf \tdev \n'
      'C \tid7 \tn7 \tf \ttest \n')
  clips = list(voxceleb2.list_clips(str(tmp_path)))
  assert [(c.key, c.gender, c.open_set) for c in clips] == [
      ('id1/v/00001', 1, None), ('id2/-v/00002', 0, None),
      ('id9/v/00001', -1, True)]
  assert clips[0].audio == str(tmp_path / 'dev/aac/id1/v/00001.m4a')
  assert clips[1].audio == ''
  assert clips[1].frames == str(tmp_path / 'dev/mp4/id2/-v/00002.mp4')


@pytest.mark.parametrize('text', [
    'VoxCeleb2 ID ,VGGFace2 ID ,Gender ,Set \nid1 ,n1 ,f ,dev \n',
    'VoxCeleb2 ID\tGender\nid1\tf\n\n',
    'Name\tVoxCeleb2 ID\tGender\nSmith, J., Jr.\tid1\tf\n',
    'Name,VoxCeleb2 ID,Gender\n"Smith, J.",id1,f\n',
    'id,gender\r\nid1, F\r\n'])
def test_reads_commas_tabs_and_blanks(tmp_path, text):
  (tmp_path / 'meta.csv').write_text(text)
  assert voxceleb2.read_genders(tmp_path / 'meta.csv') == {'id1': 0}


def test_says_what_is_missing(tmp_path):
  with pytest.raises(manifest.MissingDataError, match='none: no clips found'):
    list(voxceleb2.list_clips(str(tmp_path / 'none')))
  with pytest.raises(manifest.MissingDataError, match='no clips found'):
    list(voxceleb2.list_clips(str(tmp_path)))
  (tmp_path / 'vox2_meta.csv').write_text('speaker;sex\n')
  with pytest.raises(manifest.DataError, match="no columns 'VoxCeleb2 ID'"):
    list(voxceleb2.list_clips(str(tmp_path)))


def test_people_of_the_metadata_without_media(tmp_path):
  # As published: 120 rows of test speakers, 118 of whom have media.
  people = [f'id{i:05d}' for i in range(120)]
  (tmp_path / 'vox2_meta.csv').write_text(
      'VoxCeleb2 ID \tVGGFace2 ID \tGender \tSet \n' + ''.join(
          f'{p} \tn{i:06d} \t{"fm"[i % 2]} \ttest \n'
          for i, p in enumerate(people)))
  there = [p for p in people if p not in ('id00007', 'id00100')]
  for person in there:
    _touch(tmp_path / f'test/mp4/{person}/v/00001.mp4')
  clips = list(voxceleb2.list_clips(str(tmp_path)))
  assert len(clips) == 118 and [c.speaker for c in clips] == there
  assert all(c.open_set for c in clips)
  assert sum(c.gender for c in clips) == 59
