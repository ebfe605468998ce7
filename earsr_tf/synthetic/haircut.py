"""What is constant in a person's hair: colour, length, the usual cut.

Styles overlap between the genders; hair length is most of what an 8x8 image
tells of gender (stand-in for paper section 4.1's people).
"""

from __future__ import annotations

import dataclasses

import numpy as np

from earsr_tf.synthetic import canvas
from earsr_tf.synthetic import seeds

_HAIR = {
    'black': (0.07, 0.06, 0.06), 'dark': (0.17, 0.11, 0.08),
    'brown': (0.33, 0.21, 0.13), 'auburn': (0.43, 0.19, 0.10),
    'red': (0.63, 0.30, 0.13), 'sandy': (0.58, 0.42, 0.25),
    'blond': (0.80, 0.64, 0.38)}
_GREY = (0.74, 0.73, 0.72)

# Chance of each hair style; long styles overlap between the genders.
_STYLES_FEMALE = {
    'long': 0.36, 'wavy': 0.30, 'bob': 0.25, 'bun': 0.02, 'short': 0.05,
    'curly': 0.02}
_STYLES_MALE = {
    'long': 0.01, 'wavy': 0.02, 'bob': 0.01, 'bun': 0.01, 'short': 0.66,
    'curly': 0.12, 'buzz': 0.13, 'bald': 0.04}


@dataclasses.dataclass(frozen=True)
class Hair:
  """A head of hair.

  Attributes:
    style: One of bald, buzz, short, curly, bob, long, wavy, bun.
    colour: RGB in [0, 1], greying included.
    volume: How far the hair stands off the skull on top.
    side_volume: The same at the sides.
    length: Where it ends, in head coordinates (chin is near 0.58).
    hairline: Height of the hairline, in head coordinates.
    square: Exponent of the hairline's arch: 2 round, 6 square.
    part: Where the strands part, from -1 (left) to 1.
    grey: Share of grey in [0, 1].
  """
  style: str
  colour: canvas.Colour
  volume: float
  side_volume: float
  length: float
  hairline: float
  square: float
  part: float
  grey: float


def draw_hair(
    rng: np.random.Generator, male: bool, old: float, tone: float) -> Hair:
  """Draws the hair of a person.

  Args:
    rng: The person's face stream.
    male: Gender.
    old: 0 at 20 years, 1 at 70.
    tone: Of the skin, 0 pale to 1 dark.
  """
  styles = dict(_STYLES_MALE if male else _STYLES_FEMALE)
  if male:
    styles['bald'] += 0.10 * old
  style = seeds.choose(rng, styles)
  light = max(1 - 2.4 * tone, 0.0)
  name = seeds.choose(rng, {
      'black': 0.16 + 0.8 * tone, 'dark': 0.30, 'brown': 0.32 * light + 0.06,
      'auburn': 0.10 * light, 'red': 0.07 * light, 'sandy': 0.16 * light,
      'blond': 0.22 * light})
  spread = np.clip(rng.standard_normal(8), -2.0, 2.0)
  grey = float(np.clip((old - 0.42 + 0.13 * spread[0]) * 1.9, 0, 1))
  dyed = rng.random()
  if dyed < (0.20 if male else 0.34):
    grey *= 0.15
  colour = canvas.mix(
      canvas.scale_colour(_HAIR[name], float(1 + 0.14 * spread[1])), _GREY,
      0.95 * grey)
  recede = float(max(old - 0.2 + 0.25 * spread[2], 0)) if male else 0.0
  fringe = bool(rng.random() < (0.20 if male else 0.25))
  length = {
      'long': 0.98 + 0.07 * spread[3], 'wavy': 0.92 + 0.08 * spread[3],
      'bob': 0.46 + 0.05 * spread[3]}
  volume = {
      'bald': 0.0, 'buzz': 0.012, 'short': 0.095, 'curly': 0.13,
      'bob': 0.075, 'long': 0.07, 'wavy': 0.085, 'bun': 0.035}[style]
  side = {
      'bald': 0.0, 'buzz': 0.006, 'short': 0.030, 'curly': 0.085,
      'bob': 0.075, 'long': 0.065, 'wavy': 0.10, 'bun': 0.012}[style]
  hairline = -0.42 + 0.022 * float(spread[4]) - 0.10 * min(recede, 0.9)
  if fringe and style in ('long', 'bob', 'wavy', 'short', 'curly'):
    hairline = -0.235 + 0.022 * float(spread[4])
  return Hair(
      style=style, colour=colour,
      volume=float(volume * (1 + 0.14 * spread[5])),
      side_volume=float(side * (1 + 0.16 * spread[6])),
      length=float(length.get(style, 0.22 + 0.03 * spread[3])),
      hairline=hairline,
      square=float((3.4 if male else 3.0) + 2.5 * fringe),
      part=float(np.clip(0.55 * spread[7], -0.9, 0.9)), grey=grey)
