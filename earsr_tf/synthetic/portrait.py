"""Puts a SyntheticVox frame together, back to front."""

from __future__ import annotations

import dataclasses

import numpy as np

from earsr_tf.synthetic import ageing
from earsr_tf.synthetic import camera as camera_lib
from earsr_tf.synthetic import canvas
from earsr_tf.synthetic import features
from earsr_tf.synthetic import hair as hair_lib
from earsr_tf.synthetic import head
from earsr_tf.synthetic import looks
from earsr_tf.synthetic import pose as pose_lib
from earsr_tf.synthetic import scene
from earsr_tf.synthetic import seeds
from earsr_tf.synthetic import view as view_lib
from earsr_tf.synthetic import wear

_SIDE = canvas.FRAME_SIZE
_NECK = -0.06  # Depth of its axis.


@dataclasses.dataclass(frozen=True)
class Setting:
  """What is constant in one video of one person.

  Attributes:
    face: Who it is, with the day's beard and glasses.
    surface: The head.
    skin: [3, h, w] float32 sheet without eyes and mouth.
    hair: The day's hair.
    light: The day's light.
    background: [3, 224, 224] float32.
    clothes: The day's clothes.
    camera: What films it.
  """
  face: looks.FaceIdentity
  surface: head.Surface
  skin: np.ndarray
  hair: hair_lib.HairDo
  light: pose_lib.Light
  background: np.ndarray
  clothes: scene.Clothes
  camera: camera_lib.Camera


def make_setting(
    face: looks.FaceIdentity, seed: int, speaker: str, video: str) -> Setting:
  """The setting of a video: a function of its name alone."""
  def rng(purpose: str) -> np.random.Generator:
    """The video's stream for one purpose."""
    return seeds.stream(seed, speaker, video, purpose)

  light = pose_lib.draw_light(rng('light'))
  today = looks.dress(face, rng('face'))
  hair = hair_lib.make_hair_do(today, rng('hair'))
  return Setting(
      face=today,
      surface=head.make_surface(today, head.head_profile(today)),
      skin=_paint_skin(today, hair), hair=hair, light=light,
      background=scene.draw_background(rng('background')),
      clothes=scene.draw_clothes(rng('clothes'), light),
      camera=camera_lib.draw_camera(rng('camera')))


def _paint_skin(
    face: looks.FaceIdentity, hair: hair_lib.HairDo) -> np.ndarray:
  """[3, h, w]: the sheet of a face, but for eyes and mouth."""
  sheet = head.SHEET
  skin = head.Portrait(
      image=np.empty((3, sheet.rows, sheet.cols), np.float32), grid=sheet,
      pose=pose_lib.Pose(), face=face)
  for channel in range(3):
    skin.image[channel] = face.skin[channel]
  ageing.paint_marks(skin)
  ageing.paint_wrinkles(skin)
  features.paint_nose(skin)
  features.paint_brows(skin)
  ageing.paint_beard(skin, hair.strands)
  return skin.image


