"""A small painter: soft shapes blended onto planar float images.

Coordinates: x to the right, y down, both in [-1, 1] over the frame. Edges are
antialiased analytically, by a smooth step of the signed distance, so a face
costs a few thousand operations and no supersampling. Stands in for VoxCeleb2's
cameras (paper section 4.1).
"""

from __future__ import annotations

import dataclasses

import numpy as np

FRAME_SIZE = 224
PIXEL = 2.0 / FRAME_SIZE

Colour = tuple[float, float, float]


@dataclasses.dataclass(frozen=True)
class Patch:
  """A rectangle of the frame with its pose-corrected coordinates.

  Attributes:
    rows: Slice of rows.
    cols: Slice of columns.
    u: [h, w] float32, across the head (to the viewer's right).
    v: [h, w] float32, down the head.
  """
  rows: slice
  cols: slice
  u: np.ndarray
  v: np.ndarray


@dataclasses.dataclass(frozen=True)
class Grid:
  """Head coordinates of every pixel under a shift, scale and tilt."""
  u: np.ndarray
  v: np.ndarray
  shift_x: float
  shift_y: float
  scale: float
  tilt: float

  def patch(
      self, left: float, top: float, right: float, bottom: float) -> Patch:
    """The pixels that cover a rectangle given in head coordinates."""
    slack = 0.012 + abs(self.tilt) * max(
        abs(left), abs(right), abs(top), abs(bottom))
    first_row = _pixel(top * self.scale + self.shift_y - slack)
    last_row = _pixel(bottom * self.scale + self.shift_y + slack) + 1
    first_col = _pixel(left * self.scale + self.shift_x - slack)
    last_col = _pixel(right * self.scale + self.shift_x + slack) + 1
    rows = slice(first_row, max(last_row, first_row + 1))
    cols = slice(first_col, max(last_col, first_col + 1))
    return Patch(rows, cols, self.u[rows, cols], self.v[rows, cols])


class Sheet:
  """A rectangle of coordinates with cells of one size, to paint skin on."""

  def __init__(
      self, *, left: float, top: float, step: float, rows: int, cols: int):
    """Lays out the cells.

    Args:
      left: u of the first column.
      top: v of the first row.
      step: Side of a cell.
      rows: Number of rows.
      cols: Number of columns.
    """
    self.left, self.top, self.step = left, top, step
    self.rows, self.cols = rows, cols
    across = (left + step * np.arange(cols)).astype(np.float32)
    down = (top + step * np.arange(rows)).astype(np.float32)
    self.u = np.ascontiguousarray(np.broadcast_to(across, (rows, cols)))
    self.v = np.ascontiguousarray(
        np.broadcast_to(down[:, None], (rows, cols)))

  def patch(
      self, left: float, top: float, right: float, bottom: float) -> Patch:
    """The cells that cover a rectangle."""
    rows = self._cells(top - self.top, bottom - self.top, self.rows)
    cols = self._cells(left - self.left, right - self.left, self.cols)
    return Patch(rows, cols, self.u[rows, cols], self.v[rows, cols])

  def _cells(self, start: float, stop: float, count: int) -> slice:
    """Cells from `start` to `stop`, at least one, kept inside."""
    first = min(max(int(start / self.step), 0), count - 1)
    last = min(max(int(stop / self.step) + 2, first + 1), count)
    return slice(first, last)


def _pixel(coordinate: float) -> int:
  """Index of the pixel at a frame coordinate, kept inside the frame."""
  return min(max(int((coordinate + 1.0) / PIXEL), 0), FRAME_SIZE - 1)


_AXIS = ((np.arange(FRAME_SIZE) + 0.5) * PIXEL - 1.0).astype(np.float32)


def make_grid(
    shift_x: float = 0.0, shift_y: float = 0.0, scale: float = 1.0,
    tilt: float = 0.0) -> Grid:
  """The grid of a head moved by `shift`, grown by `scale`, tilted (rad)."""
  x = (_AXIS[None, :] - np.float32(shift_x)) / np.float32(scale)
  y = (_AXIS[:, None] - np.float32(shift_y)) / np.float32(scale)
  # Third-order series: exact enough for small tilts, and bit-stable.
  sine = np.float32(tilt - tilt ** 3 / 6)
  cosine = np.float32(1 - tilt ** 2 / 2)
  return Grid(
      u=x * cosine + y * sine, v=y * cosine - x * sine, shift_x=shift_x,
      shift_y=shift_y, scale=scale, tilt=tilt)


