"""Hair on the head of a SyntheticVox person.

A shell around the skull with a window for the face; through the window one
sees the head, beside the head the dark inside of the shell. Strands are a
smooth random curve of a coordinate that fans out from above the head. Hair
length is most of what an 8x8 image tells of gender (stand-in for paper section
4.1's data).
"""

from __future__ import annotations

import dataclasses

import numpy as np

from earsr_tf.synthetic import canvas
from earsr_tf.synthetic import haircut
from earsr_tf.synthetic import head
from earsr_tf.synthetic import looks
from earsr_tf.synthetic import view

_CENTRE = -0.12
_BEHIND = -0.04  # Depth of the shell's axis.
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
  hair: haircut.Hair
  outline: head.Profile
  opening: head.Profile
  strands: np.ndarray
  phase: float


def make_hair_do(
    face: looks.FaceIdentity, rng: np.random.Generator) -> HairDo:
  """Hair for one video: the person's colour and length, done anew."""
  change = np.clip(rng.standard_normal(6), -2.0, 2.0)
  own = face.hair
  hair = dataclasses.replace(
      own, volume=own.volume * (1 + 0.22 * float(change[0])),
      side_volume=own.side_volume * (1 + 0.24 * float(change[1])),
      length=own.length + 0.06 * float(change[2]) * (own.length > 0.3),
      hairline=own.hairline + 0.014 * float(change[3]),
      part=float(np.clip(own.part + 0.5 * change[4], -1, 1)),
      colour=canvas.scale_colour(
          own.colour, 1 + 0.10 * float(change[5])))
  other, fringe = float(rng.random()), float(rng.random())
  if hair.style in _HANGING and other < 0.12:  # Tied up today.
    hair = dataclasses.replace(
        hair, style='bun', volume=0.035, side_volume=0.012, length=0.22,
        hairline=min(hair.hairline, -0.38))
  elif hair.style in ('long', 'wavy') and other < 0.34:
    wavy = hair.style == 'long'
    hair = dataclasses.replace(
        hair, style='wavy' if wavy else 'long',
        side_volume=hair.side_volume * (1.4 if wavy else 0.7))
  if hair.style in ('long', 'wavy', 'short') and fringe < 0.10:
    hair = dataclasses.replace(  # Combed forward, or back.
        hair, hairline=-0.25 if hair.hairline < -0.34 else -0.41)
  return HairDo(
      hair=hair, outline=_outline(face, hair), opening=_opening(face, hair),
      strands=canvas.smooth_table(rng, 110), phase=float(rng.random()))


def _outline(face: looks.FaceIdentity, hair: haircut.Hair) -> head.Profile:
  """Outer edge of the hair."""
  v = head.heights()
  half = face.width + hair.side_volume
  up = (_CENTRE - v) / (_CENTRE - head.CROWN + hair.volume)
  down = np.clip((v - _CENTRE) / max(hair.length - _CENTRE, 0.05), 0, 1.4)
  flare = {'bob': 0.06, 'long': 0.03, 'wavy': 0.16}.get(hair.style, 0.0)
  closing = 8 if hair.style in _HANGING else 4
  width = half * (1 + flare * np.sin(np.pi * np.clip(down, 0, 1) * 0.75))
  lower = width ** 2 * (1 - down ** closing)
  upper = half ** 2 * (1 - up ** 2)
  return head.make_profile(np.where(v < _CENTRE, upper, lower))


def _opening(face: looks.FaceIdentity, hair: haircut.Hair) -> head.Profile:
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
    width = half * (1 + 4.5 * below)
  return head.make_profile(np.where(v < 0, upper, width ** 2))


