"""Puts a SyntheticVox frame together, back to front."""

from __future__ import annotations

import dataclasses

import numpy as np

from earsr_tf.synthetic import ageing
from earsr_tf.synthetic import canvas
from earsr_tf.synthetic import features
from earsr_tf.synthetic import hair as hair_lib
from earsr_tf.synthetic import head
from earsr_tf.synthetic import looks
from earsr_tf.synthetic import pose as pose_lib
from earsr_tf.synthetic import scene
from earsr_tf.synthetic import seeds


@dataclasses.dataclass(frozen=True)
class Setting:
  """What is constant in one video of one person.

  Attributes:
    face: Who it is.
    profile: Outline of the head.
    hair: The day's hair.
    light: The day's light.
    background: [3, 224, 224] float32.
    clothes: The day's clothes.
  """
  face: looks.FaceIdentity
  profile: head.Profile
  hair: hair_lib.HairDo
  light: pose_lib.Light
  background: np.ndarray
  clothes: scene.Clothes


def make_setting(
    face: looks.FaceIdentity, seed: int, speaker: str, video: str) -> Setting:
  """The setting of a video: a function of its name alone."""
  light = pose_lib.draw_light(seeds.stream(seed, speaker, video, 'light'))
  return Setting(
      face=face, profile=head.head_profile(face),
      hair=hair_lib.make_hair_do(
          face, seeds.stream(seed, speaker, video, 'hair')),
      light=light,
      background=scene.draw_background(
          seeds.stream(seed, speaker, video, 'background')),
      clothes=scene.draw_clothes(
          seeds.stream(seed, speaker, video, 'clothes'), light))


def paint(setting: Setting, pose: pose_lib.Pose) -> head.Portrait:
  """Paints everything but the mouth.

  Args:
    setting: The video.
    pose: The moment.

  Returns:
    The portrait; `features.paint_mouth` finishes copies of its image.
  """
  face = setting.face
  picture = head.Portrait(
      image=setting.background.copy(),
      lum=np.ones((canvas.FRAME_SIZE, canvas.FRAME_SIZE), np.float32),
      grid=canvas.make_grid(
          pose.shift_x, pose.shift_y, pose.scale, pose.tilt),
      pose=pose, light=setting.light, face=face)
  hidden = hair_lib.covers_ears(setting.hair.hair)
  hair_lib.paint_back(picture, setting.hair)
  head.paint_neck(picture)
  scene.paint_clothes(picture.image, setting.clothes)
  if not hidden:
    head.paint_ears(picture, face.earrings)
  head.paint_head(picture, setting.profile)
  ageing.paint_marks(picture)
  ageing.paint_wrinkles(picture)
  features.paint_nose(picture)
  features.paint_eyes(picture)
  features.paint_brows(picture)
  ageing.paint_beard(picture, setting.hair.strands)
  hair_lib.paint_front(picture, setting.hair)
  ageing.paint_glasses(picture)
  return picture


def to_uint8(image: np.ndarray) -> np.ndarray:
  """[3, h, w] float32 in [0, 1] to [h, w, 3] uint8."""
  scaled = np.clip(image * np.float32(255) + np.float32(0.5), 0, 255.5)
  return np.ascontiguousarray(scaled.astype(np.uint8).transpose(1, 2, 0))


def still(
    setting: Setting, pose: pose_lib.Pose, opening: float) -> np.ndarray:
  """One finished frame, [224, 224, 3] uint8 RGB."""
  picture = paint(setting, pose)
  features.paint_mouth(picture, opening, picture.image)
  return to_uint8(picture.image)
