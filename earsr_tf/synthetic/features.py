"""Eyes, brows, nostrils and the mouth of a SyntheticVox face.

All are soft shapes painted on the sheet that is wrapped around the head, in
the colours they have under white light; they carry most of what a sharp
128x128 image tells and an 8x8 one does not (paper section 4.2).
"""

from __future__ import annotations

import dataclasses

import numpy as np

from earsr_tf.synthetic import canvas
from earsr_tf.synthetic import head


def _shaded(lum: np.ndarray, colour: canvas.Colour) -> np.ndarray:
  """[3, h, w]: `colour` times `lum`."""
  return np.stack([lum * np.float32(value) for value in colour])


def eyes_patch(portrait: head.Portrait) -> canvas.Patch:
  """The part of the sheet that changes when the eyes blink."""
  face = portrait.face
  reach = face.eye_x + face.eye_width + 0.06
  return portrait.grid.patch(
      -reach, face.eye_y - 0.11, reach, face.eye_y + 0.10)


def paint_eyes(portrait: head.Portrait) -> None:
  """Paints both eyes with lids and lashes."""
  for side in (-1.0, 1.0):
    _paint_eye(portrait, side)


def _paint_eye(portrait: head.Portrait, side: float) -> None:
  """Paints one eye; `side` is -1 on the viewer's left."""
  face, pose = portrait.face, portrait.pose
  u0, v0, width = side * face.eye_x, face.eye_y, face.eye_width
  patch = portrait.grid.patch(
      u0 - width - 0.05, v0 - 0.10, u0 + width + 0.05, v0 + 0.09)
  across = (patch.u - np.float32(u0)) * np.float32(1 / width)
  outer = across * np.float32(side)  # +1 at the outer corner.
  down = patch.v - np.float32(v0) - outer * np.float32(face.eye_tilt * width)
  arch = np.clip(1 - across * across, 0, None)
  open_ = face.eye_height * (0.15 + 0.85 * pose.lids) * (
      1 + 0.15 * pose.brow - 0.12 * max(pose.smile, 0))
  if pose.lids < 0.2:
    open_ = 0.004
  upper = np.float32(-open_) * arch * (1 + np.float32(0.22) * outer)
  lower = np.float32(0.58 * face.eye_height) * arch * (
      1 - np.float32(0.15) * outer)
  _paint_lids(portrait, patch, down, upper, arch)
  opening = np.minimum(down - upper, lower - down)
  alpha = canvas.inside(opening, 0.011) * canvas.step(arch, 0.0, 0.12)
  shade = np.clip(0.70 + 9.0 * (down - upper), 0.45, 1.0) * (
      1 - np.float32(0.22) * across * across)
  canvas.blend(
      portrait.image, patch, alpha, _shaded(shade, (0.93, 0.91, 0.90)))
  _paint_iris(portrait, patch, alpha, (u0, v0))
  _paint_lashes(portrait, patch, (outer, arch), (down - upper, down - lower))


def _paint_lashes(
    portrait: head.Portrait, patch: canvas.Patch,
    shape: tuple[np.ndarray, np.ndarray],
    away: tuple[np.ndarray, np.ndarray]) -> None:
  """Lashes along the lids.

  Args:
    portrait: The sheet.
    patch: Around the eye.
    shape: (outwards, arch) of the eye over the patch.
    away: Distances below the upper and the lower lid.
  """
  strength = portrait.face.lash
  outer, arch = shape
  lash = canvas.step(arch, 0.0, 0.25)
  line = np.exp(-(away[0] * np.float32(
      1 / (0.007 + 0.006 * strength))) ** 2) * lash
  wing = np.exp(-((away[0] + 0.006) * np.float32(1 / 0.014)) ** 2)
  wing *= canvas.step(outer, 0.35, 0.95) * canvas.step(
      np.float32(1.25) - outer, 0.0, 0.25)
  under = np.exp(-(away[1] * np.float32(1 / 0.007)) ** 2) * lash
  dark = np.clip(
      line * np.float32(0.45 + 0.5 * strength)
      + wing * np.float32(0.8 * max(strength - 0.4, 0))
      + under * np.float32(0.12 + 0.22 * strength), 0, 0.95)
  canvas.blend(portrait.image, patch, dark, (0.10, 0.07, 0.07))


