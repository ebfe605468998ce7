"""Hair on the head of a SyntheticVox person.

Two layers: the mass behind head and neck, and the front with its opening for
the face. Both are outlines over v; strands are a smooth random curve of a
coordinate that fans out from above the head. Hair length is most of what an
8x8 image tells of gender (stand-in for paper section 4.1's data).
"""

from __future__ import annotations

import dataclasses

import numpy as np

from earsr_tf.synthetic import canvas
from earsr_tf.synthetic import head
from earsr_tf.synthetic import looks

_CENTRE = -0.12
_CROWN = -0.63
_HANGING = ('long', 'wavy', 'bob')
_FOCUS = 1.45  # Strands fan out from this far above the frame's centre.


@dataclasses.dataclass(frozen=True)
class HairDo:
  """The hair of one video.

  Attributes:
    hair: Whose it is, with the video's small changes.
    outline: The outer edge.
    opening: The window through which the face shows.
    strands: Random curve along which the strands are read.
    phase: Offset of curls and waves.
  """
  hair: looks.Hair
  outline: head.Profile
  opening: head.Profile
  strands: np.ndarray
  phase: float


def make_hair_do(
    face: looks.FaceIdentity, rng: np.random.Generator) -> HairDo:
  """Hair for one video: the person's, slightly changed."""
  change = np.clip(rng.standard_normal(6), -2.0, 2.0)
  own = face.hair
  hair = dataclasses.replace(
      own, volume=own.volume * (1 + 0.12 * float(change[0])),
      side_volume=own.side_volume * (1 + 0.15 * float(change[1])),
      length=own.length + 0.03 * float(change[2]),
      hairline=own.hairline + 0.009 * float(change[3]),
      part=own.part + 0.15 * float(change[4]),
      colour=canvas.scale_colour(
          own.colour, 1 + 0.05 * float(change[5])))
  if hair.style in _HANGING and rng.random() < 0.06:  # Tied up today.
    hair = dataclasses.replace(
        hair, style='bun', volume=0.035, side_volume=0.012, length=-0.02,
        hairline=min(hair.hairline, -0.38))
  return HairDo(
      hair=hair, outline=_outline(face, hair), opening=_opening(face, hair),
      strands=canvas.smooth_table(rng, 110), phase=float(rng.random()))


def _outline(face: looks.FaceIdentity, hair: looks.Hair) -> head.Profile:
  """Outer edge of the hair."""
  v = head.heights()
  half = face.width + hair.side_volume
  up = (_CENTRE - v) / (_CENTRE - _CROWN + hair.volume)
  down = np.clip((v - _CENTRE) / max(hair.length - _CENTRE, 0.05), 0, 1.4)
  flare = {'bob': 0.06, 'long': 0.03, 'wavy': 0.16}.get(hair.style, 0.0)
  closing = 8 if hair.style in _HANGING else 4
  width = half * (1 + flare * np.sin(np.pi * np.clip(down, 0, 1) * 0.75))
  lower = width ** 2 * (1 - down ** closing)
  upper = half ** 2 * (1 - up ** 2)
  return head.make_profile(np.where(v < _CENTRE, upper, lower))


def _opening(face: looks.FaceIdentity, hair: looks.Hair) -> head.Profile:
  """The face's window in the front hair."""
  v = head.heights()
  half = face.width * (0.90 if hair.style in _HANGING else 0.95)
  line = hair.hairline
  if hair.style == 'bald':
    half, line = face.width * 0.93, -0.80
  up = np.clip(-v / -line, 0, 1.5)
  upper = half ** 2 * (1 - up ** hair.square)
  below = np.clip(v, 0, None)
  if hair.style in _HANGING:
    width = half * (1 + 0.10 * below - 0.26 * np.clip(below - 0.35, 0, None))
  else:
    width = half * (1 + 1.5 * below)
  return head.make_profile(np.where(v < 0, upper, width ** 2))


def _texture(do: HairDo, patch: canvas.Patch) -> np.ndarray:
  """[h, w] about zero mean, unit sd: strands, waves or curls."""
  hair = do.hair
  if hair.style == 'curly':
    wave = np.sin(patch.u * 31 + np.float32(6.28 * do.phase)
                  + 2 * np.sin(patch.v * 23))
    return wave * np.sin(
        patch.v * 33 + 2 * np.sin(patch.u * 21)) * np.float32(1.6)
  across = (patch.u - np.float32(0.25 * hair.part)) / (
      patch.v + np.float32(_FOCUS))
  if hair.style == 'wavy':
    across = across + np.float32(0.022) * np.sin(
        patch.v * 13 + np.float32(6.28 * do.phase))
  return canvas.look_up(do.strands, across * np.float32(0.8) + do.phase)


