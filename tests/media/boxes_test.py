"""Face boxes in VoxCeleb's txt form."""

from __future__ import annotations

import numpy as np
import pytest

from earsr_tf.media import boxes
from earsr_tf.media import sniffing

HEADER = (
    'Identity  : \tid00017\nReference : \t01dfn2spqyE\nOffset    : \t-3\n'
    'FV Conf   : \t16.0\nASD Conf  : \t3.6\n\nFRAME \tX \tY \tW \tH \n')


def _track(tmp_path, text):
  (tmp_path / 'a.txt').write_text(text)
  return boxes.read_track(tmp_path / 'a.txt')


def test_fractions_of_voxceleb2(tmp_path):
  track = _track(tmp_path, HEADER + (
      '000101 \t0.250 \t0.500 \t0.125 \t0.250 \n'
      '000100 \t0.000 \t-0.100 \t0.500 \t0.500 \n'))
  assert track.are_fractions
  assert track.frames.tolist() == [100, 101]
  # 400 x 200: [0, -20, 200, 100] -> side 200, moved inside; [100, 100, 50, 50]
  np.testing.assert_allclose(
      track.squares(400, 200), [[0, 0, 200], [100, 100, 50]])


def test_pixels_of_voxceleb1(tmp_path):
  track = _track(tmp_path, 'FRAME,X,Y,W,H\n0,10,20,30,40\n1,90,20,30,20\n')
  assert not track.are_fractions
  np.testing.assert_allclose(
      track.squares(100, 100), [[5, 20, 40], [70, 15, 30]])


@pytest.mark.parametrize('text, reason', [
    ('', 'is empty'), ('Offset : 1\n', "has no line 'FRAME X Y W H'"),
    (HEADER, 'has no boxes'), (HEADER + '1 2 3 4\n', 'box in line 8'),
    (HEADER + '1 0 0 0 4\n', 'box in line 8'),
    (HEADER + '1 0 0 nan 4\n', 'box in line 8'),
    (HEADER + '1.5 0 0 3 4\n', 'box in line 8'),
    (HEADER + '-1 0 0 3 4\n', 'box in line 8'),
    (HEADER + '1 0 0 3 4\n1 5 5 3 4\n', 'two boxes of frame 1')])
def test_nonsense_is_refused(tmp_path, text, reason):
  with pytest.raises(sniffing.MediaError, match=reason) as e:
    _track(tmp_path, text)
  assert '\n' not in str(e.value)


def test_a_box_outside_the_picture_is_refused(tmp_path):
  track = _track(tmp_path, HEADER + '7 500 0 30 30\n')
  with pytest.raises(sniffing.MediaError, match='frame 7 outside .*320 x 240'):
    track.squares(320, 240)
