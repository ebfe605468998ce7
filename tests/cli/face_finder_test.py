"""A face somewhere in a photograph: framed as in training, or a sentence."""

from __future__ import annotations

import pathlib
import sys

import numpy as np
from PIL import Image
import pytest

from earsr_tf import cli
from earsr_tf import face_finder
from earsr_tf import super_resolve
from tests import testing
from tests.cli import media_files


def _scene(height: int = 800, width: int = 1000) -> np.ndarray:
  """[H, W, 3] uint8 whose values tell the place."""
  y, x = np.mgrid[:height, :width]
  return np.stack([x % 251, y % 241, (x // 251) * 50 + y // 241], -1).astype(
      np.uint8)


@pytest.mark.parametrize('box, top, left, side', [
    ((352, 217, 130, 179), 200, 300, 224),  # as in VoxCeleb2
    ((326, 208.5, 65, 89.5), 200, 300, 112),
    ((5, 3, 130, 179), 0, 0, 224),  # moved inside
    ((900, 700, 130, 179), 576, 776, 224),
    ((0, 0, 1000, 800), 0, 82, 800)])  # made smaller
def test_a_box_is_framed_as_in_voxceleb(box, top, left, side):
  scene = _scene()
  np.testing.assert_array_equal(
      face_finder.framed(scene, face_finder.Box(*box)),
      scene[top:top + side, left:left + side])


def test_bad_boxes_are_refused():
  for text in ('', '1,2,3', '1,2,3,x', '1,2,0,5', '1,2,nan,5', '1,2,3,4,5',
               '1,2,inf,4', '1,2,-3,4'):
    with pytest.raises(cli.InputError, match='must be x,y,w,h in pixels'):
      face_finder.parse_box(text)
  box = face_finder.parse_box('1, 2.5,30,40')
  assert box == face_finder.Box(1.0, 2.5, 30.0, 40.0)
  with pytest.raises(cli.InputError, match='outside a.png, which has 1000 x'):
    face_finder.framed(_scene(), face_finder.Box(1000, 5, 9, 9), 'a.png')


def test_none_and_several_get_a_sentence(monkeypatch):
  class Detector:
    """Finds what it is told."""
    faces: list = []

    def detect_faces(self, picture):
      assert picture.shape == (768, 1024, 3)  # of 1536 x 2048
      return [{'box': list(b), 'confidence': c} for b, c in self.faces]

  detector = Detector()
  monkeypatch.setattr(face_finder, '_detector', lambda: detector)
  scene = _scene(1536, 2048)
  for faces in ([], [((9, 9, 50, 60), 0.5)]):
    detector.faces = faces
    with pytest.raises(cli.InputError, match='a.png: no face was found; say'):
      face_finder.only_face(scene, 'a.png')
  detector.faces = [((500, 100, 50, 60), 0.99), ((9, 8, 20, 30), 0.99),
                    ((300, 3, 15, 19), 0.99)]  # the last in the background
  with pytest.raises(cli.InputError) as error:
    face_finder.only_face(scene, 'a.png', 2.0)
  assert str(error.value) == (
      'a.png: has 2 faces; make a file of each with --faces=all, or choose '
      'one, from left to right: '
      '--box=36,32,80,120 --box=2000,400,200,240')
  detector.faces = detector.faces[:1]
  assert face_finder.only_face(scene, 'a.png') == face_finder.Box(
      1000.0, 200.0, 100.0, 120.0)


def test_a_missing_package_is_named(monkeypatch):
  monkeypatch.setitem(sys.modules, 'mtcnn', None)
  face_finder._detector.cache_clear()
  with pytest.raises(cli.InputError, match='needs the package mtcnn; pip inst'):
    face_finder.find(_scene())


def test_faces_are_found_where_they_are():
  pytest.importorskip('mtcnn')
  folder = testing.shared_dir() / 'data' / 'lfw_deepfunneled'
  files = sorted(folder.rglob('*.jpg'))[:6:2]
  assert files
  for path in files:
    face = np.asarray(Image.open(path).convert('RGB'))
    [alone] = face_finder.find(face)
    scene = np.full((900, 1400, 3), 128, np.uint8)
    scene[500:750, 800:1050] = face
    box = face_finder.only_face(scene, 'scene')
    assert abs(box.left - alone.left - 800) < 12
    assert abs(box.top - alone.top - 500) < 12
    assert abs(box.height / alone.height - 1) < 0.12
    scene[100:350, 50:300] = face
    with pytest.raises(cli.InputError, match='has 2 faces; make a file'):
      face_finder.only_face(scene, 'scene')


def _run(model: str, *paths: object, **options: object) -> int:
  return cli.guard(lambda: super_resolve.run(
      model, *(str(path) for path in paths), **options))


def test_each_face_gets_a_file(
    model: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str]) -> None:
  scene, boxes = _scene(), [
      face_finder.Box(52, 217, 130, 179), face_finder.Box(652, 317, 130, 179)]
  voice = media_files.voice(tmp_path / 'v.wav')
  Image.fromarray(scene).save(tmp_path / 'scene.png')
  monkeypatch.setattr(face_finder, 'find', lambda picture: boxes)
  assert _run(model, tmp_path / 'scene.png', voice, tmp_path / 'a.jpg',
              each_face=True) == 0
  made = sorted(path.name for path in tmp_path.glob('a*'))
  assert made == ['a-1.jpg', 'a-2.jpg']
  for name, box in zip(made, boxes):
    assert _run(model, tmp_path / 'scene.png', voice, tmp_path / 'b.jpg',
                box=str(box)) == 0
    one, other = (np.asarray(Image.open(tmp_path / n), int)
                  for n in (name, 'b.jpg'))
    assert np.abs(one - other).mean() < 1.0
  assert capsys.readouterr().err == ''
  boxes.clear()
  assert _run(model, tmp_path / 'scene.png', voice, tmp_path / 'c.png',
              each_face=True) == 65
  assert 'scene.png: no face was found' in capsys.readouterr().err
  assert _run(model, tmp_path, voice, tmp_path / 'out', each_face=True) == 1
  assert '--faces=all: is for one picture' in capsys.readouterr().err


def test_the_command_takes_a_box(
    model: str, tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str]) -> None:
  scene = _scene(1200, 4400)  # is reduced by 2; the box is not
  voice = media_files.voice(tmp_path / 'v.wav')
  Image.fromarray(scene).save(tmp_path / 'scene.png')
  Image.fromarray(scene[400:848, 600:1048]).reduce(2).save(
      tmp_path / 'face.png')
  assert _run(model, tmp_path / 'scene.png', voice, tmp_path / 'a.png',
              box='704,434,260,358') == 0
  assert _run(model, tmp_path / 'face.png', voice, tmp_path / 'b.png') == 0
  assert (tmp_path / 'a.png').read_bytes() == (
      tmp_path / 'b.png').read_bytes()
  assert capsys.readouterr().err == ''
  for image, box, words in (
      ('scene.png', '5000,1,9,9', 'scene.png, which has'),
      ('scene.png', '1,2', 'must be x,y,w,h'), ('.', '1,2,3,4', 'one picture')):
    out = tmp_path / ('out' if image == '.' else 'c.png')
    assert _run(model, tmp_path / image, voice, out, box=box) == 1
    assert words in capsys.readouterr().err