def _paint_lids(
    portrait: head.Portrait, patch: canvas.Patch, down: np.ndarray,
    upper: np.ndarray, arch: np.ndarray) -> None:
  """Crease, lid and the shadow of the socket."""
  face = portrait.face
  crease = upper - np.float32(0.014 + 0.018 * face.lid)
  soft = np.exp(-((down - crease) * np.float32(1 / 0.010)) ** 2)
  bag = np.exp(-((down - np.float32(0.058)) * np.float32(1 / 0.013)) ** 2)
  amount = (
      soft * arch * np.float32(0.10 + 0.30 * face.lid + 0.12 * face.sag)
      + bag * arch * np.float32(0.04 + 0.24 * face.sag + 0.20 * face.bags))
  canvas.darken(portrait.image, patch, np.clip(amount, 0, 0.8))
  if face.lash > 0.7:  # A touch of eye shadow.
    lid = canvas.step(down - crease, -0.012, 0.006) * canvas.step(
        upper - down, -0.006, 0.006) * arch
    canvas.blend(
        portrait.image, patch, lid * np.float32(0.45 * (face.lash - 0.6)),
        (0.50, 0.34, 0.36))


def _paint_iris(
    portrait: head.Portrait, patch: canvas.Patch, alpha: np.ndarray,
    centre: tuple[float, float]) -> None:
  """Iris, pupil and highlight, clipped by the lids."""
  face, pose = portrait.face, portrait.pose
  radius = 0.037
  u0 = centre[0] + 0.022 * pose.gaze
  v0 = centre[1] - 0.006
  du = patch.u - np.float32(u0)
  dv = patch.v - np.float32(v0)
  away = np.sqrt(du * du + dv * dv)
  iris = canvas.inside(np.float32(radius) - away)
  ring = np.float32(1) - np.float32(0.55) * canvas.step(
      away, radius * 0.55, radius)
  lit = np.float32(0.95) + dv * np.float32(9.0)
  canvas.blend(
      portrait.image, patch, alpha * iris, _shaded(ring * lit, face.iris))
  pupil = canvas.inside(np.float32(0.45 * radius) - away)
  canvas.blend(portrait.image, patch, alpha * pupil, (0.04, 0.03, 0.03))
  glint = canvas.blob(patch, (u0 + 0.008, v0 - 0.014), (0.010, 0.010))
  canvas.blend(
      portrait.image, patch, alpha * glint * np.float32(0.95), (1, 1, 1))


def paint_brows(portrait: head.Portrait) -> None:
  """Paints both brows."""
  face, pose = portrait.face, portrait.pose
  for side in (-1.0, 1.0):
    u0 = side * (face.eye_x + 0.005)
    v0 = face.eye_y - face.brow_gap - 0.025 * pose.brow
    half = face.brow_length
    patch = portrait.grid.patch(
        u0 - half - 0.02, v0 - 0.09, u0 + half + 0.02, v0 + 0.09)
    t = (patch.u - np.float32(u0)) * np.float32(side / half)  # 1 outside.
    curve = np.float32(face.brow_arch) * (
        np.float32(1) - (t - np.float32(0.25)) ** 2)
    middle = np.float32(v0) - curve + t * np.float32(face.brow_tilt * 0.5)
    thick = np.float32(face.brow_thickness) * (
        np.float32(0.86) - np.float32(0.22) * t
        - np.float32(0.25) * canvas.step(t, 0.3, 1.1))
    distance = thick - np.abs(patch.v - middle)
    alpha = canvas.step(distance, -0.010, 0.016) * canvas.step(
        np.float32(1.02) - np.abs(t), 0.0, 0.28)
    canvas.blend(
        portrait.image, patch, alpha * np.float32(
            min(0.90 * (0.019 / face.brow_thickness) ** 0.4, 0.95)
            * face.brow_density), face.brow_colour)


def paint_nose(portrait: head.Portrait) -> None:
  """Nostrils, wings and the shadow under the tip; relief is in head.py."""
  face = portrait.face
  v0 = face.eye_y + face.nose_length + 0.045
  patch = portrait.grid.patch(-0.17, v0 - 0.10, 0.17, v0 + 0.10)
  shadow = canvas.blob(
      patch, (0.0, v0 + 0.016), (face.nose_width * 0.95, 0.022)
  ) * np.float32(0.24)
  for side in (-1.0, 1.0):
    shadow += np.float32(0.62) * canvas.blob(
        patch, (side * 0.50 * face.nose_width, v0 - 0.002), (0.021, 0.0125))
    shadow += np.float32(0.24) * canvas.blob(
        patch, (side * 1.22 * face.nose_width, v0 - 0.020), (0.013, 0.028))
  canvas.darken(portrait.image, patch, np.clip(shadow, 0, 0.8))
  tip = canvas.blob(patch, (0.0, v0 - 0.055), (0.022, 0.020))
  canvas.blend(
      portrait.image, patch, tip * np.float32(0.10), (1.0, 0.96, 0.92))


