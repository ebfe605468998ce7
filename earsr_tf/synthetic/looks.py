"""What is constant in a face: the identity half of SyntheticVox's people.

Traits that differ between genders overlap; those an 8x8 image can show (hair
length, beard) overlap most, those that only a sharp image shows (brows, lips,
lashes, jaw, stubble) least, as with real faces at 16x (paper section 4.2).
"""

from __future__ import annotations

import dataclasses

import numpy as np

from earsr_tf.synthetic import canvas
from earsr_tf.synthetic import haircut
from earsr_tf.synthetic import seeds

_SKIN = (
    (0.96, 0.83, 0.75), (0.91, 0.74, 0.62), (0.80, 0.60, 0.46),
    (0.62, 0.43, 0.31), (0.42, 0.28, 0.20))
_IRIS = {
    'brown': (0.27, 0.15, 0.08), 'hazel': (0.38, 0.28, 0.12),
    'green': (0.28, 0.40, 0.26), 'blue': (0.28, 0.45, 0.62),
    'grey': (0.40, 0.46, 0.50)}
_FRAMES = (  # Of glasses.
    (0.08, 0.07, 0.08), (0.09, 0.08, 0.09), (0.30, 0.16, 0.08),
    (0.42, 0.08, 0.10), (0.10, 0.14, 0.38), (0.62, 0.50, 0.26),
    (0.50, 0.50, 0.52))

Mark = tuple[float, float, float]  # u, v and radius on the skin.

@dataclasses.dataclass(frozen=True)
class FaceIdentity:
  """What is constant in a person's face; lengths in head coordinates."""
  skin: canvas.Colour
  width: float
  chin: float
  jaw: float
  taper: float
  eye_x: float
  eye_y: float
  eye_width: float
  eye_height: float
  eye_tilt: float
  iris: canvas.Colour
  lash: float
  lid: float
  brow_gap: float
  brow_thickness: float
  brow_arch: float
  brow_tilt: float
  brow_length: float
  brow_density: float
  brow_colour: canvas.Colour
  ridge: float
  nose_width: float
  nose_length: float
  nose_depth: float
  nose_hook: float
  mouth_y: float
  mouth_width: float
  lip_upper: float
  lip_lower: float
  lip_colour: canvas.Colour
  neck: float
  throat: float
  cheek: float
  blush: float
  chin_out: float
  cleft: float
  wrinkle: float
  sag: float
  bags: float
  beard: str
  beard_density: float
  glasses: str
  frame: canvas.Colour
  earrings: bool
  moles: tuple[Mark, ...]
  freckles: tuple[Mark, ...]
  hair: haircut.Hair


def draw_face(
    rng: np.random.Generator, male: bool, age: float) -> FaceIdentity:
  """Draws a face given gender and age, and nothing else.

  Args:
    rng: The person's face stream.
    male: Gender.
    age: Years.

  Returns:
    The identity half of a face.
  """
  old = (age - 20.0) / 50.0
  sign = 1.0 if male else -1.0
  normal = np.clip(rng.standard_normal(44), -2.0, 2.0)
  tone = float(0.05 + 0.85 * rng.beta(1.3, 2.4))
  skin = _skin_colour(tone, normal[0], normal[1])
  hair = haircut.draw_hair(rng, male, old, tone)
  lip_colour, lash = _make_up(rng, male, skin)
  brow_colour = canvas.mix(
      canvas.scale_colour(hair.colour, 0.75), (0.16, 0.12, 0.10),
      float(np.clip(0.40 + 0.25 * normal[33], 0, 1)))
  iris = canvas.scale_colour(
      _IRIS[seeds.choose(rng, _iris_weights(tone))],
      float(1.1 + 0.2 * normal[34]))
  return FaceIdentity(
      skin=skin, iris=iris,
      lash=lash, brow_colour=brow_colour, lip_colour=lip_colour,
      throat=float(max(0.5 + 0.25 * normal[24], 0) if male else 0.0),
      cheek=float(1.0 - 0.15 * sign + 0.2 * normal[25]),
      blush=float(max(0.5 - 0.05 * sign + 0.3 * normal[26], 0)),
      wrinkle=float(np.clip(old * 1.15 - 0.12 + 0.07 * normal[27], 0, 1.2)),
      sag=float(np.clip(old * 1.1 - 0.2 + 0.1 * normal[28], 0, 1.1)),
      beard=_draw_beard(rng, male),
      beard_density=float(np.clip(0.72 + 0.10 * normal[29], 0.4, 0.95)),
      glasses=_draw_glasses(rng, old),
      frame=_FRAMES[int(rng.integers(len(_FRAMES)))],
      earrings=bool(rng.random() < (0.04 if male else 0.55)),
      brow_density=float(np.clip(0.85 + 0.15 * normal[30], 0.45, 1.0)),
      cleft=float(max(normal[31] - 0.6, 0)),
      bags=float(max(0.25 + 0.4 * normal[32], 0)),
      moles=_draw_marks(rng, int(rng.integers(0, 5)), 0.010, 0.019),
      freckles=_draw_marks(
          rng, int(max(rng.standard_normal() * 34, 0)) if tone < 0.45 else 0,
          0.008, 0.013),
      hair=hair, **_draw_shape(np.delete(normal, range(24, 35)), sign, old))


