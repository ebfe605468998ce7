"""Faces of SyntheticVox: what moves, what turns, what the seed fixes."""

from __future__ import annotations

import dataclasses

import numpy as np
from PIL import Image
import pytest

from earsr_tf.synthetic import camera as camera_lib
from earsr_tf.synthetic import canvas
from earsr_tf.synthetic import clip as clip_lib
from earsr_tf.synthetic import head
from earsr_tf.synthetic import people
from earsr_tf.synthetic import portrait
from earsr_tf.synthetic import pose as pose_lib
from earsr_tf.synthetic import seeds
from earsr_tf.synthetic import view as view_lib

_FRONT = pose_lib.Pose(shift_y=0.02, scale=1.4)
_PLAIN = camera_lib.Camera(
    gains=(1.0, 1.0, 1.0), haze=0.0, curve=0.0, blur=(), quality=19)
_LIGHT = pose_lib.Light(
    direction=(0.0, -0.4, 0.92), ambient=0.4, gain=1.0, tint=(1.0, 1.0, 1.0))


def _setting(index: int = 0, video: str = 'v') -> portrait.Setting:
  """The setting of one person in one video, under plain light."""
  person = people.make_population(8, 6, 0.2)[index]
  return dataclasses.replace(
      portrait.make_setting(
          person.face, person.seed, person.speaker, video),
      light=_LIGHT, camera=_PLAIN)


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
  rows, cols = np.nonzero(change)
  _, mouth = view_lib.place(_FRONT, 0.0, setting.face.mouth_y, 0.5)
  middle = 112 * (1 + 1.4 * mouth + 0.02)
  assert change.max() > 60
  assert middle - 20 < rows.min() and rows.max() < middle + 30
  assert abs((cols.min() + cols.max()) / 2 - 112) < 4
  assert np.ptp(cols) < 80


def test_blink_changes_the_eyes_only() -> None:
  setting = _setting(1)
  picture = portrait.Picture(setting=setting, pose=_FRONT)
  change = picture.with_closed_eyes()
  strong = change.pixels[np.abs(change.change).max(1) > 0.05]
  rows = strong // 224
  eyes = 112 * (1 + 1.4 * setting.face.eye_y + 0.02)
  assert strong.size > 60
  assert eyes - 18 < rows.min() and rows.max() < eyes + 18


def test_retouch_gives_the_frame_that_painting_gives() -> None:
  setting = _setting(1)
  picture = portrait.Picture(setting=setting, pose=_FRONT)
  image = picture.image.copy()
  picture.with_closed_eyes().apply(image)
  shut = portrait.Picture(
      setting=setting, pose=dataclasses.replace(_FRONT, lids=0.0))
  # Where hair casts its shadow the change is a little off.
  assert np.abs(image - shut.image).max() < 0.02
  assert np.abs(image - shut.image).mean() < 1e-5


def test_light_from_the_side_shades_the_other() -> None:
  setting = _setting(2)
  bright = dataclasses.replace(setting.light, direction=(0.6, -0.3, 0.74))
  image = portrait.still(
      dataclasses.replace(setting, light=bright), _FRONT, 0.0)
  cheeks = image[125:145].mean((0, 2))
  assert cheeks[130:150].mean() > cheeks[74:94].mean() + 8


def _bare_head(yaw: float, pitch: float = 0.0) -> view_lib.View:
  """How the camera sees a head without hair."""
  face = people.make_population(8, 6, 0.2)[3].face
  surface = head.make_surface(face, head.head_profile(face))
  return view_lib.look(
      surface, canvas.make_grid(0.0, 0.0, 1.4),
      dataclasses.replace(_FRONT, yaw=yaw, pitch=pitch))


def test_frontal_head_is_symmetric() -> None:
  view = _bare_head(0.0)
  cover = np.zeros(224 * 224)
  cover[view.pixels] = view.cover
  cover = cover.reshape(224, 224)
  assert np.abs(cover - cover[:, ::-1]).max() < 0.02
  # A mirrored pixel looks at the mirrored place of the sheet.
  cols = np.full(224 * 224, np.nan)
  cols[view.pixels] = view.cols * head.SHEET.step + head.SHEET.left
  cols = cols.reshape(224, 224)
  assert np.nanmax(np.abs(cols + cols[:, ::-1])) < 0.04


def test_turned_head_hides_the_far_cheek_behind_the_nose() -> None:
  face = people.make_population(8, 6, 0.2)[3].face
  nose = face.eye_y + face.nose_length
  shares = {}
  for yaw in (0.0, 0.7):
    view = _bare_head(yaw)
    v = view.rows * head.SHEET.step + head.SHEET.top
    u = view.cols * head.SHEET.step + head.SHEET.left
    row = np.abs(v - nose) < 0.01
    # To the right of the nose's tip: the far side, as the head turns right.
    shares[yaw] = [
        np.mean((u[row] > low) & (u[row] < high))
        for low, high in ((0.0, 0.5), (0.02, 0.12), (-1.0, -0.5))]
  assert shares[0.7][0] < 0.6 * shares[0.0][0]
  assert shares[0.7][1] < 0.5 * shares[0.0][1]
  assert shares[0.0][2] < 0.05 < shares[0.7][2]  # The near ear's side shows.


def test_turned_head_shows_each_place_once() -> None:
  view = _bare_head(0.75)
  rows = view.pixels // 224
  for row in (70, 110, 150):
    cols = view.cols[rows == row]
    assert cols.size > 60
    assert np.all(np.diff(cols) >= -1e-3)