def mouth_patch(portrait: head.Portrait) -> canvas.Patch:
  """The part of the sheet that changes when the mouth moves."""
  v0 = portrait.face.mouth_y
  return portrait.grid.patch(-0.24, v0 - 0.09, 0.24, v0 + 0.15)


@dataclasses.dataclass(frozen=True)
class _Lips:
  """Curves of a mouth over its patch, all [h, w].

  Attributes:
    t: Position across, -1 and 1 at the corners.
    arch: 1 in the middle, 0 at the corners.
    middle: Height of the line where the lips meet.
    top: Lower edge of the upper lip.
    bottom: Upper edge of the lower lip.
    upper: Upper edge of the upper lip.
    lower: Lower edge of the lower lip.
  """
  t: np.ndarray
  arch: np.ndarray
  middle: np.ndarray
  top: np.ndarray
  bottom: np.ndarray
  upper: np.ndarray
  lower: np.ndarray


def _draw_lips(
    portrait: head.Portrait, patch: canvas.Patch, opening: float) -> _Lips:
  """The curves of the mouth at one opening."""
  face, pose = portrait.face, portrait.pose
  v0 = face.mouth_y
  width = face.mouth_width * (1 + 0.13 * pose.smile - 0.14 * opening)
  t = patch.u * np.float32(1 / width)
  arch = np.clip(1 - t * t, 0, None)
  round_ = arch * (np.float32(1.45) - np.float32(0.45) * arch)
  middle = np.float32(v0 + 0.014 * pose.smile) - t * t * np.float32(
      0.042 * pose.smile)
  gap = 0.072 * opening
  top = middle - np.float32(0.22 * gap) * round_
  bottom = middle + np.float32(0.78 * gap) * round_
  cupid = np.float32(1) - np.float32(0.30) * np.exp(-(t * 6) ** 2)
  upper = top - np.float32(face.lip_upper) * round_ * cupid
  lower = bottom + np.float32(face.lip_lower * (1 - 0.15 * opening)) * round_
  return _Lips(
      t=t, arch=arch, middle=middle, top=top, bottom=bottom, upper=upper,
      lower=lower)


def paint_mouth(
    portrait: head.Portrait, opening: float, image: np.ndarray) -> None:
  """Paints lips, teeth and the inside of the mouth.

  Args:
    portrait: The sheet; only read.
    opening: 0 closed to 1 wide open.
    image: Sheet, [3, h, w], painted in place within `mouth_patch`.
  """
  face = portrait.face
  patch = mouth_patch(portrait)
  lips = _draw_lips(portrait, patch, opening)
  v = patch.v
  fold = np.exp(-((v - lips.lower - np.float32(0.018)) * 55) ** 2) * lips.arch
  corner = np.exp(-((np.abs(lips.t) - np.float32(1.02)) * 9) ** 2 - (
      (v - lips.middle) * 60) ** 2)
  canvas.darken(
      image, patch, fold * np.float32(0.22) + corner * np.float32(0.30))
  ends = canvas.step(lips.arch, 0.0, 0.10)
  cover = canvas.inside(
      np.minimum(v - lips.upper, lips.lower - v), 0.012) * ends
  full = np.where(
      v < (lips.top + lips.bottom) * np.float32(0.5), np.float32(0.84),
      np.float32(1.02))
  gloss = np.exp(-(
      (v - (lips.bottom + lips.lower) * np.float32(0.5)) * 80) ** 2)
  shade = full + gloss * lips.arch * np.float32(0.14)
  canvas.blend(image, patch, cover, _shaded(shade, face.lip_colour))
  line = np.exp(-((v - lips.middle) * np.float32(1 / 0.0085)) ** 2) * ends
  canvas.blend(
      image, patch, line * np.float32(0.62 * max(1 - 3 * opening, 0)),
      (0.25, 0.10, 0.09))
  if opening < 0.05:
    return
  hole = canvas.inside(np.minimum(v - lips.top, lips.bottom - v), 0.009) * ends
  canvas.blend(image, patch, hole, (0.20, 0.07, 0.07))
  teeth = hole * canvas.step(
      lips.top + np.float32(0.008 + 0.030 * opening) - v, -0.006, 0.006)
  teeth *= canvas.step(lips.arch, 0.15, 0.6)
  canvas.blend(
      image, patch, teeth * np.float32(min(0.35 + opening, 0.88)),
      (0.80, 0.76, 0.70))
