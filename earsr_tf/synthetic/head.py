"""The solid head of a SyntheticVox person, and what its painters share.

Every horizontal cut of the head is an ellipse; brow ridge, sockets, nose,
lips, cheeks and chin are Gaussian bumps that stand out of it. Skin is painted
on a sheet that is wrapped around the head, its coordinates u along the skin
and v down (stand-in for paper section 4.1's data; shapes are our own).
"""

from __future__ import annotations

import dataclasses

import numpy as np

from earsr_tf.synthetic import canvas
from earsr_tf.synthetic import looks
from earsr_tf.synthetic import pose as pose_lib

CENTRE = -0.08  # Height of the widest part of the skull.
CROWN = -0.63
DEPTH = 1.16  # Of the skull, over its width.
_MOST_RAD = 2.6  # Longitude beyond which a head turned by 45 degrees hides.
_ROWS = 2048
_TOP, _BOTTOM = -1.25, 1.25
SHEET = canvas.Sheet(left=-1.02, top=-0.72, step=0.0085, rows=166, cols=240)


@dataclasses.dataclass
class Portrait:
  """What the painters of skin share.

  Attributes:
    image: [3, h, w] float32 sheet, painted in place: colour under white light.
    grid: The sheet's coordinates.
    pose: The moment.
    face: Who it is.
  """
  image: np.ndarray
  grid: canvas.Sheet
  pose: pose_lib.Pose
  face: looks.FaceIdentity


