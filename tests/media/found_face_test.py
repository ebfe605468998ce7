"""Faces of scenes without boxes, by a finder that knows bright squares."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest
from scipy import ndimage

from earsr_tf.media import clip_files
from earsr_tf.media import found_face
from earsr_tf.media import reader
from earsr_tf.media import talking_face
from tests.media import film_files


def _find(frame: np.ndarray) -> np.ndarray:
  """Boxes of what is bright, from left to right."""
  labels, _ = ndimage.label(frame[..., 0] > 150)
  found = sorted((x.start, y.start, x.stop - x.start, y.stop - y.start)
                 for y, x in ndimage.find_objects(labels))
  return np.array([b for b in found if b[2] > 5], float).reshape(-1, 4)


def _frame(frame: np.ndarray, box: np.ndarray) -> np.ndarray:
  """The box itself."""
  left, top, width, height = np.round(box).astype(int)
  return frame[top:top + height, left:left + width]


_WANTED = talking_face.Wanted(
    4, 32, finder=found_face.Finder(_find, _frame))


def _scene(count: int, *, background: int = 40, lefts: tuple = (100,)
           ) -> np.ndarray:
  """[count, 120, 320, 3]: grey with squares of 48 that brighten."""
  frames = np.full([count, 120, 320, 3], background, np.uint8)
  for number, frame in enumerate(frames):
    for left in lefts:
      frame[40:88, left + number:left + number + 48] = 180 + number
  return frames


def _read(path: str, wanted: talking_face.Wanted = _WANTED
          ) -> tuple[list[np.ndarray], np.ndarray]:
  return talking_face.read(clip_files.Clip('s', 'v', 'c', path), wanted)


def test_a_face_is_found_and_followed(tmp_path: pathlib.Path) -> None:
  video = film_files.of_frames(
      tmp_path / 'a.mp4', _scene(50), 'sine=440:d=2')
  frames, voice = _read(video)
  assert len(frames) == 4 and frames[0].shape == (32, 32, 3)
  # All of it is face: the frame moved with the square.
  assert min(f.min() for f in frames) > 150
  means = [f.mean() for f in frames]
  assert sorted(means) == means and means[-1] - means[0] > 20
  np.testing.assert_array_equal(voice, reader.read_voice(video))
  with pytest.raises(reader.MediaError, match='320 x 120, not a square'):
    _read(video, talking_face.Wanted(4, 32))


def test_the_longest_shot_with_a_face_counts(tmp_path: pathlib.Path) -> None:
  video = film_files.of_frames(tmp_path / 'a.mp4', np.concatenate([
      _scene(45, lefts=()), _scene(15, background=140, lefts=(20, 200)),
      _scene(30, background=90)]), 'sine=440:d=3')
  frames, _ = _read(video)
  assert len(frames) >= 2
  assert min(f[8:24, 8:24].min() for f in frames) > 150


@pytest.mark.parametrize('lefts, words', [
    ((), 'shows no face that could be found'),
    ((20, 200), 'shows 2 faces at once')])
def test_none_and_several_are_refused(
    tmp_path: pathlib.Path, lefts: tuple, words: str) -> None:
  video = film_files.of_frames(
      tmp_path / 'a.mp4', _scene(30, lefts=lefts), 'sine=440:d=2')
  with pytest.raises(reader.MediaError, match=words):
    _read(video)
