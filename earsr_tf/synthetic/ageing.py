"""Beards, glasses, wrinkles and small marks of a SyntheticVox face.

Painted over the skin and under the mouth. Wrinkles and stubble are soft and
low in contrast: they show at 128x128 and average out at 8x8.
"""

from __future__ import annotations

import numpy as np

from earsr_tf.synthetic import canvas
from earsr_tf.synthetic import head


def paint_marks(portrait: head.Portrait) -> None:
  """Blush and a mole, if the person has one."""
  face, pose = portrait.face, portrait.pose
  for side in (-1.0, 1.0):
    u0, v0, _ = pose.place(side * 0.225, 0.13)
    patch = portrait.grid.patch(u0 - 0.2, v0 - 0.14, u0 + 0.2, v0 + 0.14)
    red = canvas.blob(patch, (u0, v0), (0.10, 0.065))
    canvas.darken(
        portrait.image, patch, red * np.float32(0.12 * face.blush),
        (0.1, 1.0, 0.8))
  if face.mole[0] < 1:
    u0, v0, _ = pose.place(*face.mole)
    patch = portrait.grid.patch(u0 - 0.04, v0 - 0.04, u0 + 0.04, v0 + 0.04)
    canvas.darken(
        portrait.image, patch,
        canvas.blob(patch, (u0, v0), (0.013, 0.013)) * np.float32(0.75))


def paint_wrinkles(portrait: head.Portrait) -> None:
  """Forehead lines, crow's feet, folds beside nose and mouth."""
  face, pose = portrait.face, portrait.pose
  if face.wrinkle > 0.1:
    _paint_forehead(portrait)
  depth = np.float32(
      0.05 + 0.34 * face.wrinkle + 0.10 * max(pose.smile, 0))
  for side in (-1.0, 1.0):
    u0, v0, _ = pose.place(side * 0.150, 0.245)
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
  face, pose = portrait.face, portrait.pose
  u0, v0, _ = pose.place(0.0, -0.305)
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
  face, pose = portrait.face, portrait.pose
  u0, v0, _ = pose.place(
      side * (face.eye_x + face.eye_width + 0.015), face.eye_y + 0.01)
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
  face, pose = portrait.face, portrait.pose
  u0, v0, _ = pose.place(side * 0.175, 0.43)
  patch = portrait.grid.patch(u0 - 0.08, v0 - 0.11, u0 + 0.08, v0 + 0.11)
  dv = patch.v - np.float32(v0)
  curve = np.float32(u0) + np.float32(0.25 * side) * dv
  fold = np.exp(-((patch.u - curve) * np.float32(1 / 0.018)) ** 2 - (
      dv * np.float32(1 / 0.065)) ** 2)
  canvas.darken(portrait.image, patch, fold * np.float32(0.24 * face.sag))


def paint_beard(
    portrait: head.Portrait, strands: np.ndarray) -> None:
  """Stubble, moustache, goatee or full beard; lips are painted later."""
  face, pose = portrait.face, portrait.pose
  if face.beard == 'none':
    return
  reach = face.width + 0.06
  patch = portrait.grid.patch(-reach, 0.0, reach, face.chin + 0.10)
  edge, _ = head.head_profile(face).distance(
      patch.u - np.float32(0.36 / 0.66 * pose.yaw) * np.clip(
          patch.v + np.float32(0.08), 0, None), patch.v)
  room = canvas.step(edge, -0.035 if face.beard == 'full' else -0.01, 0.0)
  alpha = _beard_mask(portrait, patch) * room
  if face.beard == 'stubble':
    canvas.darken(
        portrait.image, patch,
        alpha * np.float32(0.15 * face.beard_density), (1.15, 1.0, 0.85))
    return
  lum = portrait.lum[patch.rows, patch.cols]
  grain = canvas.look_up(strands, patch.u * np.float32(0.75))
  shade = (np.float32(0.25) + np.float32(0.62) * lum) * (
      1 + np.float32(0.12) * grain)
  canvas.blend(
      portrait.image, patch, alpha * np.float32(face.beard_density),
      [shade * np.float32(value) for value in face.hair.colour])


