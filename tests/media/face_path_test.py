"""A face is followed: between looks, across cuts, among others."""

from __future__ import annotations

import numpy as np
import pytest

from earsr_tf.media import face_path


def _boxes(*boxes: tuple) -> np.ndarray:
  return np.array(boxes, float).reshape(-1, 4)


def test_cuts_part_shots_and_movements_do_not() -> None:
  x = np.arange(64, dtype=float)
  scene = np.stack(np.broadcast_arrays(
      128 + 100 * np.sin(x / 9), (x * 4)[:, None], 60), -1).astype(np.uint8)
  frames = [np.roll(scene, n, axis=1) for n in range(6)]
  frames += [255 - np.roll(scene, n, axis=0) for n in range(4)]
  shots = face_path.shots_of([face_path.small(f) for f in frames])
  assert shots.tolist() == [0] * 6 + [1] * 4
  assert face_path.shots_of([face_path.small(scene)]).tolist() == [0]


def test_boxes_between_looks_lie_between() -> None:
  looks = {0: _boxes((100, 50, 40, 60)), 10: _boxes((120, 50, 40, 60)),
           20: _boxes(), 30: _boxes((160, 50, 40, 60))}
  path = face_path.follow(looks, np.zeros(40, int), 25.0)
  assert path.boxes.shape == (40, 4) and path.chosen == []
  np.testing.assert_allclose(path.boxes[12:20, 0], 124 + 2.0 * np.arange(8),
                             atol=0.2)
  np.testing.assert_allclose(path.boxes[:, 1:], [[50, 40, 60]] * 40)
  # Smooth: a finder that trembles by 10 pixels moves the frame by less than 3.
  looks = {n: _boxes((100 + 5 * (-1) ** (n // 5), 50, 40, 60))
           for n in range(0, 50, 5)}
  path = face_path.follow(looks, np.zeros(50, int), 25.0)
  assert np.ptp(path.boxes[10:40, 0]) < 3.0
  assert path.boxes[10:40, 0].mean() == pytest.approx(100.0, abs=0.5)


def test_the_same_face_is_followed_among_others() -> None:
  left, right = (100, 50, 40, 60), (300, 50, 40, 61)
  looks = {0: _boxes(left), 5: _boxes(left, right), 10: _boxes(right),
           15: _boxes(left, right)}
  path = face_path.follow(looks, np.zeros(16, int), 25.0)
  assert np.abs(path.boxes - _boxes(left)).max() < 1e-9
  with pytest.raises(face_path.SeveralFacesError) as error:
    face_path.follow({3: looks[5]}, np.zeros(16, int), 25.0)
  np.testing.assert_array_equal(error.value.boxes, looks[5])
  path = face_path.follow(
      {3: looks[5]}, np.zeros(16, int), 25.0, np.array([290.0, 40, 50, 70]))
  assert np.abs(path.boxes - _boxes(right)).max() < 1e-9


def test_shots_are_apart() -> None:
  shots = np.repeat([0, 1, 2], 10)
  looks = {0: _boxes((100, 50, 40, 60)), 10: _boxes(),
           20: _boxes((0, 0, 20, 30), (50, 0, 30, 40))}
  path = face_path.follow(looks, shots, 25.0)
  assert np.isnan(path.boxes[10:20]).all()
  assert np.abs(path.boxes[:10] - [100, 50, 40, 60]).max() < 1e-9
  assert np.abs(path.boxes[20:] - [50, 0, 30, 40]).max() < 1e-9
  assert path.chosen == [20]