@dataclasses.dataclass(frozen=True)
class Profile:
  """A symmetric outline given by its squared half width over v.

  Attributes:
    squared: [2048] float32, W(v)^2, negative outside the shape.
    slope: [2048] float32, its derivative.
  """
  squared: np.ndarray
  slope: np.ndarray

  def distance(
      self, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Signed distance (inside > 0) and the implicit value W^2 - u^2."""
    index = row_index(v)
    value = self.squared[index] - u * u
    slope = self.slope[index]
    return value / np.sqrt(slope * slope + 4 * u * u + np.float32(1e-4)), value


def heights() -> np.ndarray:
  """[2048] float64, the v of each row of a Profile."""
  return _TOP + (np.arange(_ROWS) + 0.5) * ((_BOTTOM - _TOP) / _ROWS)


def row_index(v: np.ndarray) -> np.ndarray:
  """Rows of a Profile for head coordinates v."""
  index = ((v - np.float32(_TOP)) * np.float32(_ROWS / (_BOTTOM - _TOP)))
  return np.clip(index.astype(np.int32), 0, _ROWS - 1)


def make_profile(squared: np.ndarray) -> Profile:
  """A Profile from W(v)^2 sampled at `heights()`."""
  slope = np.gradient(squared, (_BOTTOM - _TOP) / _ROWS)
  return Profile(
      squared.astype(np.float32), np.clip(slope, -8, 8).astype(np.float32))


def head_profile(face: looks.FaceIdentity) -> Profile:
  """Outline of the head without hair: skull above, jaw below."""
  v = heights()
  up = (CENTRE - v) / (CENTRE - CROWN)
  down = (v - CENTRE) / (face.chin - CENTRE)
  fall = np.clip(down, 0, 1.3)
  bulge = np.exp(-((fall - 0.70) / 0.24) ** 2)
  form = 1 - face.taper * fall ** 2 + face.jaw * bulge + 0.03 * face.sag * bulge
  lower = (1 - down ** 2) * form ** 2
  upper = 1 - up ** 2
  return make_profile(face.width ** 2 * np.where(v < CENTRE, upper, lower))


@dataclasses.dataclass(frozen=True)
class Surface:
  """The head as points and normals over the sheet, all [h, w] float32.

  Attributes:
    x: To the viewer's right when the head faces the viewer.
    z: Towards the viewer.
    normals: [3, h, w], of unit length.
    squared: [h] squared half width of each cut, negative off the head.
  """
  x: np.ndarray
  z: np.ndarray
  normals: np.ndarray
  squared: np.ndarray


def make_surface(face: looks.FaceIdentity, profile: Profile) -> Surface:
  """The head of a person."""
  u, v = SHEET.u, SHEET.v
  squared = profile.squared[row_index(v)][:, :1]
  width = np.sqrt(np.maximum(squared, np.float32(1e-4)))
  fall = np.clip((v[:, :1] - np.float32(CENTRE)) * np.float32(
      1 / (face.chin - CENTRE)), 0, 1)
  deep = width * (np.float32(DEPTH) - np.float32(0.16) * fall)
  front = np.float32(DEPTH * face.width) - np.float32(
      0.055 - 0.03 * face.chin_out) * fall * fall
  centre = np.where(v[:, :1] > CENTRE, front - deep, np.float32(0))
  angle = np.clip(u / width, -_MOST_RAD, _MOST_RAD)
  x = width * np.sin(angle)
  z = centre + deep * np.cos(angle) + relief(face)
  # The skin turns back at the rows' ends, where the sheet is longer than it.
  along = (np.gradient(x, axis=1), np.gradient(z, axis=1))
  down = (np.gradient(x, axis=0), np.gradient(z, axis=0))
  step = np.float32(SHEET.step)
  n_x = -along[1] * step
  n_y = along[1] * down[0] - along[0] * down[1]
  n_z = along[0] * step
  norm = np.sqrt(n_x * n_x + n_y * n_y + n_z * n_z) + np.float32(1e-7)
  normals = np.stack([n_x / norm, n_y / norm, n_z / norm]).astype(np.float32)
  return Surface(
      x.astype(np.float32), z.astype(np.float32), normals, squared[:, 0])


def _bumps(face: looks.FaceIdentity) -> list[tuple[float, ...]]:
  """(u, v, radius_u, radius_v, height) of the face's relief."""
  nose_y = face.eye_y + face.nose_length
  depth = face.nose_depth
  wide = face.nose_width / 0.07
  bumps = [
      (0.0, face.eye_y + 0.3 * face.nose_length, 0.034, 0.080,
       0.040 * depth + 0.016 * face.nose_hook),
      (0.0, nose_y - 0.065, 0.034 + 0.006 * wide, 0.060,
       0.050 * depth + 0.012 * face.nose_hook),
      (0.0, nose_y + 0.008, 0.040 + 0.014 * wide, 0.040, 0.080 * depth),
      (0.0, face.mouth_y, 0.14, 0.085, 0.022),
      (0.0, face.mouth_y + 0.090, 0.075, 0.024, -0.016),
      (0.0, face.chin - 0.080, 0.080, 0.055, 0.026 + 0.012 * face.chin_out),
      (0.0, face.chin - 0.070, 0.012, 0.032, -0.022 * face.cleft),
      (0.0, -0.33, 0.24, 0.13, 0.012)]
  for side in (-1.0, 1.0):
    bumps += [
        (side * face.eye_x, face.eye_y, 0.080, 0.050, -0.026),
        (side * 0.085, face.eye_y - 0.02, 0.030, 0.055, -0.016),
        (side * 0.15, face.eye_y - 0.095, 0.10, 0.036,
         0.010 + 0.012 * face.ridge),
        (side * face.nose_width * 0.82, nose_y + 0.022, 0.030, 0.028, 0.026),
        (side * 0.235, 0.125, 0.095, 0.085, 0.030 * face.cheek),
        (side * 0.40, -0.20, 0.09, 0.13, -0.014)]
  return bumps


def relief(face: looks.FaceIdentity) -> np.ndarray:
  """[h, w] float32: how far the face stands out of the ellipses."""
  height = np.zeros_like(SHEET.u)
  for u0, v0, radius_u, radius_v, lift in _bumps(face):
    part = SHEET.patch(
        u0 - 2.6 * radius_u, v0 - 2.6 * radius_v, u0 + 2.6 * radius_u,
        v0 + 2.6 * radius_v)
    height[part.rows, part.cols] += canvas.blob(
        part, (u0, v0), (radius_u, radius_v)) * np.float32(lift)
  return height


def illuminate(
    light: pose_lib.Light, n_x: np.ndarray, n_y: np.ndarray,
    n_z: np.ndarray) -> np.ndarray:
  """Wrapped diffuse light for normals of unit length, about 1 where lit."""
  x, y, z = (np.float32(value) for value in light.direction)
  facing = n_x * x + n_y * y + n_z * z
  wrapped = np.clip((facing + np.float32(0.25)) * np.float32(0.8), 0, 1)
  lum = np.float32(light.ambient) + np.float32(1 - light.ambient) * (
      wrapped * np.float32(1.08)) - np.float32(0.06) * n_y
  return lum * np.float32(light.gain)


def lit_skin(
    light: pose_lib.Light, lum: np.ndarray,
    albedo: np.ndarray | canvas.Colour) -> np.ndarray:
  """[3, h, w]: lit skin, with red light bleeding into the half shadow.

  Args:
    light: The video's light.
    lum: [h, w], from `illuminate`.
    albedo: [3, h, w], or one colour.
  """
  scatter = lum * np.clip(np.float32(1.1) - lum, 0, 1)
  result = np.empty((3, *lum.shape), np.float32)
  for c, bleed in enumerate((0.26, 0.04, -0.06)):
    result[c] = (lum + scatter * np.float32(bleed)) * (
        albedo[c] * np.float32(light.tint[c]))
  return result
