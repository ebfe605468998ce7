"""Skin: the shaded surface of head, neck and ears of a SyntheticVox person.

The head is an ellipsoid with a jaw profile; brow ridge, sockets, nose, cheeks
and chin are Gaussian bumps on it. Shading comes from the normals of that
surface, so it turns with the light (stand-in for paper section 4.1's data).
"""

from __future__ import annotations

import dataclasses

import numpy as np

from earsr_tf.synthetic import canvas
from earsr_tf.synthetic import looks
from earsr_tf.synthetic import pose as pose_lib

_CENTRE = -0.08  # Height of the widest part of the skull.
_CROWN = -0.63
_ROWS = 2048
_TOP, _BOTTOM = -1.25, 1.25


@dataclasses.dataclass
class Portrait:
  """What the painters of one frame share.

  Attributes:
    image: [3, 224, 224] float32, painted in place.
    lum: [224, 224] float32, light on the skin where there is a head.
    grid: Head coordinates.
    pose: The moment.
    light: The video's light.
    face: Who it is.
  """
  image: np.ndarray
  lum: np.ndarray
  grid: canvas.Grid
  pose: pose_lib.Pose
  light: pose_lib.Light
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
  up = (_CENTRE - v) / (_CENTRE - _CROWN)
  down = (v - _CENTRE) / (face.chin - _CENTRE)
  fall = np.clip(down, 0, 1.3)
  bulge = np.exp(-((fall - 0.70) / 0.24) ** 2)
  form = 1 - face.taper * fall ** 2 + face.jaw * bulge + 0.03 * face.sag * bulge
  lower = (1 - down ** 2) * form ** 2
  upper = 1 - up ** 2
  return make_profile(face.width ** 2 * np.where(v < _CENTRE, upper, lower))


def _bumps(portrait: Portrait) -> list[tuple[float, ...]]:
  """(x, y, lift, radius_u, radius_v, height) of the face's relief."""
  face = portrait.face
  nose_y = face.eye_y + face.nose_length
  depth = face.nose_depth
  bumps = [
      (0.0, nose_y - 0.095, 0.03, 0.036, 0.105, 0.036 * depth),
      (0.0, nose_y + 0.012, 0.06, 0.052, 0.046, 0.050 * depth),
      (0.0, face.mouth_y, 0.0, 0.15, 0.10, 0.022),
      (0.0, face.mouth_y + 0.088, 0.0, 0.075, 0.024, -0.012),
      (0.0, face.chin - 0.075, 0.0, 0.085, 0.060, 0.030),
      (0.0, -0.33, 0.0, 0.24, 0.13, 0.020)]
  for side in (-1.0, 1.0):
    bumps += [
        (side * face.eye_x, face.eye_y, 0.0, 0.080, 0.050, -0.022),
        (side * 0.085, face.eye_y - 0.02, 0.0, 0.030, 0.055, -0.016),
        (side * 0.15, face.eye_y - 0.095, 0.0, 0.10, 0.038, 0.013),
        (side * face.nose_width * 0.82, nose_y + 0.022, 0.02, 0.030, 0.030,
         0.020),
        (side * 0.215, 0.125, 0.0, 0.095, 0.085, 0.028 * face.cheek),
        (side * 0.36, -0.20, 0.0, 0.07, 0.13, -0.016)]
  return bumps


def _relief(
    portrait: Portrait, patch: canvas.Patch) -> tuple[np.ndarray, np.ndarray]:
  """Gradient (d/du, d/dv) of the bumps over `patch`."""
  slope_u = np.zeros_like(patch.u)
  slope_v = np.zeros_like(patch.u)
  for x, y, lift, radius_u, radius_v, height in _bumps(portrait):
    u0, v0, narrow = portrait.pose.place(x, y, lift)
    radius_u *= max(narrow, 0.6)
    part = canvas.common(patch, portrait.grid.patch(
        u0 - 2.3 * radius_u, v0 - 2.3 * radius_v, u0 + 2.3 * radius_u,
        v0 + 2.3 * radius_v))
    bump = canvas.blob(part, (u0, v0), (radius_u, radius_v))
    bump *= np.float32(-2 * height)
    rows = slice(part.rows.start - patch.rows.start,
                 part.rows.stop - patch.rows.start)
    cols = slice(part.cols.start - patch.cols.start,
                 part.cols.stop - patch.cols.start)
    slope_u[rows, cols] += bump * (part.u - np.float32(u0)) * np.float32(
        1 / radius_u ** 2)
    slope_v[rows, cols] += bump * (part.v - np.float32(v0)) * np.float32(
        1 / radius_v ** 2)
  return slope_u, slope_v


def illuminate(
    light: pose_lib.Light, n_u: np.ndarray, n_v: np.ndarray,
    n_z: np.ndarray) -> np.ndarray:
  """Wrapped diffuse light for unnormalised normals, about 1 where lit."""
  norm = np.sqrt(n_u * n_u + n_v * n_v + n_z * n_z) + np.float32(1e-6)
  x, y, z = (np.float32(value) for value in light.direction)
  facing = (n_u * x + n_v * y + n_z * z) / norm
  wrapped = np.clip((facing + np.float32(0.25)) * np.float32(0.8), 0, 1)
  sky = np.float32(0.06) * (-n_v / norm)
  lum = np.float32(light.ambient) + np.float32(1 - light.ambient) * (
      wrapped * np.float32(1.08)) + sky
  return lum * np.float32(light.gain)


