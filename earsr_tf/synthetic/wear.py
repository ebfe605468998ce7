"""Ears and glasses: what stands off a SyntheticVox head at its sides.

They are shapes of their own in the frame, placed by where the turned head
carries them (stand-in for paper section 4.1's data).
"""

from __future__ import annotations

import numpy as np

from earsr_tf.synthetic import canvas
from earsr_tf.synthetic import head
from earsr_tf.synthetic import view

_TURNED = 0.12  # Sine of the yaw from which only one ear is seen whole.


def paint_ears(shot: view.Shot, earrings: bool, near: bool) -> None:
  """Paints the ears.

  Args:
    shot: The frame.
    earrings: Whether there are any.
    near: True paints the ear on the side turned to the camera, to be called
      after the head; False the others, before it.
  """
  for side in (-1.0, 1.0):
    turn = -side * shot.pose.sine  # Positive on the side that is seen.
    if near == (turn > _TURNED) and turn > -0.35:
      _paint_ear(shot, side, turn, earrings)


def _paint_ear(
    shot: view.Shot, side: float, turn: float, earrings: bool) -> None:
  """Paints one ear, `turn` of which faces the camera."""
  u0, v0 = view.place(shot.pose, side * (shot.face.width + 0.008), 0.0, -0.02)
  width = 0.046 + 0.045 * max(turn, 0.0)
  patch = shot.grid.patch(u0 - 0.12, v0 - 0.17, u0 + 0.12, v0 + 0.20)
  lean = u0 + side * 0.15 * (v0 - patch.v)
  du = (patch.u - lean) * np.float32(1 / width)
  dv = (patch.v - np.float32(v0)) * np.float32(1 / 0.115)
  radius = np.sqrt(du * du + dv * dv)
  facing = max(turn, 0.0) * 0.8
  light = shot.light
  lum = head.illuminate(
      light, np.float32(side * (0.85 - facing)), np.float32(0.0),
      np.float32(0.35 + facing)) * (
          np.float32(0.72) + np.float32(0.36) * radius
          - np.float32(0.35) * np.exp(
              -((radius - np.float32(0.5)) * 6) ** 2))
  canvas.blend(
      shot.image, patch, canvas.inside((1 - radius) * np.float32(width)),
      head.lit_skin(light, np.clip(lum, 0.05, 1.3), shot.face.skin))
  if earrings:
    drop = shot.grid.patch(u0 - 0.04, v0 + 0.10, u0 + 0.04, v0 + 0.18)
    canvas.blend(
        shot.image, drop,
        canvas.inside(canvas.ellipse(drop, (u0, v0 + 0.135), (0.017, 0.020))),
        (0.93, 0.86, 0.62))


def paint_glasses(shot: view.Shot, arms: bool) -> None:
  """Paints glasses.

  Args:
    shot: The frame.
    arms: True paints the arms, to be called before the hair; False rims,
      bridge and a faint reflection, after it.
  """
  face, pose = shot.face, shot.pose
  if face.glasses == 'none':
    return
  colour = canvas.scale_colour(face.frame, min(shot.light.gain, 1.2))
  inner = []
  for side in (-1.0, 1.0):
    centre = view.place(
        pose, side * (face.eye_x - 0.002), face.eye_y + 0.012, 0.445)
    half_u = 0.118 * max(pose.cosine - 0.15 * side * pose.sine, 0.3)
    if not arms:
      _paint_lens(shot, centre, half_u, colour)
    inner.append((centre[0] - side * half_u, centre[1] - 0.017))
    if arms and side * pose.sine < 0.2:
      ear = view.place(pose, side * (face.width + 0.004), face.eye_y, 0.05)
      _paint_bar(
          shot, (centre[0] + side * half_u, centre[1] - 0.02),
          (ear[0], ear[1] - 0.01), colour)
  if not arms:
    _paint_bar(shot, inner[0], inner[1], colour)


def _paint_lens(
    shot: view.Shot, centre: tuple[float, float], half_u: float,
    colour: canvas.Colour) -> None:
  """One lens with its rim."""
  style = shot.face.glasses
  thick = 0.009 if style == 'thin' else 0.014
  half_v = 0.095 if style == 'round' else 0.082
  u0, v0 = centre
  patch = shot.grid.patch(
      u0 - half_u - 0.03, v0 - half_v - 0.03, u0 + half_u + 0.03,
      v0 + half_v + 0.03)
  du = np.abs(patch.u - np.float32(u0)) * np.float32(1 / half_u)
  dv = np.abs(patch.v - np.float32(v0)) * np.float32(1 / half_v)
  if style == 'round':
    radius = np.sqrt(du * du + dv * dv)
  else:
    radius = np.sqrt(np.sqrt(du ** 4 + dv ** 4))
  distance = (np.float32(1) - radius) * np.float32(0.5 * (half_u + half_v))
  rim = canvas.inside(np.float32(thick) - np.abs(distance))
  glass = canvas.inside(distance)
  sweep = np.exp(-((patch.u - np.float32(u0) + (
      patch.v - np.float32(v0)) * np.float32(0.6)) * 22) ** 2)
  canvas.blend(
      shot.image, patch, glass * (
          np.float32(0.03) + np.float32(0.07) * sweep), (1, 1, 1))
  canvas.blend(shot.image, patch, rim * np.float32(0.92), colour)


def _paint_bar(
    shot: view.Shot, start: tuple[float, float], end: tuple[float, float],
    colour: canvas.Colour) -> None:
  """A short, nearly level bar from `start` to `end`."""
  left, right = sorted((start, end))
  patch = shot.grid.patch(
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
      shot.image, patch, canvas.inside(room) * np.float32(0.9), colour)