def test_nod_moves_the_nose_down() -> None:
  face = people.make_population(8, 6, 0.2)[3].face
  nose = face.eye_y + face.nose_length

  def height(pitch: float) -> float:
    """Row of the frame in which the tip of the nose is seen."""
    view = _bare_head(0.0, pitch)
    away = np.abs(view.rows * head.SHEET.step + head.SHEET.top - nose) + (
        np.abs(view.cols * head.SHEET.step + head.SHEET.left))
    return float(view.pixels[np.argmin(away)] // 224)

  down = 112 * 1.4 * 0.2 * (0.47 + 0.08 - view_lib.PIVOT)
  assert height(0.2) - height(0.0) == pytest.approx(down, abs=3)


def test_sine_and_cosine_are_those_of_the_yaw() -> None:
  for yaw in (-0.785, -0.3, 0.0, 0.5, 0.785):
    pose = pose_lib.Pose(yaw=yaw)
    assert pose.sine == pytest.approx(np.sin(yaw), abs=1e-4)
    assert pose.cosine == pytest.approx(np.cos(yaw), abs=1e-4)


def test_light_turns_against_the_head() -> None:
  light = dataclasses.replace(_LIGHT, direction=(0.0, 0.0, 1.0))
  turned = light.seen_by(pose_lib.Pose(yaw=0.5))
  assert turned.direction[0] == pytest.approx(-np.sin(0.5), abs=1e-3)


def test_faces_are_held_as_in_videos() -> None:
  poses = [
      pose for index in range(300)
      for pose in pose_lib.draw_poses(seeds.stream('pose', index), 3)]
  yaw = np.array([p.yaw for p in poses])
  assert np.abs(yaw).max() <= pose_lib.MAX_YAW_RAD
  assert np.quantile(np.abs(yaw), 0.99) > 0.7 and 0.15 < yaw.std() < 0.4
  assert max(abs(p.shift_x) for p in poses) < 0.12  # 6 % of the frame.
  assert max(abs(p.tilt) for p in poses) < 0.18
  steps = np.abs(np.diff(yaw.reshape(-1, 3), axis=1))
  assert np.median(steps) < 0.1  # Within a clip the head stays about there.


def test_camera_does_not_see_beyond_its_margin() -> None:
  camera = camera_lib.Camera(
      gains=(1.1, 1.0, 0.9), haze=0.02, curve=0.1, blur=(0.25, 0.25),
      quality=30)
  rng = np.random.default_rng(1)
  image = rng.random((3, 40, 40)).astype(np.float32)
  whole = camera_lib.develop(image, camera)
  edge = camera_lib.MARGIN
  part = camera_lib.develop(image[:, 8:30, 6:32].copy(), camera)
  np.testing.assert_allclose(
      part[:, edge:-edge, edge:-edge],
      whole[:, 8 + edge:30 - edge, 6 + edge:32 - edge], atol=1e-6)
  flat = np.full((3, 8, 8), 0.5, np.float32)
  assert camera_lib.develop(flat, camera)[:, 4, 4] == pytest.approx(
      [0.5944, 0.5450, 0.4949], abs=1e-3)


def test_cameras_differ_between_videos() -> None:
  cameras = [
      camera_lib.draw_camera(seeds.stream('camera', i)) for i in range(200)]
  brightness = np.log2([c.gains[1] for c in cameras])
  assert 0.4 < brightness.std() < 0.7
  assert {len(c.blur) for c in cameras} == {0, 1, 2}
  quality = [c.quality for c in cameras]
  assert min(quality) == 19 and 29 < max(quality) <= 32


def test_identity_stays_nuisance_changes() -> None:
  same = [portrait.still(_setting(0, v), _FRONT, 0.0).astype(float)
          for v in ('a', 'b')]
  assert np.abs(same[0] - same[1]).mean() > 5  # Light, scene, clothes.
  kept = ('skin', 'width', 'nose_width', 'moles', 'iris', 'brow_arch')
  faces = [_setting(0, v).face for v in ('a', 'b')]
  for name in kept:
    assert getattr(faces[0], name) == getattr(faces[1], name)


def test_hair_beard_and_glasses_change_between_videos() -> None:
  person = people.make_population(8, 6, 0.2)[0]
  settings = [
      portrait.make_setting(
          dataclasses.replace(person.face, beard='stubble', glasses='round'),
          6, person.speaker, f'v{i}') for i in range(24)]
  assert {s.face.beard for s in settings} == {'shaved', 'stubble'}
  assert {s.face.glasses for s in settings} == {'none', 'round'}
  assert np.std([s.hair.hair.part for s in settings]) > 0.2


def test_skin_is_brighter_than_pupils_and_reads_at_8x8() -> None:
  for index in range(4):
    setting = _setting(index)
    image = portrait.still(setting, _FRONT, 0.0)
    assert image.shape == (224, 224, 3) and image.dtype == np.uint8
    low = _low(image)
    assert low.std() > 8
    assert image[85:115].min() < 60


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
  face = people.make_population(8, 6, 0.2)[0].face
  distance, _ = head.head_profile(face).distance(
      np.array([[0.0, face.width + 0.05, 0.9]], np.float32),
      np.array([[0.0, -0.08, 0.0]], np.float32))
  assert distance[0, 0] > 0.1
  assert abs(distance[0, 1] + 0.05) < 0.01
  assert distance[0, 2] < -0.2