class Picture:
  """One frame, whose eyes and mouth can be painted anew."""

  def __init__(self, *, setting: Setting, pose: pose_lib.Pose):
    """Paints everything; the mouth is shut.

    Args:
      setting: The video.
      pose: The moment.
    """
    self._setting = setting
    self._light = setting.light.seen_by(pose)
    self._sheet = head.Portrait(
        image=setting.skin.copy(), grid=head.SHEET, pose=pose,
        face=setting.face)
    self._bare = self._sheet.image.copy()
    # By first row of a patch of the sheet: who looks at it, and sees what.
    self._touched: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    features.paint_eyes(self._sheet)
    features.paint_mouth(self._sheet, 0.0, self._sheet.image)
    shot = view_lib.Shot(
        image=np.concatenate([
            setting.background, np.zeros((1, _SIDE, _SIDE), np.float32)]),
        grid=canvas.make_grid(
            pose.shift_x, pose.shift_y, pose.scale, pose.tilt),
        pose=pose, light=setting.light, face=setting.face)
    self._view = view_lib.look(setting.surface, shot.grid, pose)
    self._lum = head.illuminate(self._light, *setting.surface.normals)
    self._lit = self._light_up(
        canvas.Patch(slice(None), slice(None), self._lum, self._lum),
        self._sheet.image)
    self._paint(shot)
    self._image = shot.image[:3]
    self._open = shot.image[3].ravel()

  @property
  def image(self) -> np.ndarray:
    """[3, 224, 224] float32, the scene before the camera; mouth shut."""
    return self._image

  def _light_up(
      self, patch: canvas.Patch, sheet: np.ndarray) -> np.ndarray:
    """[h, w, 3]: the lit skin of a patch of the sheet."""
    lit = head.lit_skin(
        self._light, self._lum[patch.rows, patch.cols],
        sheet[:, patch.rows, patch.cols])
    return np.ascontiguousarray(lit.transpose(1, 2, 0))

  def _paint(self, shot: view_lib.Shot) -> None:
    """Paints from the back to the front."""
    setting = self._setting
    hidden = hair_lib.covers_ears(setting.hair.hair)
    hair_lib.paint_back(shot, setting.hair)
    _paint_neck(shot, setting)
    if not hidden:
      wear.paint_ears(shot, shot.face.earrings, near=False)
    view = self._view
    colour = view.sample(self._lit.reshape(-1, 3))
    frame = shot.image.reshape(4, -1)
    for channel in range(3):
      below = frame[channel].take(view.pixels)
      frame[channel][view.pixels] = below + view.cover * (
          colour[:, channel] - below)
    frame[3][view.pixels] = view.cover
    wear.paint_glasses(shot, arms=True)
    hair_lib.paint_front(shot, setting.hair)
    if not hidden:
      wear.paint_ears(shot, shot.face.earrings, near=True)
    wear.paint_glasses(shot, arms=False)

  def _repainted(self, patch: canvas.Patch) -> 'Retouch':
    """What the frame becomes when `patch` of the sheet has changed."""
    rows, cols = patch.rows, patch.cols
    if rows.start not in self._touched:
      chosen = np.flatnonzero(
          (self._view.rows > rows.start - 1) & (self._view.rows < rows.stop)
          & (self._view.cols > cols.start - 1) & (self._view.cols < cols.stop))
      self._touched[rows.start] = (
          chosen, self._view.sample(self._lit.reshape(-1, 3), chosen))
    chosen, before = self._touched[rows.start]
    kept = self._lit[rows, cols].copy()
    self._lit[rows, cols] = self._light_up(patch, self._sheet.image)
    change = self._view.sample(self._lit.reshape(-1, 3), chosen) - before
    self._lit[rows, cols] = kept
    pixels = self._view.pixels[chosen]
    change *= self._open[pixels][:, None]
    return Retouch(pixels=pixels, change=change)

  def with_mouth(self, opening: float) -> Retouch:
    """The change to `image` that opens the mouth, 0 shut to 1 wide."""
    patch = features.mouth_patch(self._sheet)
    rows, cols = patch.rows, patch.cols
    kept = self._sheet.image[:, rows, cols].copy()
    self._sheet.image[:, rows, cols] = self._bare[:, rows, cols]
    features.paint_mouth(self._sheet, opening, self._sheet.image)
    change = self._repainted(patch)
    self._sheet.image[:, rows, cols] = kept
    return change

  def with_closed_eyes(self) -> Retouch:
    """The change to `image` that closes the eyes."""
    patch = features.eyes_patch(self._sheet)
    rows, cols = patch.rows, patch.cols
    kept = self._sheet.image[:, rows, cols].copy()
    self._sheet.image[:, rows, cols] = self._bare[:, rows, cols]
    pose = self._sheet.pose
    self._sheet.pose = dataclasses.replace(pose, lids=0.0)
    features.paint_eyes(self._sheet)
    change = self._repainted(patch)
    self._sheet.pose = pose
    self._sheet.image[:, rows, cols] = kept
    return change


@dataclasses.dataclass(frozen=True)
class Retouch:
  """A change to some pixels of a frame.

  Attributes:
    pixels: [n] flat indices.
    change: [n, 3] float32, to be added.
  """
  pixels: np.ndarray
  change: np.ndarray

  def apply(self, image: np.ndarray) -> None:
    """Adds the change to `image` [3, 224, 224] in place."""
    for channel in range(3):
      image[channel].reshape(-1)[self.pixels] += self.change[:, channel]


def _paint_neck(shot: view_lib.Shot, setting: Setting) -> None:
  """Paints neck and clothes under the head."""
  middle, _ = view_lib.place(shot.pose, 0.0, 0.0, _NECK)
  face = shot.face
  patch = shot.grid.patch(middle - 0.75, 0.30, middle + 0.75, 1.25)
  u = patch.u - np.float32(middle)
  flare = np.clip(patch.v - np.float32(0.74), 0, None)
  half = np.float32(face.neck) + flare * flare * np.float32(4.0)
  across = np.clip(u / half, -1, 1)
  throat = canvas.blob(patch, (middle, 0.80), (0.05, 0.055)) * np.float32(
      0.5 * face.throat)
  n_x = across + throat * u * np.float32(9.0)
  n_y = np.float32(0.10) + throat * (patch.v - np.float32(0.80)) * 9
  n_z = np.sqrt(np.clip(1 - across * across, 0.03, None))
  norm = 1 / np.sqrt(n_x * n_x + n_y * n_y + n_z * n_z)
  lum = head.illuminate(shot.light, n_x * norm, n_y * norm, n_z * norm)
  # The chin's shadow, under where the chin is seen.
  chin, _ = view_lib.place(shot.pose, 0.0, 0.0, 0.30)
  drop = patch.v - np.float32(face.chin + 0.01) + (
      patch.u - np.float32(chin)) ** 2 * np.float32(1.5)
  lum *= np.float32(0.95) - np.float32(0.48) * (
      1 - canvas.step(drop, -0.02, 0.20))
  canvas.blend(
      shot.image, patch, canvas.inside(half - np.abs(u)),
      head.lit_skin(shot.light, lum, face.skin))
  grid = shot.grid
  scene.paint_clothes(
      shot.image, setting.clothes, grid.shift_x + middle * grid.scale,
      grid.shift_y - 0.075 + (grid.scale - 1.17) * 0.80)


def still(
    setting: Setting, pose: pose_lib.Pose, opening: float) -> np.ndarray:
  """One finished frame, [224, 224, 3] uint8 RGB."""
  picture = Picture(setting=setting, pose=pose)
  image = picture.image.copy()
  picture.with_mouth(opening).apply(image)
  image = camera_lib.develop(image, setting.camera)
  scaled = np.clip(image * np.float32(255) + np.float32(0.5), 0, 255.5)
  return np.ascontiguousarray(scaled.astype(np.uint8).transpose(1, 2, 0))