def _colour(
    portrait: head.Portrait, do: HairDo, patch: canvas.Patch,
    texture: np.ndarray) -> np.ndarray:
  """[3, h, w]: lit hair with a soft band of shine."""
  hair = do.hair
  half = portrait.face.width + hair.side_volume
  n_u = patch.u * np.float32(0.92 / half)
  n_v = np.clip((patch.v - np.float32(_CENTRE)) * np.float32(
      0.95 / (_CENTRE - _CROWN + hair.volume)), -1, 0.25)
  n_z = np.sqrt(np.clip(1 - n_u * n_u - n_v * n_v, 0.06, None))
  lum = head.illuminate(portrait.light, n_u, n_v, n_z)
  lean = np.float32(0.12 * portrait.light.direction[0])
  band = patch.v + np.float32(0.43) - patch.u * patch.u * np.float32(
      0.9) - lean
  shine = np.exp(-(band * np.float32(1 / 0.09)) ** 2) * lum
  grain = np.float32(1) + texture * np.float32(0.13)
  body = (lum * np.float32(1.0) - np.float32(0.12)) * grain
  gloss = shine * (np.float32(0.10) + np.float32(0.045) * texture)
  tint = portrait.light.tint
  return np.stack([
      (body * np.float32(hair.colour[c])
       + gloss * np.float32(0.35 + 0.75 * hair.colour[c]))
      * np.float32(tint[c]) for c in range(3)])


def _edge(do: HairDo, patch: canvas.Patch, texture: np.ndarray) -> np.ndarray:
  """Signed distance to the outer edge, roughened by strands or curls."""
  if do.hair.style in _HANGING:
    v = patch.v + texture * np.float32(0.022) * canvas.step(
        patch.v, 0.0, 0.5)
    distance, _ = do.outline.distance(patch.u, v)
    return distance
  distance, _ = do.outline.distance(patch.u, patch.v)
  if do.hair.style == 'curly':
    distance = distance + texture * np.float32(0.012)
  return distance


def _cover(portrait: head.Portrait, do: HairDo) -> canvas.Patch:
  """The part of the frame the hair can reach."""
  hair = do.hair
  half = (portrait.face.width + hair.side_volume) * 1.18 + 0.03
  return portrait.grid.patch(
      -half, _CROWN - hair.volume - 0.03, half,
      min(max(hair.length, 0.0) + 0.06, 1.2))


def paint_back(portrait: head.Portrait, do: HairDo) -> None:
  """Paints the hair behind head and neck, and a bun."""
  hair = do.hair
  if hair.style == 'bun':
    u0 = 0.10 * hair.part - 0.15 * portrait.pose.yaw
    patch = portrait.grid.patch(u0 - 0.22, -0.95, u0 + 0.22, -0.5)
    distance = canvas.ellipse(patch, (u0, -0.70), (0.165, 0.135))
    texture = _texture(do, patch)
    canvas.blend(
        portrait.image, patch, canvas.inside(distance),
        _colour(portrait, do, patch, texture) * np.float32(0.85))
  if hair.style not in _HANGING:
    return
  patch = _cover(portrait, do)
  texture = _texture(do, patch)
  alpha = canvas.inside(_edge(do, patch, texture))
  dark = np.float32(0.42) + np.float32(0.05) * texture
  canvas.blend(
      portrait.image, patch, alpha,
      [dark * np.float32(value) for value in hair.colour])


def paint_front(portrait: head.Portrait, do: HairDo) -> None:
  """Paints the hair in front of the head and its shadow on the face."""
  hair, pose = do.hair, portrait.pose
  patch = _cover(portrait, do)
  texture = _texture(do, patch)
  swing = np.float32(0.20 * pose.yaw)
  above = np.clip(-patch.v, 0, None)
  sweep = np.float32(0.30 * hair.part) * above * above
  rough = texture * np.float32(
      0.003 if hair.style in ('buzz', 'bun', 'bald') else 0.007)
  gap, _ = do.opening.distance(
      patch.u - swing - sweep, patch.v - np.float32(0.25 * pose.pitch) + rough)
  edge = _edge(do, patch, texture)
  soft = 0.034 if hair.style in ('buzz', 'bald') else 0.020
  alpha = canvas.inside(edge) * (1 - canvas.step(gap, -soft, soft))
  if hair.style in ('buzz', 'bald'):
    alpha *= np.float32(0.80)
  cast = (1 - canvas.step(gap, -0.01, 0.085)) * canvas.step(
      np.float32(0.42) - patch.v, 0.0, 0.2)
  canvas.darken(
      portrait.image, patch,
      cast * canvas.step(edge, 0.0, 0.03) * np.float32(
          0.12 if hair.style in ('buzz', 'bald', 'bun') else 0.36))
  rim = np.float32(0.80) + np.float32(0.20) * canvas.step(edge, 0.0, 0.07)
  depth = np.float32(0.72) + np.float32(0.28) * canvas.step(-gap, 0.0, 0.06)
  if hair.style not in _HANGING:
    depth = np.float32(0.9) + np.float32(0.1) * depth
  canvas.blend(
      portrait.image, patch, alpha,
      _colour(portrait, do, patch, texture) * (rim * depth))


def covers_ears(hair: looks.Hair) -> bool:
  """Whether the ears are hidden behind the front hair."""
  return hair.style in _HANGING or hair.style == 'curly'
