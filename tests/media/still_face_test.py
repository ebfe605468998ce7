"""Which square of a still picture is kept."""

from __future__ import annotations

import numpy as np
from PIL import Image
import pytest

from earsr_tf.media import clip_files
from earsr_tf.media import found_face
from earsr_tf.media import reader
from earsr_tf.media import still_face
from tests import picture_trees


def _clip(path, crop=()):
  return clip_files.Clip(
      's', 'v', 'c', str(path), has_voice=False, crop=crop)


def _finder(*boxes):
  """Knows its boxes; frames a face by its box."""
  def frame(picture, box):
    left, top, width, height = box.astype(int)
    return picture[top:top + height, left:left + width]
  return found_face.Finder(
      lambda _: np.array(boxes, float).reshape(-1, 4), frame)


@pytest.fixture(name='path')
def _path(tmp_path):
  picture_trees.picture(50).save(tmp_path / 'p.png')
  return tmp_path / 'p.png'


def test_a_crop_is_cut_out(path):
  # The white square lies at (4, 2) and has a side of 8.
  face = still_face.read(_clip(path, (4, 2, 8)), 4, _finder())
  np.testing.assert_array_equal(face, np.full((4, 4, 3), 255))
  beside = still_face.read(_clip(path, (12, 10, 12)), 4, _finder())
  np.testing.assert_array_equal(beside, np.full((4, 4, 3), 50))


@pytest.mark.parametrize('crop', [(-1, 0, 4), (0, 20, 8), (3, 3, 0)])
def test_a_crop_outside_is_named(path, crop):
  with pytest.raises(reader.MediaError, match='it is 24 x 24'):
    still_face.read(_clip(path, crop), 4, None)


def test_the_face_nearest_to_the_middle_is_taken(path):
  finder = _finder((4, 2, 8, 8), (13, 11, 6, 6))
  np.testing.assert_array_equal(
      still_face.read(_clip(path), 4, finder), np.full((4, 4, 3), 50))
  np.testing.assert_array_equal(
      still_face.read(_clip(path), 4, _finder((4, 2, 8, 8))),
      np.full((4, 4, 3), 255))


def test_without_a_face_there_is_nothing(path):
  with pytest.raises(reader.MediaError, match='shows no face'):
    still_face.read(_clip(path), 4, _finder())


def test_without_a_finder_the_picture_is_taken_as_it_is(path):
  np.testing.assert_array_equal(
      still_face.read(_clip(path), 24, None),
      np.asarray(Image.open(path).convert('RGB')))
