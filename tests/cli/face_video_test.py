"""python -m earsr_tf.super_resolve --video: a film in, a film out."""

from __future__ import annotations

import os
import pathlib
from typing import Any

import numpy as np
from PIL import Image
import pytest

import earsr_tf
from earsr_tf import cli
from earsr_tf import face_finder
from earsr_tf import face_video
from earsr_tf import trained_model
from earsr_tf.media import film
from earsr_tf.media import reader
from tests.media import film_files

_SOUND = 'sine=440:d=1.4'


class _Enlarging(trained_model.TrainedModel):
  """A model whose codes are small pictures and whose pictures enlarge them."""

  def coder(self):
    return self

  def encode(self, image_low, waveform, strength):
    assert waveform.shape == (64_000,) and waveform.dtype == np.float32
    assert strength == float(self.facts['strength'])
    return image_low.reshape(len(image_low), 1, -1).astype(np.float32)

  def render(self, code, image_low, consistency):
    assert consistency == 'off'
    return np.round(code).astype(np.uint8).reshape(-1, 8, 8, 3).repeat(
        16, 1).repeat(16, 2)

  def reduce(self, image, notice, *, name='image'):
    return np.asarray(
        Image.fromarray(image).resize((8, 8), Image.Resampling.BOX))


@pytest.fixture(name='quick')
def _quick(monkeypatch: pytest.MonkeyPatch) -> str:
  """Where a model stands in that needs no TensorFlow, at strength 1 or 0."""
  monkeypatch.setattr(trained_model, 'load', lambda name: _Enlarging(
      version=pathlib.Path('quick'), facts={
          'strength': name.removeprefix('strength-'),
          'signatures': ['super_resolve_strength']}))
  return 'strength-1'


def _scenes(*counts: int) -> np.ndarray:
  """[n, 64, 64, 3] uint8: gradients that move a little, one for each shot."""
  ramp = np.linspace(0, 255, 64)
  shots = []
  for number, count in enumerate(counts):
    shift = np.arange(count)[:, None, None]
    level = (ramp[:, None] + 0.5 * shift + 0.0 * ramp) if number % 2 else (
        255 - ramp[None] - 0.5 * shift + 0.0 * ramp[:, None])
    shots.append(np.stack([level, 0.5 * level, 255 - level], -1).clip(0, 255))
  return np.concatenate(shots).astype(np.uint8)


def _run(model: str, video: str, output: pathlib.Path, **options: Any
         ) -> tuple[np.ndarray, list[str]]:
  """[n, 128, 128, 3] int of the film that is made, and the notices."""
  notices = []
  face_video.run(model, video, str(output), face_video.Options(**options),
                 notices.append)
  frames = film.frames(output, film.look_at(output), 128, 128)
  return np.stack(list(frames)).astype(int), notices


def _steps(frames: np.ndarray) -> np.ndarray:
  """[n - 1]: how much each frame differs from the one before, in levels."""
  return np.abs(np.diff(frames, axis=0)).mean(axis=(1, 2, 3))


def test_a_film_becomes_a_film(quick: str, tmp_path: pathlib.Path) -> None:
  frames = _scenes(20, 15)
  video = film_files.of_frames(tmp_path / 'in.mp4', frames, _SOUND)
  output = tmp_path / 'new' / 'out.mp4'
  steady, notices = _run(quick, video, output)
  assert os.listdir(output.parent) == ['out.mp4']
  facts = film.look_at(output)
  assert (facts.width, facts.height, facts.rate, facts.sound) == (
      128, 128, 25, 'aac')
  assert len(steady) == 35
  np.testing.assert_array_equal(
      reader.read_audio(output), reader.read_audio(video))
  # One picture for each shot, the mean of its frames.
  assert np.delete(_steps(steady), 19).max() < 0.5 < _steps(steady)[19]
  for at, shot in ((5, frames[:20]), (25, frames[20:])):
    mean = shot.astype(float).mean(axis=(0, 1, 2))
    assert np.abs(steady[at].mean(axis=(0, 1)) - mean).max() < 4.0
  assert [n for n in notices if 'one code and so one picture' in n]
  each, notices = _run(quick, video, tmp_path / 'each.mp4', codes='frame')
  assert len(each) == 35 and not [n for n in notices if 'one code' in n]
  assert np.abs(each.mean(axis=(1, 2)) - frames.mean(axis=(1, 2))).max() < 4.0


