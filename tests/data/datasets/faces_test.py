"""Faces without voices: who is in which picture."""

from __future__ import annotations

import json

import pytest

from earsr_tf.data import manifest
from earsr_tf.data.datasets import faces
from tests import picture_trees


def _listed(root):
  return [(c.key, c.gender, c.crop) for c in faces.list_clips(str(root))]


def test_folders_are_people_and_a_lone_picture_is_somebody(tmp_path):
  picture_trees.write(tmp_path, {
      'b/2.png': 1, 'a/x/1.jpg': 2, 'a/1.png': 3, 'c.png': 4})
  (tmp_path / 'a' / 'notes.txt').write_text('no picture')
  assert _listed(tmp_path) == [
      ('a/a_1/still', -1, ()), ('a/a_x_1/still', -1, ()),
      ('b/b_2/still', -1, ()), ('c/c/still', -1, ())]
  clips = faces.list_clips(str(tmp_path))
  assert not any(clip.has_voice for clip in clips)
  assert clips[1].frames == f'{tmp_path}/a/x/1.jpg'


def test_a_table_says_who_is_where(tmp_path):
  picture_trees.write(tmp_path, {'p/1.png': 1, 'p/2.png': 2, 'q.png': 3})
  text = ('path,identity,gender,age,open_set,crop\n'
          'p/1.png,Ann/B,f,30,1,4 2 8\n\nq.png,,M,,,\n')
  (tmp_path / 'labels.csv').write_text(text)
  expected = [('Ann_B/p_1/still', 0, (4, 2, 8)), ('q/q/still', 1, ())]
  assert _listed(tmp_path) == expected
  (tmp_path / 'labels.csv').rename(tmp_path / 'some.csv')
  assert _listed(tmp_path / 'some.csv') == expected
  ann = faces.list_clips(str(tmp_path / 'some.csv'))[0]
  assert (ann.age, ann.open_set) == (30.0, True)


@pytest.mark.parametrize('text, reason', [
    ('name\na.png\n', "column 'path' is missing"),
    ('path,crop\na.png,1 2\n', "line 2: crop '1 2' is not"),
    ('path,crop\na.png,1 2 x\n', "line 2: crop '1 2 x' is not"),
    ('path,gender\na.png,x\n', "line 2: gender 'x'"),
    ('path\n', 'no row')])
def test_says_what_is_wrong_with_a_table(tmp_path, text, reason):
  (tmp_path / 'labels.csv').write_text(text)
  with pytest.raises(manifest.DataError, match=reason):
    faces.list_clips(str(tmp_path))


_LEVELS = {'00000/img0.png': 10, '00000/img1.png': 20, '00001/img2.png': 30}
_CLASSES = [['00000/img0.png', 7], ['00001/img2.png', 7]]


def test_classes_of_stylegan_are_people(tmp_path):
  archive = picture_trees.stylegan_zip(
      tmp_path / 'faces.zip', tmp_path / 'tree', _LEVELS, _CLASSES)
  expected = ['00000_img1/00000_img1/still', '7/00000_img0/still',
              '7/00001_img2/still']
  clips = faces.list_clips(str(archive))
  assert [clip.key for clip in clips] == expected
  assert clips[1].frames == f'{archive}!/00000/img0.png'
  (tmp_path / 'tree' / 'dataset.json').write_text(
      json.dumps({'labels': _CLASSES}))
  assert [key for key, *_ in _listed(tmp_path / 'tree')] == expected


def test_without_classes_nobody_is_known_twice(tmp_path):
  archive = picture_trees.stylegan_zip(
      tmp_path / 'faces.zip', tmp_path / 'tree', _LEVELS, None)
  assert len({clip.speaker for clip in faces.list_clips(str(archive))}) == 3


def test_broken_classes_and_empty_folders_are_named(tmp_path):
  with pytest.raises(manifest.MissingDataError, match='no picture in it'):
    faces.list_clips(str(tmp_path))
  (tmp_path / 'dataset.json').write_text('{"labels": [1]}')
  with pytest.raises(manifest.DataError, match="dataset.json: holds no 'lab"):
    faces.list_clips(str(tmp_path))