@dataclasses.dataclass(frozen=True)
class _Shell:
  """The shell over a patch of the frame, all [h, w], or [n] of its pixels.

  Attributes:
    u: Along the hair from the middle of the face, as on the sheet of skin.
    v: Down the head, a nod undone.
    across: -1 to 1 between the shell's edges.
    edge: Signed distance to the outer edge, inside > 0.
    texture: About zero mean, unit sd: strands, waves or curls.
  """
  u: np.ndarray
  v: np.ndarray
  across: np.ndarray
  edge: np.ndarray
  texture: np.ndarray

  def at(self, pixels: np.ndarray) -> _Shell:
    """The shell at some pixels, given by flat index."""
    return _Shell(*(
        values.ravel()[pixels] for values in (
            self.u, self.v, self.across, self.edge, self.texture)))


def _shell(
    shot: view.Shot, do: HairDo, patch: canvas.Patch) -> _Shell:
  """Where each pixel meets the shell."""
  sine, cosine = shot.pose.sine, shot.pose.cosine
  stretch = (cosine ** 2 + (head.DEPTH * sine) ** 2) ** 0.5
  turn = np.arctan2(head.DEPTH * sine, cosine)
  flat = (patch.u - np.float32((_BEHIND - view.PIVOT) * sine)) * np.float32(
      1 / stretch)
  v = patch.v
  for _ in range(2 if shot.pose.pitch else 1):
    half = np.sqrt(np.maximum(
        do.outline.squared[head.row_index(v)], np.float32(0.01)))
    across = np.clip(flat / half, -1, 1)
    away = np.float32(_BEHIND - view.PIVOT) + half * np.sqrt(
        1 - across * across)
    v = patch.v - np.float32(shot.pose.pitch) * away
  u = (np.arcsin(across) - np.float32(turn)) * half
  texture = _texture(do, u, v)
  end = v
  if do.hair.style in _HANGING:
    end = v + texture * np.float32(0.022) * canvas.step(v, 0.0, 0.5)
  edge, _ = do.outline.distance(flat, end)
  if do.hair.style == 'curly':
    edge = edge + texture * np.float32(0.012)
  return _Shell(u=u, v=v, across=across, edge=edge, texture=texture)


def _texture(do: HairDo, u: np.ndarray, v: np.ndarray) -> np.ndarray:
  """[h, w] about zero mean, unit sd: strands, waves or curls."""
  hair = do.hair
  if hair.style == 'curly':
    wave = np.sin(u * 31 + np.float32(6.28 * do.phase) + 2 * np.sin(v * 23))
    return wave * np.sin(v * 33 + 2 * np.sin(u * 21)) * np.float32(1.6)
  across = (u - np.float32(0.25 * hair.part)) / (v + np.float32(_FOCUS))
  if hair.style == 'wavy':
    across = across + np.float32(0.022) * np.sin(
        v * 13 + np.float32(6.28 * do.phase))
  return canvas.look_up(do.strands, across * np.float32(0.8) + do.phase)


def _colour(
    shot: view.Shot, do: HairDo, shell: _Shell) -> np.ndarray:
  """[3, ...]: lit hair with a soft band of shine."""
  hair = do.hair
  n_u = shell.across * np.float32(0.92)
  n_v = np.clip((shell.v - np.float32(_CENTRE)) * np.float32(
      0.95 / (_CENTRE - head.CROWN + hair.volume)), -1, 0.25)
  n_z = np.sqrt(np.clip(1 - n_u * n_u - n_v * n_v, 0.06, None))
  norm = 1 / np.sqrt(n_u * n_u + n_v * n_v + n_z * n_z)
  lum = head.illuminate(shot.light, n_u * norm, n_v * norm, n_z * norm)
  lean = np.float32(0.12 * shot.light.direction[0])
  band = shell.v + np.float32(0.43) - shell.across * shell.across * (
      np.float32(0.2)) - lean
  shine = np.exp(-(band * np.float32(1 / 0.09)) ** 2) * lum
  grain = np.float32(1) + shell.texture * np.float32(0.13)
  body = (lum - np.float32(0.10) * np.float32(shot.light.gain)) * grain
  gloss = shine * (np.float32(0.08) + np.float32(0.04) * shell.texture)
  tint = shot.light.tint
  return np.stack([
      (body * np.float32(hair.colour[c])
       + gloss * np.float32(0.35 + 0.75 * hair.colour[c]))
      * np.float32(tint[c]) for c in range(3)])