def step(values: np.ndarray, low: float, high: float) -> np.ndarray:
  """Smooth step: 0 below `low`, 1 above `high`, 3t^2 - 2t^3 between."""
  t = (values - np.float32(low)) * np.float32(1.0 / (high - low))
  np.clip(t, 0.0, 1.0, out=t)
  return t * t * (np.float32(3) - np.float32(2) * t)


def inside(distance: np.ndarray, softness: float = PIXEL) -> np.ndarray:
  """Coverage in [0, 1] of a shape, from its signed distance (inside > 0)."""
  return step(distance, -softness, softness)


def ellipse(
    patch: Patch, centre: tuple[float, float],
    radii: tuple[float, float]) -> np.ndarray:
  """Approximate signed distance to an ellipse, positive inside, [h, w]."""
  du = (patch.u - np.float32(centre[0])) * np.float32(1 / radii[0])
  dv = (patch.v - np.float32(centre[1])) * np.float32(1 / radii[1])
  return (np.float32(1) - np.sqrt(du * du + dv * dv)) * np.float32(min(radii))


def blob(
    patch: Patch, centre: tuple[float, float],
    radii: tuple[float, float]) -> np.ndarray:
  """A Gaussian bump of height 1 with the given radii (1/e), [h, w]."""
  du = (patch.u - np.float32(centre[0])) * np.float32(1 / radii[0])
  dv = (patch.v - np.float32(centre[1])) * np.float32(1 / radii[1])
  return np.exp(-(du * du + dv * dv))


def blend(
    image: np.ndarray, patch: Patch, alpha: np.ndarray,
    colour: Colour | np.ndarray) -> None:
  """Paints `colour` over `image` [3, H, W] in place where alpha is 1.

  Args:
    image: [3, H, W] float32 in [0, 1]; a fourth channel is covered up.
    patch: Where to paint.
    alpha: [h, w] float32 coverage.
    colour: Three numbers, or [3, h, w] float32.
  """
  target = image[:, patch.rows, patch.cols]
  for channel in range(3):
    value = colour[channel]
    if not isinstance(value, np.ndarray):
      value = np.float32(value)
    target[channel] += alpha * (value - target[channel])
  if len(target) > 3:  # How much of the head is still seen.
    target[3] *= 1 - alpha


def darken(
    image: np.ndarray, patch: Patch, amount: np.ndarray,
    tint: Colour = (0.85, 1.0, 1.1)) -> None:
  """Multiplies by 1 - amount * tint: a soft shadow, warm by default."""
  target = image[:, patch.rows, patch.cols]
  for channel in range(3):
    target[channel] *= 1 - amount * np.float32(tint[channel])
  if len(target) > 3:  # What is seen of the head changes less in a shadow.
    target[3] *= 1 - amount


def scale_colour(colour: Colour, gain: float) -> Colour:
  """`colour` made lighter (gain > 1) or darker (gain < 1)."""
  return (colour[0] * gain, colour[1] * gain, colour[2] * gain)


def mix(first: Colour, second: Colour, share: float) -> Colour:
  """`first` at share 0, `second` at share 1."""
  return (
      first[0] + share * (second[0] - first[0]),
      first[1] + share * (second[1] - first[1]),
      first[2] + share * (second[2] - first[2]))


def smooth_table(
    rng: np.random.Generator, cells: int, size: int = 2048) -> np.ndarray:
  """A periodic smooth random curve: [size] float32, about zero mean, unit sd.

  Args:
    rng: Where the `cells` knots come from.
    cells: Number of random knots over one period.
    size: Samples of the table.
  """
  knots = rng.standard_normal(cells)
  where = np.arange(size) * (cells / size)
  left = where.astype(np.int64)
  t = where - left
  t = t * t * (3 - 2 * t)
  curve = knots[left % cells] * (1 - t) + knots[(left + 1) % cells] * t
  curve -= curve.mean()
  return (curve / max(curve.std(), 1e-6)).astype(np.float32)


def look_up(table: np.ndarray, phase: np.ndarray) -> np.ndarray:
  """Reads a periodic table at `phase` (one period per unit), [h, w]."""
  size = table.shape[0]
  index = (phase * np.float32(size)).astype(np.int32)
  return table[index & (size - 1)]