def skin_colour(
    portrait: Portrait, lum: np.ndarray,
    albedo: canvas.Colour | None = None) -> np.ndarray:
  """[3, h, w]: lit skin, with red light bleeding into the half shadow."""
  base = albedo or portrait.face.skin
  scatter = lum * np.clip(np.float32(1.1) - lum, 0, 1)
  tint = portrait.light.tint
  return np.stack([
      (lum + scatter * np.float32(bleed)) * np.float32(base[c] * tint[c])
      for c, bleed in enumerate((0.26, 0.04, -0.06))])


def paint_head(portrait: Portrait, profile: Profile) -> None:
  """Paints the head's skin and fills `portrait.lum`."""
  pose, face = portrait.pose, portrait.face
  reach = face.width + 0.10
  patch = portrait.grid.patch(-reach, -0.68, reach, face.chin + 0.08)
  below = np.clip(patch.v - np.float32(_CENTRE), 0, None)
  lean = np.float32(0.36 * pose.yaw)
  u = patch.u - lean * below * np.float32(1 / 0.66)
  distance, value = profile.distance(
      u, patch.v - np.float32(0.30 * pose.pitch) * below)
  n_z = np.sqrt(np.clip(value, 1e-4, None)) * np.float32(0.95)
  slope_u, slope_v = _relief(portrait, patch)
  n_u = patch.u - n_z * slope_u
  n_v = np.float32(-0.5) * profile.slope[row_index(patch.v)] * np.float32(
      0.62) - n_z * slope_v
  lum = illuminate(portrait.light, n_u, n_v, n_z)
  portrait.lum[patch.rows, patch.cols] = lum
  canvas.blend(
      portrait.image, patch, canvas.inside(distance),
      skin_colour(portrait, lum))


def paint_neck(portrait: Portrait) -> None:
  """Paints the neck, with the chin's shadow and, for men, the larynx."""
  face = portrait.face
  patch = portrait.grid.patch(-0.75, 0.30, 0.75, 1.15)
  flare = np.clip(patch.v - np.float32(0.74), 0, None)
  half = np.float32(face.neck) + flare * flare * np.float32(4.0)
  across = patch.u / half
  n_z = np.sqrt(np.clip(1 - across * across, 0.03, None))
  throat = canvas.blob(patch, (0.0, 0.80), (0.05, 0.055))
  bulge = throat * np.float32(0.5 * face.throat)
  n_u = across + bulge * patch.u * np.float32(9.0)
  n_v = np.float32(0.10) + bulge * (patch.v - np.float32(0.80)) * 9
  lum = illuminate(portrait.light, n_u, n_v, n_z)
  drop = patch.v - np.float32(face.chin + 0.01) + patch.u * patch.u * 2
  shade = np.float32(1) - canvas.step(drop, -0.02, 0.20)
  side = np.float32(0.5 * portrait.light.direction[0])
  cords = canvas.blob(patch, (-0.10, 0.9), (0.05, 0.25)) + canvas.blob(
      patch, (0.10, 0.9), (0.05, 0.25))
  lum *= np.float32(0.97) - np.float32(0.50) * shade - np.float32(
      0.05) * (1 - cords) + side * across * np.float32(0.05)
  distance = half - np.abs(patch.u)
  canvas.blend(
      portrait.image, patch, canvas.inside(distance),
      skin_colour(portrait, lum))


def paint_ears(portrait: Portrait, earrings: bool) -> None:
  """Paints both ears, the far one narrower under yaw."""
  pose, face = portrait.pose, portrait.face
  for side in (-1.0, 1.0):
    turn = -side * pose.yaw
    u0 = side * (face.width + 0.012) * (1 - 0.10 * turn) - 0.10 * pose.yaw
    width = 0.048 * (1 + 1.6 * turn)
    if width < 0.015:
      continue
    patch = portrait.grid.patch(u0 - 0.08, -0.17, u0 + 0.08, 0.20)
    lean = u0 + side * 0.15 * (0.0 - patch.v)
    du = (patch.u - lean) * np.float32(1 / width)
    dv = (patch.v - np.float32(0.0)) * np.float32(1 / 0.115)
    radius = np.sqrt(du * du + dv * dv)
    lit = 0.80 + 0.35 * side * portrait.light.direction[0]
    lum = np.float32(lit * portrait.light.gain) * (
        np.float32(0.72) + np.float32(0.42) * radius
        - np.float32(0.35) * np.exp(-((radius - np.float32(0.5)) * 6) ** 2))
    canvas.blend(
        portrait.image, patch,
        canvas.inside((1 - radius) * np.float32(width)),
        skin_colour(portrait, np.clip(lum, 0.1, 1.15)))
    if earrings:
      drop = portrait.grid.patch(u0 - 0.04, 0.10, u0 + 0.04, 0.18)
      canvas.blend(
          portrait.image, drop,
          canvas.inside(canvas.ellipse(drop, (u0, 0.135), (0.017, 0.020))),
          (0.93, 0.86, 0.62))
