"""What surrounds a SyntheticVox head: background and clothes.

Drawn anew for each video, from streams that know nothing of the person.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from earsr_tf.synthetic import canvas
from earsr_tf.synthetic import pose as pose_lib
from earsr_tf.synthetic import seeds

_X = ((np.arange(canvas.FRAME_SIZE) + 0.5) * canvas.PIXEL - 1.0).astype(
    np.float32)
_CLOTHES_TOP = 130  # First row that clothes may reach.
_SPARE = 40  # Columns of clothes beside the frame on either side.
_WIDE_X = ((np.arange(-_SPARE, canvas.FRAME_SIZE + _SPARE) + 0.5)
           * canvas.PIXEL - 1.0).astype(np.float32)
_TALL_Y = ((np.arange(_CLOTHES_TOP, canvas.FRAME_SIZE + _SPARE) + 0.5)
           * canvas.PIXEL - 1.0).astype(np.float32)


@dataclasses.dataclass(frozen=True)
class Clothes:
  """A layer of clothes, wider and higher than it is seen.

  Attributes:
    alpha: [134, 304] float32.
    colour: [3, 134, 304] float32.
  """
  alpha: np.ndarray
  colour: np.ndarray


def _random_colour(rng: np.random.Generator, bright: float) -> canvas.Colour:
  """A muted colour of about the given brightness."""
  value = bright * (0.6 + 0.8 * rng.random())
  spread = 0.6 * rng.random()
  offsets = rng.random(3) - 0.5
  return tuple(
      float(min(max(value * (1 + spread * offset * 2), 0.02), 0.97))
      for offset in offsets)


def draw_background(rng: np.random.Generator) -> np.ndarray:
  """[3, 224, 224] float32: a gradient with a few blurred shapes."""
  bright = float(0.16 + 0.50 * rng.random())
  first = _random_colour(rng, bright)
  second = canvas.mix(first, _random_colour(rng, bright), 0.5)
  angle = rng.random(2) - 0.5
  ramp = np.clip(
      0.5 + np.float32(angle[0]) * _X[None, :]
      + np.float32(angle[1]) * _X[:, None], 0, 1)
  image = np.stack([
      np.float32(first[c]) + ramp * np.float32(second[c] - first[c])
      for c in range(3)])
  for _ in range(4):
    where = rng.random(2) * 2.4 - 1.2
    size = 0.25 + 0.5 * rng.random(2)
    colour = _random_colour(rng, bright * (0.75 + 0.5 * rng.random()))
    strength = np.float32(0.35 + 0.4 * rng.random())
    power = 6 if rng.random() < 0.5 else 2
    column = np.exp(-(np.abs(_X - np.float32(where[0])) / size[0]) ** power)
    row = np.exp(-(np.abs(_X - np.float32(where[1])) / size[1]) ** power)
    alpha = (row[:, None] * column[None, :]).astype(np.float32) * strength
    for channel in range(3):
      image[channel] += alpha * (np.float32(colour[channel]) - image[channel])
  return image


def draw_clothes(
    rng: np.random.Generator, light: pose_lib.Light) -> Clothes:
  """Shoulders in a jumper, shirt, suit or V-neck."""
  style = seeds.choose(rng, {
      'crew': 0.35, 'vneck': 0.25, 'shirt': 0.2, 'suit': 0.2})
  main = _random_colour(rng, 0.08 + 0.6 * float(rng.random()))
  shirt = _random_colour(rng, 0.72)
  stripe = _random_colour(rng, 0.35)
  wobble = np.clip(rng.standard_normal(3), -2, 2)
  x = _WIDE_X[None, :]
  y = _TALL_Y[:, None]
  away = np.abs(x)
  slope = np.float32(0.30 + 0.04 * wobble[0])
  shoulder = np.float32(0.90 + 0.015 * wobble[1]) + slope * np.clip(
      away - np.float32(0.32), 0, None) + np.float32(0.55) * np.clip(
          away - np.float32(0.62), 0, None) ** 2
  collar = np.float32(1.00) - np.float32(1.1) * away * away
  if style == 'vneck':
    collar = np.float32(1.24) - np.float32(1.10) * away
  elif style in ('shirt', 'suit'):
    collar = np.float32(1.07) - np.float32(0.62) * away
  cloth = canvas.inside(np.minimum(
      y - shoulder, np.where(away < 0.40, y - collar, np.float32(1.0))))
  folds = np.sin(x * np.float32(9 + wobble[2]) + y * 5) * np.sin(
      x * 4 - y * 7)
  shade = np.float32(0.86) + np.float32(0.06) * folds + np.float32(
      0.30 * light.direction[0]) * x + np.float32(0.12) * (y - 1)
  rim = np.float32(0.78) + np.float32(0.22) * canvas.step(
      np.where(away < 0.40, y - collar, np.float32(1.0)), 0.0, 0.07)
  shade = np.clip(shade * rim, 0.25, 1.1) * np.float32(light.gain)
  colour = np.stack([shade * np.float32(main[c]) for c in range(3)])
  if style == 'suit':
    lapel = canvas.inside((np.float32(0.16) + np.float32(0.9) * (
        np.float32(1.12) - y)) * np.float32(0.8) - away)
    tie = canvas.inside(np.float32(0.055) - away)
    for c in range(3):
      inner = shade * np.float32(shirt[c])
      inner += tie * (shade * np.float32(stripe[c]) - inner)
      colour[c] += lapel * (inner - colour[c])
  return Clothes(alpha=cloth * np.ones_like(colour[0]), colour=colour)


def paint_clothes(
    image: np.ndarray, clothes: Clothes, right: float, down: float) -> None:
  """Paints the clothes over `image` [c, 224, 224] in place.

  Args:
    image: The frame.
    clothes: The day's.
    right: How far to the right of the middle, in half frames.
    down: How far below their usual place.
  """
  size = canvas.FRAME_SIZE
  left = int(np.clip(_SPARE - round(right / canvas.PIXEL), 0, 2 * _SPARE))
  top = int(np.clip(
      _CLOTHES_TOP + round(down / canvas.PIXEL), size - len(clothes.alpha),
      size))
  rows, cols = slice(0, size - top), slice(left, left + size)
  patch = canvas.Patch(
      slice(top, size), slice(0, size), clothes.alpha, clothes.alpha)
  canvas.blend(
      image, patch, clothes.alpha[rows, cols], clothes.colour[:, rows, cols])