def test_an_export_makes_of_each_frame_what_it_makes_of_a_picture(
    model: str, tmp_path: pathlib.Path) -> None:
  video = film_files.of_frames(tmp_path / 'in.mp4', _scenes(5, 4), _SOUND)
  each, _ = _run(model, video, tmp_path / 'each.mp4', codes='frame')
  facts = film.look_at(video)
  pictures = list(film.frames(video, facts, 64, 64))
  expected = earsr_tf.load(model).super_resolve(
      pictures, video, notice=lambda text: None).astype(int)
  assert each.shape == expected.shape == (9, 128, 128, 3)
  assert np.abs(each - expected).mean() < 6.0  # H.264 and half the colours
  steady, _ = _run(model, video, tmp_path / 'steady.mp4')
  assert np.delete(_steps(steady), 4).max() < 0.5


def test_a_silent_film_is_made_of_its_picture(
    quick: str, tmp_path: pathlib.Path) -> None:
  frames = _scenes(6)
  mute = film_files.of_frames(tmp_path / 'mute.mp4', frames)
  silent = film_files.of_frames(
      tmp_path / 'silent.mkv', frames, 'anullsrc=r=16000:d=1.2')
  made, notices = _run('strength-0', mute, tmp_path / 'a.mp4', codes='frame')
  assert len(made) == 6 and film.look_at(tmp_path / 'a.mp4').sound == ''
  assert notices[0].endswith('mute.mp4: has no sound')
  assert 'the image alone makes the face' in notices[1]
  other, notices = _run('strength-0', silent, tmp_path / 'b.mp4', codes='frame')
  assert 'is silent' in notices[0] and len(other) == 6
  assert np.abs(made - other).max() < 40
  assert film.look_at(tmp_path / 'b.mp4').sound


def test_a_face_in_a_larger_picture(
    quick: str, tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch) -> None:
  frames = np.full([12, 480, 640, 3], 128, np.uint8)
  frames[:, 100:324, 200:424] = _scenes(12).repeat(4, 1).repeat(4, 2)[
      :, 16:240, 16:240]
  video = film_files.of_frames(tmp_path / 'scene.mp4', frames)
  crop = film_files.of_frames(
      tmp_path / 'crop.mp4', frames[:, 100:324, 200:424])
  expected, _ = _run('strength-0', crop, tmp_path / 'a.mp4', codes='frame')
  by_hand, _ = _run('strength-0', video, tmp_path / 'b.mp4', codes='frame',
                    box='252,117,130,179')
  assert np.abs(expected - by_hand).mean() < 1.0
  found = [face_finder.Box(252, 117, 130, 179)]
  monkeypatch.setattr(face_finder, 'find', lambda picture: found)
  by_finder, _ = _run('strength-0', video, tmp_path / 'c.mp4', codes='frame',
                      detect_faces=True)
  np.testing.assert_array_equal(by_finder, by_hand)
  found.append(face_finder.Box(20, 30, 65, 90))
  chosen, _ = _run('strength-0', video, tmp_path / 'd.mp4', codes='frame',
                   detect_faces=True, box='240,100,140,170')
  np.testing.assert_array_equal(chosen, by_hand)
  for faces, words in (
      (found[:], 'has 2 faces at first; choose'), ([], 'no face was found')):
    found[:] = faces
    with pytest.raises(cli.InputError, match=words):
      _run('strength-0', video, tmp_path / 'e.mp4', detect_faces=True)
  with pytest.raises(cli.InputError, match='640 x 480 pixels and so shows mo'):
    _run('strength-0', video, tmp_path / 'e.mp4')
  assert not (tmp_path / 'e.mp4').exists()


def test_unusable_films_and_outputs_are_refused(
    quick: str, tmp_path: pathlib.Path) -> None:
  video = film_files.of_frames(tmp_path / 'in.mp4', _scenes(20), _SOUND)
  content = pathlib.Path(video).read_bytes()
  (tmp_path / 'cut.mp4').write_bytes(content[:len(content) // 2])
  (tmp_path / 'out').mkdir()
  for name, output, words in (
      ('cut.mp4', 'x.mp4', 'cut.mp4: cannot be decoded'),
      ('absent.mp4', 'x.mp4', 'no such file'), ('out', 'x.mp4', 'is a folder'),
      ('in.mp4', 'x.avi', 'must end in .mp4, .mov, .mkv'),
      ('in.mp4', 'in.mp4', 'the film itself'),
      ('in.mp4', 'in.mp4/x.mp4', 'no folder that can be written')):
    with pytest.raises(ValueError, match=words):
      face_video.run(quick, str(tmp_path / name), str(tmp_path / output),
                     face_video.Options(), lambda text: None)
  assert sorted(os.listdir(tmp_path)) == ['cut.mp4', 'in.mp4', 'out']