def _cover(shot: view.Shot, do: HairDo) -> canvas.Patch:
  """The part of the frame the hair can reach."""
  hair = do.hair
  half = (shot.face.width + hair.side_volume) * 1.36 + 0.03
  middle = (_BEHIND - view.PIVOT) * shot.pose.sine
  return shot.grid.patch(
      middle - half, head.CROWN - hair.volume - 0.08, middle + half,
      min(max(hair.length, 0.0) + 0.06, 1.2))


def paint_back(shot: view.Shot, do: HairDo) -> None:
  """Paints the hair behind head and neck, and a bun."""
  hair = do.hair
  if hair.style == 'bun':
    u0, v0 = view.place(shot.pose, 0.10 * hair.part, -0.66, -0.22)
    patch = shot.grid.patch(u0 - 0.22, v0 - 0.22, u0 + 0.22, v0 + 0.22)
    distance = canvas.ellipse(patch, (u0, v0 - 0.03), (0.165, 0.135))
    lum = head.illuminate(
        shot.light, (patch.u - np.float32(u0)) * 4,
        (patch.v - np.float32(v0)) * 4, np.float32(0.6))
    canvas.blend(
        shot.image, patch, canvas.inside(distance),
        [np.clip(lum, 0.1, 1.2) * np.float32(0.8 * value)
         for value in hair.colour])
  if hair.style not in _HANGING:
    return
  patch = _cover(shot, do)
  shell = _shell(shot, do, patch)
  dark = (np.float32(0.40) + np.float32(0.05) * shell.texture) * np.float32(
      shot.light.gain)
  canvas.blend(
      shot.image, patch, canvas.inside(shell.edge),
      [dark * np.float32(value) for value in hair.colour])


def paint_front(shot: view.Shot, do: HairDo) -> None:
  """Paints the hair in front of the head and its shadow on the face."""
  hair = do.hair
  patch = _cover(shot, do)
  shell = _shell(shot, do, patch)
  above = np.clip(-shell.v, 0, None)
  sweep = np.float32(0.30 * hair.part) * above * above
  close = hair.style in ('buzz', 'bald')
  rough = shell.texture * np.float32(
      0.003 if close or hair.style == 'bun' else 0.007)
  gap, _ = do.opening.distance(shell.u - sweep, shell.v + rough)
  soft = 0.034 if close else 0.020
  alpha = canvas.inside(shell.edge) * (1 - canvas.step(gap, -soft, soft))
  if close:
    alpha *= np.float32(0.80)
  cast = (1 - canvas.step(gap, -0.01, 0.085)) * canvas.step(
      np.float32(0.42) - patch.v, 0.0, 0.2)
  canvas.darken(
      shot.image, patch, cast * canvas.step(shell.edge, 0.0, 0.03) * np.float32(
          0.12 if close or hair.style == 'bun' else 0.30))
  there = np.flatnonzero(alpha.ravel() > 0)  # A face's width of it is not.
  shell, gap, alpha = shell.at(there), gap.ravel()[there], alpha.ravel()[there]
  shade = np.float32(0.80) + np.float32(0.20) * canvas.step(
      shell.edge, 0.0, 0.07)
  if hair.style in _HANGING:
    shade *= np.float32(0.72) + np.float32(0.28) * canvas.step(-gap, 0.0, 0.06)
  colour = _colour(shot, do, shell) * shade
  layer = shot.image[:, patch.rows, patch.cols]
  below = layer.reshape(4, -1)
  for channel in range(3):
    before = below[channel].take(there)
    below[channel][there] = before + alpha * (colour[channel] - before)
  below[3][there] *= 1 - alpha
  layer[...] = below.reshape(layer.shape)


def covers_ears(hair: haircut.Hair) -> bool:
  """Whether the ears are hidden behind the front hair."""
  return hair.style in _HANGING or hair.style == 'curly'
