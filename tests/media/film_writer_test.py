"""Films are whole or not there; frames, rate and sound come back."""

from __future__ import annotations

import fractions
import os
import pathlib

import numpy as np
import pytest

from earsr_tf.media import film
from earsr_tf.media import film_writer
from earsr_tf.media import reader
from tests.media import film_files

_RATE = fractions.Fraction(24000, 1001)


def _frames(count: int) -> np.ndarray:
  """[count, 64, 64, 3] uint8: a square that moves over grey."""
  frames = np.full([count, 64, 64, 3], 90, np.uint8)
  for number, frame in enumerate(frames):
    frame[16:48, number:number + 16] = (200, 60, 120)
  return frames


def _write(path: pathlib.Path, frames: np.ndarray, **options: object) -> None:
  with film_writer.writing(path, side=64, rate=_RATE, **options) as write:
    for frame in frames:
      write(frame)


@pytest.mark.parametrize('ending', film_writer.ENDINGS)
def test_frames_and_sound_come_back(
    tmp_path: pathlib.Path, ending: str) -> None:
  source = film_files.write(
      tmp_path / 'in.mp4', 'testsrc=s=64x64:r=25:d=2', 'sine=440:d=2')
  path, frames = tmp_path / 'new' / f'out{ending}', _frames(30)
  _write(path, frames, sound=(source, 'aac'))
  assert os.listdir(path.parent) == [path.name]
  facts = film.look_at(path)
  assert facts == film.Facts(64, 64, facts.rate, 'aac')
  assert float(facts.rate) == pytest.approx(float(_RATE), rel=1e-4)
  found = np.stack(list(film.frames(path, facts, 64, 64)))
  assert found.shape == frames.shape
  assert np.abs(found.astype(int) - frames).mean() < 3.0
  np.testing.assert_array_equal(
      reader.read_audio(path), reader.read_audio(source))


def test_sound_that_players_do_not_know_becomes_aac(
    tmp_path: pathlib.Path) -> None:
  source = film_files.write(
      tmp_path / 'in.avi', 'testsrc=s=64x64:r=25:d=2', 'sine=440:d=2',
      '-c:a', 'pcm_s16le')
  assert not film_writer.is_kept('x.mp4', 'pcm_s16le')
  assert film_writer.is_kept('x.MOV', 'pcm_s16le')
  _write(tmp_path / 'out.mp4', _frames(5), sound=(source, 'pcm_s16le'))
  assert film.look_at(tmp_path / 'out.mp4').sound == 'aac'
  before, after = (
      reader.read_audio(p).astype(float)[:30_000]
      for p in (source, tmp_path / 'out.mp4'))
  assert np.abs(before - after).max() < 0.1 * np.abs(before).max()


def test_the_same_frames_are_the_same_bytes(tmp_path: pathlib.Path) -> None:
  for name in 'ab':
    _write(tmp_path / f'{name}.mp4', _frames(5))
  assert (tmp_path / 'a.mp4').read_bytes() == (
      tmp_path / 'b.mp4').read_bytes()


def test_what_fails_leaves_nothing_behind(tmp_path: pathlib.Path) -> None:
  (tmp_path / 'old.mp4').write_bytes(b'old')
  with pytest.raises(ValueError, match='of the caller'):
    with film_writer.writing(
        tmp_path / 'old.mp4', side=64, rate=_RATE) as write:
      write(_frames(1)[0])
      raise ValueError('of the caller')
  (tmp_path / 'bad.mp4').write_bytes(b'no film')
  with pytest.raises(OSError, match=r'out\.mp4: could not be written'):
    _write(tmp_path / 'out.mp4', np.tile(_frames(30), [20, 1, 1, 1]),
           sound=(str(tmp_path / 'bad.mp4'), 'aac'))
  assert sorted(os.listdir(tmp_path)) == ['bad.mp4', 'old.mp4']
  assert (tmp_path / 'old.mp4').read_bytes() == b'old'
