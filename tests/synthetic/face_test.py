"""Faces of SyntheticVox: what moves, what turns, what the seed fixes."""

from __future__ import annotations

import dataclasses

import numpy as np
from PIL import Image

from earsr_tf.synthetic import canvas
from earsr_tf.synthetic import clip as clip_lib
from earsr_tf.synthetic import features
from earsr_tf.synthetic import head
from earsr_tf.synthetic import people
from earsr_tf.synthetic import portrait
from earsr_tf.synthetic import pose as pose_lib
from earsr_tf.synthetic import seeds

_FRONT = pose_lib.Pose(shift_y=0.075, scale=1.17)


def _setting(index: int = 0, video: str = 'v') -> portrait.Setting:
  """The setting of one person in one video."""
  person = people.make_population(8, 6, 0.2)[index]
  return portrait.make_setting(
      person.face, person.seed, person.speaker, video)


def _low(image: np.ndarray) -> np.ndarray:
  """[8, 8] brightness of a frame, reduced as the product does."""
  picture = Image.fromarray(image).resize((128, 128), Image.BICUBIC)
  small = picture.resize((8, 8), Image.BICUBIC)
  return np.asarray(small, np.float64).mean(2)


def test_mouth_moves_only_the_mouth() -> None:
  setting = _setting()
  shut = portrait.still(setting, _FRONT, 0.0).astype(int)
  wide = portrait.still(setting, _FRONT, 1.0).astype(int)
  change = np.abs(shut - wide).max(2)
  patch = features.mouth_patch(portrait.paint(setting, _FRONT))
  assert change[patch.rows, patch.cols].max() > 60
  change[patch.rows, patch.cols] = 0
  assert change.max() == 0


def test_blink_darkens_the_eyes_only() -> None:
  setting = _setting(1)
  open_ = portrait.still(setting, _FRONT, 0.0).astype(int)
  shut = portrait.still(
      setting, dataclasses.replace(_FRONT, lids=0.0), 0.0).astype(int)
  rows = np.nonzero(np.abs(open_ - shut).max((1, 2)) > 8)[0]
  assert rows.size > 3
  assert 80 < rows.min() and rows.max() < 135  # Eyes are near row 110.


def test_light_from_the_side_shades_the_other() -> None:
  setting = _setting(2)
  bright = dataclasses.replace(setting.light, direction=(0.6, -0.3, 0.74))
  image = portrait.still(
      dataclasses.replace(setting, light=bright), _FRONT, 0.0)
  cheeks = image[125:145].mean((0, 2))
  assert cheeks[130:150].mean() > cheeks[74:94].mean() + 8


def test_frontal_head_is_symmetric_under_frontal_light() -> None:
  setting = _setting(3)
  front = dataclasses.replace(setting.light, direction=(0.0, -0.4, 0.92))
  picture = head.Portrait(
      image=np.zeros((3, 224, 224), np.float32),
      lum=np.ones((224, 224), np.float32),
      grid=canvas.make_grid(0.0, 0.075, 1.17), pose=_FRONT, light=front,
      face=setting.face)
  head.paint_head(picture, setting.profile)
  head.paint_neck(picture)
  image = portrait.to_uint8(picture.image)
  low = _low(image)
  assert np.abs(low - low[:, ::-1]).max() <= 1.5


def test_yaw_moves_the_nose_further_than_the_eyes() -> None:
  turned = dataclasses.replace(_FRONT, yaw=0.2)
  nose = turned.place(0.0, 0.1, 0.06)[0]
  eye = turned.place(0.17, -0.08)[0] - 0.17
  assert nose > eye + 0.01 > 0.02


def test_faces_are_aligned() -> None:
  poses = [
      pose for index in range(200)
      for pose in pose_lib.draw_poses(seeds.stream('align', index), 3)]
  assert max(abs(p.shift_x) for p in poses) <= 0.03  # +-.015 of the frame.
  assert max(abs(p.tilt) for p in poses) <= 0.035
  assert max(abs(p.scale / 1.17 - 1) for p in poses) <= 0.021
  assert max(abs(p.yaw) for p in poses) <= 0.24
  assert np.std([p.yaw for p in poses]) > 0.05


def test_identity_stays_nuisance_changes() -> None:
  same = [portrait.still(_setting(0, v), _FRONT, 0.0).astype(float)
          for v in ('a', 'b')]
  assert np.abs(same[0] - same[1]).mean() > 5  # Light, scene, clothes.
  assert _setting(0, 'a').face == _setting(0, 'b').face


def test_skin_is_brighter_than_pupils_and_reads_at_8x8() -> None:
  for index in range(4):
    setting = _setting(index)
    image = portrait.still(setting, _FRONT, 0.0)
    assert image.shape == (224, 224, 3) and image.dtype == np.uint8
    low = _low(image)
    assert low.std() > 8
    assert image[100:125].min() < 60


def test_clip_has_moving_frames_as_long_as_its_voice() -> None:
  person = people.make_population(8, 6, 0.2)[0]
  made = clip_lib.make_clip(person, 'v', '00001')
  total = made.frames.shape[0]
  assert clip_lib.MIN_FRAMES <= total <= clip_lib.MAX_FRAMES
  assert made.frames.shape[1:] == (336, 224)
  assert made.samples.size == total * 640
  luma = made.frames[:, :224].astype(int)
  moved = np.abs(np.diff(luma, axis=0)).max((1, 2))
  assert np.mean(moved > 10) > 0.4
  assert np.median(np.abs(luma[0] - luma[-1]).mean()) < 30


def test_profile_distance_is_signed_and_metric() -> None:
  setting = _setting(0)
  distance, _ = setting.profile.distance(
      np.array([[0.0, setting.face.width + 0.05, 0.9]], np.float32),
      np.array([[0.0, -0.08, 0.0]], np.float32))
  assert distance[0, 0] > 0.1
  assert abs(distance[0, 1] + 0.05) < 0.01
  assert distance[0, 2] < -0.2