def dress(
    face: FaceIdentity, rng: np.random.Generator) -> FaceIdentity:
  """The face of one video: shaved or not, with or without glasses."""
  shaved, bare, lips, dark = rng.random(4).tolist()
  changes: dict[str, object] = {
      'beard_density': face.beard_density * (0.75 + 0.3 * dark)}
  if face.beard == 'stubble' and shaved < 0.4:
    changes['beard'] = 'shaved'
  elif face.beard == 'shaved' and shaved < 0.2:
    changes['beard'] = 'stubble'
  elif face.beard in ('goatee', 'moustache') and shaved < 0.15:
    changes['beard'] = 'stubble'
  if bare < 0.35:
    changes['glasses'] = 'none'
  elif bare > 0.97 and face.glasses == 'none':  # For the sun, or to read.
    changes['glasses'] = 'square'
  if face.lash > 0.7 and lips < 0.3:
    changes['lip_colour'] = canvas.mix(face.lip_colour, (0.66, 0.16, 0.22), 0.4)
  return dataclasses.replace(face, **changes)


def _draw_shape(
    normal: np.ndarray, sign: float, old: float) -> dict[str, float]:
  """Lengths and angles of a face; `sign` is 1 for men, -1 for women."""
  means_and_spreads = {
      'width': (0.405 + 0.003 * sign, 0.024),
      'chin': (0.585 + 0.008 * sign, 0.030),
      'jaw': (0.042 * sign, 0.070),
      'taper': (0.20 - 0.026 * sign, 0.08),
      'eye_x': (0.182, 0.023),
      'eye_y': (-0.075, 0.024),
      'eye_width': (0.090 - 0.005 * sign, 0.016),
      'eye_height': (0.039 - 0.006 * sign - 0.005 * old, 0.011),
      'eye_tilt': (-0.02 + 0.03 * sign, 0.12),
      'lid': (0.5, 0.34),
      'brow_gap': (0.112 - 0.015 * sign, 0.023),
      'brow_thickness': (0.021 + 0.008 * sign, 0.009),
      'brow_arch': (0.020 - 0.016 * sign, 0.022),
      'brow_tilt': (0.014, 0.075),
      'nose_width': (0.070 + 0.010 * sign, 0.021),
      'nose_length': (0.170 + 0.006 * sign, 0.036),
      'nose_depth': (1.0 + 0.15 * sign, 0.30),
      'mouth_y': (0.328, 0.028),
      'mouth_width': (0.135 + 0.003 * sign, 0.030),
      'lip_upper': (0.025 - 0.009 * sign - 0.008 * old, 0.011),
      'lip_lower': (0.036 - 0.010 * sign - 0.010 * old, 0.013),
      'neck': (0.228 + 0.012 * sign, 0.018),
      'brow_length': (0.112, 0.021),
      'ridge': (0.45 * sign, 0.6),
      'nose_hook': (0.1 * sign, 0.75),
      'chin_out': (0.3 * sign, 0.75)}
  lowest = {
      'brow_thickness': 0.009, 'lip_upper': 0.008, 'lip_lower': 0.014,
      'eye_height': 0.018, 'lid': 0.0, 'nose_depth': 0.45}
  return {
      name: float(max(mean + spread * value, lowest.get(name, -2.0)))
      for (name, (mean, spread)), value in zip(
          means_and_spreads.items(), normal[2:])}


def _skin_colour(tone: float, warm: float, gain: float) -> canvas.Colour:
  """Skin colour at `tone` in [0, 1], pale to dark, with a small tint."""
  where = min(tone, 0.999) * (len(_SKIN) - 1)
  index = int(where)
  red, green, blue = canvas.mix(_SKIN[index], _SKIN[index + 1], where - index)
  bright = 1 + 0.030 * gain
  return (
      float(red * bright), float(green * bright * (1 - 0.020 * warm)),
      float(blue * bright * (1 - 0.050 * warm)))


def _iris_weights(tone: float) -> dict[str, float]:
  """Chance of each eye colour for a skin tone."""
  light = max(1 - 2.2 * tone, 0.0)
  return {
      'brown': 0.35 + tone, 'hazel': 0.25, 'green': 0.25 * light,
      'blue': 0.5 * light, 'grey': 0.25 * light}


def _make_up(
    rng: np.random.Generator, male: bool,
    skin: canvas.Colour) -> tuple[canvas.Colour, float]:
  """Lip colour and strength of the lashes."""
  red = 0.58 + 0.16 * float(rng.random())
  natural = (
      skin[0] * (0.80 + 0.12 * float(rng.random())), skin[1] * red,
      skin[2] * red)
  painted = canvas.mix(
      (0.72, 0.20, 0.24), (0.66, 0.30, 0.33), float(rng.random()))
  paint = float(rng.random())
  fade = float(rng.random())
  if male:
    return canvas.mix(natural, skin, 0.10 + 0.30 * fade), 0.25 + 0.15 * paint
  share = 0.50 * paint if fade < 0.5 else 0.12 * paint
  return canvas.mix(natural, painted, share), 0.75 + 0.25 * paint


def _draw_beard(rng: np.random.Generator, male: bool) -> str:
  """One of none, shaved, stubble, moustache, goatee, full."""
  style = seeds.choose(rng, {
      'shaved': 0.56, 'stubble': 0.27, 'moustache': 0.05, 'goatee': 0.05,
      'full': 0.07})
  return style if male else 'none'


def _draw_glasses(rng: np.random.Generator, old: float) -> str:
  """One of none, round, square, thin."""
  worn = rng.random() < 0.16 + 0.20 * old
  style = seeds.choose(rng, {'round': 0.35, 'square': 0.4, 'thin': 0.25})
  return style if worn else 'none'


def _draw_marks(
    rng: np.random.Generator, count: int, smallest: float, largest: float
) -> tuple[Mark, ...]:
  """Places and sizes of moles or freckles on forehead, cheeks and chin."""
  marks = []
  for across, down, size in rng.random((count, 3)).tolist():
    marks.append((
        0.74 * across - 0.37, 0.80 * down - 0.30,
        smallest + (largest - smallest) * size))
  return tuple(marks)
