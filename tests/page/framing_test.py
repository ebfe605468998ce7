"""The square of a photograph: found, moved by hand, and shown."""

from __future__ import annotations

import pathlib

import numpy as np
from PIL import Image
import pytest

from earsr_tf import face_finder
from earsr_tf.media import reader
from earsr_tf.page import framing

_FACES = (face_finder.Box(352, 217, 130, 179),
          face_finder.Box(700, 300, 65, 90))


@pytest.fixture
def scene(tmp_path: pathlib.Path) -> str:
  """A picture of 1000x800 whose values tell the place."""
  y, x = np.mgrid[:800, :1000]
  image = np.stack([x % 251, y % 241, (x // 251) * 50 + y // 241], -1)
  path = tmp_path / 'scene.png'
  Image.fromarray(image.astype(np.uint8)).save(path)
  return str(path)


def _finds(monkeypatch: pytest.MonkeyPatch, *boxes: face_finder.Box) -> None:
  """Makes the finder find these."""
  monkeypatch.setattr(framing, 'can_find', lambda: True)
  monkeypatch.setattr(face_finder, 'find', lambda picture: list(boxes))


def _place(framed: framing.Framed) -> tuple[int, int, int]:
  return framed.left, framed.top, framed.side


def test_without_a_finder_the_centre_is_framed(scene, monkeypatch):
  monkeypatch.setattr(framing, 'can_find', lambda: False)
  framed = framing.read(scene)
  assert _place(framed) == (100, 0, 800) and framed.boxes == ()
  assert framed.name == 'scene.png'
  np.testing.assert_array_equal(
      framed.face, reader.read_image(scene)[:, 100:900])
  assert framed.place == (50.0, 50.0, 100.0)


def test_the_largest_face_is_framed_and_a_click_takes_another(
    scene, monkeypatch):
  _finds(monkeypatch, *_FACES)
  framed = framing.read(scene)
  assert _place(framed) == (300, 200, 224)
  # 1000 pixels are shown as 480: (720, 310) lies in the other face.
  other = framing.choose(framed, 720 * 0.48, 310 * 0.48)
  assert _place(other) == (674, 292, 112)
  # Beside the faces a click moves the centre and keeps the size.
  beside = framing.choose(framed, 500 * 0.48, 600 * 0.48)
  assert _place(beside) == (388, 488, 224)


def test_a_picture_that_a_face_fills_stays_whole(tmp_path, monkeypatch):
  path = tmp_path / 'face.png'
  Image.new('RGB', (128, 128), (9, 9, 9)).save(path)
  _finds(monkeypatch, face_finder.Box(20, 10, 80, 100))
  assert _place(framing.read(str(path))) == (0, 0, 128)
  _finds(monkeypatch, face_finder.Box(20, 10, 40, 50))
  assert framing.read(str(path)).side == 66


def test_a_tiny_picture_is_not_searched(tmp_path, monkeypatch):
  path = tmp_path / 'small.png'
  Image.new('RGB', (8, 8), (9, 9, 9)).save(path)
  _finds(monkeypatch, face_finder.Box(1, 1, 3, 4))
  framed = framing.read(str(path))
  assert _place(framed) == (0, 0, 8) and framed.face.shape == (8, 8, 3)
  assert framing.drawn(framed).shape == (480, 480, 3)


@pytest.mark.parametrize('given, expected', [
    ((50, 50, 50), (300, 200, 400)),
    ((0, 0, 25), (0, 0, 200)),  # moved inside
    ((100, 100, 25), (800, 600, 200)),
    ((50, 50, 0), (496, 396, 8))])  # the smallest
def test_a_square_is_placed_by_per_cent(scene, monkeypatch, given, expected):
  monkeypatch.setattr(framing, 'can_find', lambda: False)
  assert _place(framing.place(framing.read(scene), *given)) == expected


def test_the_square_is_drawn_where_it_is(tmp_path, monkeypatch):
  path = tmp_path / 'plain.png'
  Image.new('RGB', (1000, 800), (90, 90, 90)).save(path)
  _finds(monkeypatch, *_FACES)
  framed = framing.read(str(path))
  shown = framing.drawn(framed)
  assert shown.shape == (384, 480, 3)
  yellow = np.argwhere((shown == (255, 196, 0)).all(-1))
  # Left 300, top 200, side 224 of 1000 pixels, shown as 480; a dark line
  # around it.
  assert yellow.min(0).tolist() == [97, 145]
  assert yellow.max(0).tolist() == [202, 250]
  white = np.argwhere((shown == (255, 255, 255)).all(-1))
  assert white[:, 1].max() == round(765 * 0.48)
