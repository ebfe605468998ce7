"""Beards, wrinkles, moles and freckles of a SyntheticVox face.

Painted on the sheet of skin, under the mouth. They show at 128x128 and mostly
average out at 8x8 (paper section 4.2).
"""

from __future__ import annotations

import numpy as np

from earsr_tf.synthetic import canvas
from earsr_tf.synthetic import head


def paint_marks(portrait: head.Portrait) -> None:
  """Blush, freckles and moles."""
  face = portrait.face
  for side in (-1.0, 1.0):
    u0, v0 = side * 0.235, 0.13
    patch = portrait.grid.patch(u0 - 0.2, v0 - 0.14, u0 + 0.2, v0 + 0.14)
    red = canvas.blob(patch, (u0, v0), (0.10, 0.065))
    canvas.darken(
        portrait.image, patch, red * np.float32(0.12 * face.blush),
        (0.1, 1.0, 0.8))
  for marks, strength, tint in (
      (face.freckles, 0.34, (0.45, 0.9, 1.1)),
      (face.moles, 0.80, (0.85, 1.0, 1.1))):
    for u0, v0, radius in marks:
      reach = 2.2 * radius
      patch = portrait.grid.patch(
          u0 - reach, v0 - reach, u0 + reach, v0 + reach)
      canvas.darken(
          portrait.image, patch, canvas.blob(
              patch, (u0, v0), (radius, radius)) * np.float32(strength), tint)


def paint_wrinkles(portrait: head.Portrait) -> None:
  """Forehead lines, crow's feet, folds beside nose and mouth."""
  face, pose = portrait.face, portrait.pose
  if face.wrinkle > 0.1:
    _paint_forehead(portrait)
  depth = np.float32(
      0.05 + 0.34 * face.wrinkle + 0.10 * max(pose.smile, 0))
  for side in (-1.0, 1.0):
    u0, v0 = side * 0.160, 0.245
    patch = portrait.grid.patch(u0 - 0.12, v0 - 0.13, u0 + 0.12, v0 + 0.15)
    dv = patch.v - np.float32(v0)
    curve = np.float32(u0) + np.float32(side) * (
        dv * np.float32(0.45) - dv * dv * np.float32(2.2))
    fold = np.exp(-((patch.u - curve) * np.float32(1 / 0.019)) ** 2 - (
        dv * np.float32(1 / 0.070)) ** 2)
    canvas.darken(portrait.image, patch, fold * depth)
    if face.sag > 0.15:
      _paint_jowl(portrait, side)
    if face.wrinkle > 0.1:
      _paint_crow_feet(portrait, side)


def _paint_forehead(portrait: head.Portrait) -> None:
  """Three soft lines across the forehead."""
  face = portrait.face
  u0, v0 = 0.0, -0.305
  patch = portrait.grid.patch(u0 - 0.28, v0 - 0.14, u0 + 0.28, v0 + 0.12)
  du = patch.u - np.float32(u0)
  bent = patch.v - np.float32(v0) - du * du * np.float32(0.45)
  lines = np.sin(bent * np.float32(2 * np.pi / 0.062)).clip(0, 1)
  fade = np.exp(-(du * 5) ** 2 - (bent * np.float32(1 / 0.10)) ** 2)
  canvas.darken(
      portrait.image, patch,
      lines * lines * fade * np.float32(0.27 * face.wrinkle))


def _paint_crow_feet(portrait: head.Portrait, side: float) -> None:
  """Lines fanning out from the outer corner of an eye."""
  face = portrait.face
  u0, v0 = side * (face.eye_x + face.eye_width + 0.015), face.eye_y + 0.01
  patch = portrait.grid.patch(u0 - 0.08, v0 - 0.10, u0 + 0.08, v0 + 0.10)
  du = (patch.u - np.float32(u0)) * np.float32(side)
  dv = patch.v - np.float32(v0)
  fan = dv / (np.clip(du, 0, None) + np.float32(0.045))
  lines = np.clip(np.sin(fan * np.float32(9.0)), 0, 1)
  fade = np.exp(-((du - np.float32(0.025)) * 26) ** 2 - (dv * 20) ** 2)
  canvas.darken(
      portrait.image, patch, lines * fade * np.float32(0.34 * face.wrinkle))


def _paint_jowl(portrait: head.Portrait, side: float) -> None:
  """The fold from the corner of the mouth to the jaw."""
  face = portrait.face
  u0, v0 = side * 0.185, 0.43
  patch = portrait.grid.patch(u0 - 0.08, v0 - 0.11, u0 + 0.08, v0 + 0.11)
  dv = patch.v - np.float32(v0)
  curve = np.float32(u0) + np.float32(0.25 * side) * dv
  fold = np.exp(-((patch.u - curve) * np.float32(1 / 0.018)) ** 2 - (
      dv * np.float32(1 / 0.065)) ** 2)
  canvas.darken(portrait.image, patch, fold * np.float32(0.24 * face.sag))


def paint_beard(portrait: head.Portrait, strands: np.ndarray) -> None:
  """A shaved man's shadow or a beard; lips are painted later."""
  face = portrait.face
  if face.beard == 'none':
    return
  patch = portrait.grid.patch(-0.62, 0.0, 0.62, face.chin + 0.10)
  alpha = _beard_mask(portrait, patch)
  if face.beard in ('shaved', 'stubble'):
    depth = 0.13 if face.beard == 'shaved' else 0.20
    canvas.darken(
        portrait.image, patch,
        alpha * np.float32(depth * face.beard_density), (1.15, 1.0, 0.85))
    return
  grain = canvas.look_up(strands, patch.u * np.float32(0.75))
  shade = np.float32(0.85) * (1 + np.float32(0.14) * grain)
  canvas.blend(
      portrait.image, patch, alpha * np.float32(face.beard_density),
      [shade * np.float32(value) for value in face.hair.colour])


def _beard_mask(
    portrait: head.Portrait, patch: canvas.Patch) -> np.ndarray:
  """[h, w] in [0, 1]: where this style of beard grows."""
  face = portrait.face
  side = np.abs(patch.u)
  dv = patch.v - np.float32(face.mouth_y)
  # The cheek line falls from the ears to the moustache.
  line = np.float32(0.02) - np.float32(1.15) * np.clip(
      side - np.float32(0.17), 0, None)
  cheek = canvas.step(dv - line, -0.05, 0.03)
  moustache = canvas.step(
      np.float32(0.165) - side, -0.02, 0.035) * canvas.step(
          dv + np.float32(0.088) - side * np.float32(0.22), -0.016, 0.020)
  if face.beard in ('shaved', 'stubble', 'full'):
    return np.maximum(cheek, moustache)
  upper = moustache * canvas.step(np.float32(0.045) - dv, -0.02, 0.03)
  if face.beard == 'moustache':
    return upper
  chin = canvas.step(np.float32(0.150) - side, -0.03, 0.05) * canvas.step(
      dv, 0.0, 0.07)
  corners = moustache * canvas.step(side, 0.10, 0.14)
  middle = upper * canvas.step(np.float32(0.175) - side, -0.025, 0.025)
  return np.maximum(middle, np.maximum(chin, corners))