def _beard_mask(
    portrait: head.Portrait, patch: canvas.Patch) -> np.ndarray:
  """[h, w] in [0, 1]: where this style of beard grows."""
  face = portrait.face
  shift, lip_v, _ = portrait.pose.place(0.0, face.mouth_y, 0.02)
  side = np.abs(patch.u - np.float32(shift))
  dv = patch.v - np.float32(lip_v)
  # The cheek line falls from the ears to the moustache.
  line = np.float32(0.02) - np.float32(1.15) * np.clip(
      side - np.float32(0.17), 0, None)
  cheek = canvas.step(dv - line, -0.05, 0.03)
  moustache = canvas.step(
      np.float32(0.165) - side, -0.02, 0.035) * canvas.step(
          dv + np.float32(0.088) - side * np.float32(0.22), -0.016, 0.020)
  if face.beard in ('stubble', 'full'):
    return np.maximum(cheek, moustache)
  upper = moustache * canvas.step(np.float32(0.045) - dv, -0.02, 0.03)
  if face.beard == 'moustache':
    return upper
  chin = canvas.step(np.float32(0.150) - side, -0.03, 0.05) * canvas.step(
      dv, 0.0, 0.07)
  corners = moustache * canvas.step(side, 0.10, 0.14)
  middle = upper * canvas.step(np.float32(0.175) - side, -0.025, 0.025)
  return np.maximum(middle, np.maximum(chin, corners))


def paint_glasses(portrait: head.Portrait) -> None:
  """Frames, bridge, arms and a faint reflection."""
  face, pose = portrait.face, portrait.pose
  if face.glasses == 'none':
    return
  colour = (0.45, 0.40, 0.36) if face.glasses == 'thin' else (0.09, 0.08, 0.09)
  thick = 0.009 if face.glasses == 'thin' else 0.014
  shape = 2.0 if face.glasses == 'round' else 4.0
  for side in (-1.0, 1.0):
    u0, v0, narrow = pose.place(
        side * (face.eye_x + 0.005), face.eye_y + 0.012, 0.05)
    half_u, half_v = 0.128 * max(narrow, 0.6), 0.095
    patch = portrait.grid.patch(
        u0 - half_u - 0.03, v0 - half_v - 0.03, u0 + half_u + 0.03,
        v0 + half_v + 0.03)
    du = np.abs(patch.u - np.float32(u0)) * np.float32(1 / half_u)
    dv = np.abs(patch.v - np.float32(v0)) * np.float32(1 / half_v)
    if shape > 3:
      radius = np.sqrt(np.sqrt(du ** 4 + dv ** 4))
    else:
      radius = np.sqrt(du * du + dv * dv)
    distance = (np.float32(1) - radius) * np.float32(0.5 * (half_u + half_v))
    rim = canvas.inside(np.float32(thick) - np.abs(distance))
    glass = canvas.inside(distance)
    sweep = np.exp(-((patch.u - np.float32(u0) + (
        patch.v - np.float32(v0)) * np.float32(0.6)) * 22) ** 2)
    canvas.blend(
        portrait.image, patch, glass * (
            np.float32(0.03) + np.float32(0.07) * sweep), (1, 1, 1))
    canvas.blend(portrait.image, patch, rim * np.float32(0.92), colour)
    _paint_bar(portrait, (u0 + side * half_u, v0 - 0.02), (
        side * (face.width - 0.01) - 0.05 * pose.yaw, v0 - 0.03), colour)
  left = pose.place(-0.055, face.eye_y - 0.005, 0.06)
  right = pose.place(0.055, face.eye_y - 0.005, 0.06)
  _paint_bar(portrait, left[:2], right[:2], colour)


def _paint_bar(
    portrait: head.Portrait, start: tuple[float, float],
    end: tuple[float, float], colour: canvas.Colour) -> None:
  """A short, nearly level bar from `start` to `end`."""
  left, right = sorted((start, end))
  patch = portrait.grid.patch(
      left[0], min(left[1], right[1]) - 0.03, right[0],
      max(left[1], right[1]) + 0.03)
  slope = (right[1] - left[1]) / max(right[0] - left[0], 0.01)
  middle = np.float32(left[1]) + (patch.u - np.float32(left[0])) * np.float32(
      slope)
  room = np.minimum(
      np.float32(0.009) - np.abs(patch.v - middle),
      np.minimum(patch.u - np.float32(left[0]),
                 np.float32(right[0]) - patch.u) + np.float32(0.004))
  canvas.blend(
      portrait.image, patch, canvas.inside(room) * np.float32(0.9), colour)
