"""Frames of films: their number, order, shape and rate; what is cut off."""

from __future__ import annotations

import fractions
import pathlib

import numpy as np
import pytest

from earsr_tf.media import child
from earsr_tf.media import film
from earsr_tf.media import reader
from tests.media import film_files


def _counted(path: str, side: int = 32) -> tuple[film.Facts, np.ndarray]:
  facts = film.look_at(path)
  return facts, np.stack(list(film.frames(path, facts, side, side)))


def test_every_frame_comes_in_order(tmp_path: pathlib.Path) -> None:
  levels = np.arange(40, 240, 5, dtype=np.uint8)
  frames = np.broadcast_to(
      levels[:, None, None, None], [levels.size, 64, 64, 3])
  path = film_files.of_frames(tmp_path / 'a.mp4', frames, 'sine=440:d=1.6')
  facts, found = _counted(path)
  assert facts == film.Facts(64, 64, fractions.Fraction(25), 'aac')
  assert found.shape == (40, 32, 32, 3)
  assert np.abs(found.mean(axis=(1, 2, 3)) - levels).max() < 2.0


@pytest.mark.parametrize('picture, more, expected, count', [
    ('testsrc=s=65x63:r=24000/1001:d=2', (), (65, 63, 24000 / 1001), 48),
    ('testsrc=s=64x128:r=25:d=1', ('-vf', 'setsar=2'), (128, 128, 25), 25),
    # Frames that a camera left out are shown twice.
    ('testsrc=s=64x64:r=30:d=2', (
        '-vf', "select='lt(mod(n,7),5)'", '-fps_mode', 'vfr'), (64, 64, 30),
     60)])
def test_frames_are_as_a_player_shows_them(
    tmp_path: pathlib.Path, picture, more, expected, count) -> None:
  facts, found = _counted(
      film_files.write(tmp_path / 'a.mkv', picture, '', *more))
  assert (facts.width, facts.height) == expected[:2] and facts.sound == ''
  assert float(facts.rate) == pytest.approx(expected[2])
  assert abs(len(found) - count) <= 1


def test_a_display_matrix_turns_the_frames(tmp_path: pathlib.Path) -> None:
  frames = np.zeros([5, 32, 64, 3], np.uint8)
  frames[:, :, :16] = 255  # white at the left
  film_files.of_frames(tmp_path / 'flat.mp4', frames)
  film_files.run('-display_rotation', 90, '-i', tmp_path / 'flat.mp4', '-c',
                 'copy', tmp_path / 'turned.mp4')
  facts = film.look_at(tmp_path / 'turned.mp4')
  assert (facts.width, facts.height) == (32, 64)
  [first, *_] = film.frames(tmp_path / 'turned.mp4', facts, 32, 64)
  # 90 degrees counter-clockwise: what was at the left is below.
  assert first[56:].mean() > 250 and first[:40].mean() < 5


def test_a_picture_that_begins_late_keeps_its_place(
    tmp_path: pathlib.Path) -> None:
  path = tmp_path / 'late.mp4'
  film_files.run(
      '-itsoffset', 0.4, '-f', 'lavfi', '-i', 'testsrc=s=64x64:r=25:d=1', '-f',
      'lavfi', '-i', 'sine=440:d=1.4', '-preset', 'ultrafast', path)
  _, found = _counted(str(path))
  assert abs(len(found) - 35) <= 1  # the first frame is shown for 0.4 s
  assert np.abs(found[0].astype(int) - found[9]).max() == 0


@pytest.mark.parametrize('ending', ['mp4', 'mkv', 'avi'])
def test_films_that_are_cut_off_are_refused(
    tmp_path: pathlib.Path, ending: str) -> None:
  whole = film_files.write(
      tmp_path / f'whole.{ending}', 'testsrc=s=64x64:r=25:d=2', 'sine=440:d=2',
      *{'mp4': ('-movflags', '+faststart'), 'avi': ('-c:a', 'pcm_s16le')}.get(
          ending, ()))
  assert len(_counted(whole)[1]) == 50
  content = pathlib.Path(whole).read_bytes()
  path = tmp_path / f'cut.{ending}'
  for share in (0.5, 0.67, 0.7, 0.9):
    path.write_bytes(content[:int(share * len(content))])
    with pytest.raises(reader.MediaError, match=r'cut\.'):
      _counted(str(path))


def test_what_is_no_film_is_refused(tmp_path: pathlib.Path) -> None:
  sound = film_files.write(tmp_path / 'a.mp4', '', 'sine=440:d=1')
  with pytest.raises(reader.MediaError, match='has no picture in it'):
    film.look_at(sound)
  (tmp_path / 'a.txt').write_text('no film')
  with pytest.raises(reader.MediaError, match='is not a video'):
    film.look_at(tmp_path / 'a.txt')


def test_a_child_that_is_left_or_silent_is_ended(
    tmp_path: pathlib.Path) -> None:
  path = film_files.write(tmp_path / 'a.mkv', 'testsrc=s=64x64:r=25:d=2')
  facts = film.look_at(path)
  some = film.frames(path, facts, 32, 32)
  next(some)
  some.close()
  with pytest.raises(child.ChildError, match='nothing came') as error:
    list(child.pieces(child.Input(path, 9.0), ('-f', 'null'), 8, timeout=0.0))
  assert error.value.is_timeout
