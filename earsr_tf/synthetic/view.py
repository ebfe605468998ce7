"""Turns the painted sheet into the head as the camera sees it.

Yaw keeps every cut of the head in its row, so the visible skin of a row is a
running maximum outwards from the part that faces the camera: what falls
behind it is hidden, the far cheek behind the nose for instance. A nod moves
rows by their depth (stand-in for paper section 4.1's data).
"""

from __future__ import annotations

import dataclasses

import numpy as np

from earsr_tf.synthetic import canvas
from earsr_tf.synthetic import head
from earsr_tf.synthetic import looks
from earsr_tf.synthetic import pose as pose_lib

PIVOT = 0.20  # Depth of the point that stays in the middle of the crop.
_LEFT, _STEP, _COLS = -0.72, 0.0085, 170
_FAR = 16.0  # Between two rows on one line of numbers.


@dataclasses.dataclass
class Shot:
  """What the painters of one frame share.

  Attributes:
    image: [4, 224, 224] float32, painted in place: red, green, blue, and how
      much of the head is not covered by what stands before it.
    grid: Head coordinates of the frame.
    pose: The moment.
    light: The video's light.
    face: Who it is.
  """
  image: np.ndarray
  grid: canvas.Grid
  pose: pose_lib.Pose
  light: pose_lib.Light
  face: looks.FaceIdentity


@dataclasses.dataclass(frozen=True)
class View:
  """Where each pixel of a head looks at the sheet.

  Attributes:
    patch: The pixels that the head may cover.
    alpha: [h, w] coverage of the head.
    pixels: [n] flat indices into the frame that the head covers.
    cover: [n] coverage of these.
    corners: [4, n] flat indices of the sheet's cells around each.
    weights: [4, n] float32.
    rows: [n] row of the sheet of each.
    cols: [n] column.
  """
  patch: canvas.Patch
  alpha: np.ndarray
  pixels: np.ndarray
  cover: np.ndarray
  corners: np.ndarray
  weights: np.ndarray
  rows: np.ndarray
  cols: np.ndarray

  def sample(
      self, sheet: np.ndarray, chosen: np.ndarray | slice = slice(None)
  ) -> np.ndarray:
    """Reads [h * w, c] float32 values of the sheet at (some of) `pixels`."""
    total = 0
    for corner, weight in zip(self.corners, self.weights):
      total = total + sheet.take(corner[chosen], 0) * weight[chosen, None]
    return total


def place(
    pose: pose_lib.Pose, x: float, y: float, z: float) -> tuple[float, float]:
  """Where a point of the head is seen, in the grid's coordinates."""
  across = x * pose.cosine + (z - PIVOT) * pose.sine
  away = z * pose.cosine - x * pose.sine - PIVOT
  return across, y + away * pose.pitch


def look(
    surface: head.Surface, grid: canvas.Grid, pose: pose_lib.Pose) -> View:
  """How the camera sees the head.

  Args:
    surface: The head.
    grid: The frame's coordinates.
    pose: The moment.
  """
  across = surface.x * np.float32(pose.cosine) + (
      surface.z - np.float32(PIVOT)) * np.float32(pose.sine)
  seen, low, high = _visible(across, pose)
  patch = grid.patch(
      float(low.min()) - 0.03, -0.72, float(high.max()) + 0.03, 0.72)
  col = np.clip(
      (patch.u - np.float32(_LEFT)) * np.float32(1 / _STEP), 0, _COLS - 1.01)
  v = _upright(surface, seen, patch, col, pose)
  row = np.clip((v - np.float32(head.SHEET.top)) * np.float32(
      1 / head.SHEET.step), 0, head.SHEET.rows - 1.01)
  alpha = _coverage(surface, low, high, patch.u, row)
  inside = np.flatnonzero(alpha.ravel() > 0)
  rows, cols = row.ravel()[inside], col.ravel()[inside]
  spot = _bilinear(seen, rows, cols)
  corners, weights = _cells(
      rows, np.clip(spot, 0, head.SHEET.cols - 1.01), head.SHEET.cols)
  width = patch.u.shape[1]
  pixels = (inside // width + patch.rows.start) * canvas.FRAME_SIZE + (
      inside % width + patch.cols.start)
  return View(
      patch=patch, alpha=alpha, pixels=pixels, cover=alpha.ravel()[inside],
      corners=corners, weights=weights, rows=rows, cols=spot)


def _visible(
    across: np.ndarray, pose: pose_lib.Pose
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """The sheet's column seen at each place across, and the head's edges.

  Args:
    across: [h, w], where each cell of the sheet would be seen.
    pose: The moment.

  Returns:
    ([h, 170] columns, [h] left edge, [h] right edge).
  """
  # This column faces the camera in all rows, wide or narrow.
  middle = int((-0.2 * 1.1 * pose.yaw - head.SHEET.left) / head.SHEET.step)
  right = np.maximum.accumulate(across[:, middle:], 1)
  left = np.minimum.accumulate(across[:, middle::-1], 1)[:, ::-1]
  order = np.concatenate([left[:, :-1], right], 1)
  base = (np.arange(len(order)) * _FAR)[:, None]
  asked = (_LEFT + _STEP * np.arange(_COLS))[None] + base
  # Clipped: a column beside the head reads the head's edge, and not the hidden
  # skin that the running maximum has put there.
  asked = np.clip(
      asked, order[:, :1] + base + 1e-4, order[:, -1:] + base - 1e-4)
  columns = np.tile(
      np.arange(order.shape[1], dtype=np.float64), len(order))
  seen = np.interp(asked.ravel(), (order + base).ravel(), columns)
  return (seen.reshape(asked.shape).astype(np.float32), left[:, 0],
          right[:, -1])


def _upright(
    surface: head.Surface, seen: np.ndarray, patch: canvas.Patch,
    col: np.ndarray, pose: pose_lib.Pose) -> np.ndarray:
  """[h, w] height on the head that is seen at each pixel, the nod undone."""
  if not pose.pitch:
    return patch.v
  # Depth towards the camera of what is seen.
  away = surface.z * np.float32(pose.cosine) - surface.x * np.float32(
      pose.sine) - np.float32(PIVOT)
  first = np.minimum(seen.astype(np.int32), head.SHEET.cols - 2)
  share = seen - first
  depth = np.take_along_axis(away, first, 1) * (1 - share) + (
      np.take_along_axis(away, first + 1, 1) * share)
  depth = np.ascontiguousarray(depth * np.float32(pose.pitch)).ravel()
  # Between rows only: columns are close, and do not move with the rows.
  nearest = (col + np.float32(0.5)).astype(np.int32)
  v = patch.v
  for _ in range(2):
    row = np.clip((v - np.float32(head.SHEET.top)) * np.float32(
        1 / head.SHEET.step), 0, head.SHEET.rows - 1.01)
    top = row.astype(np.int32)
    corner = top * np.int32(_COLS) + nearest
    above = depth.take(corner)
    corner += _COLS
    v = patch.v - above - (depth.take(corner) - above) * (row - top)
  return v


def _coverage(
    surface: head.Surface, low: np.ndarray, high: np.ndarray,
    u: np.ndarray, row: np.ndarray) -> np.ndarray:
  """[h, w] coverage of the head, its edge one pixel soft."""
  half = (high - low) * np.float32(0.5)
  squared = np.where(surface.squared > 1e-4, half * half, surface.squared)
  middle = (high + low) * np.float32(0.5)
  slope = np.gradient(squared) / np.float32(head.SHEET.step)
  first = row.astype(np.int32)
  share = row - first

  def at(values: np.ndarray) -> np.ndarray:
    """A column of the sheet's rows, read between them."""
    values = values.astype(np.float32)
    return values[first] * (1 - share) + values[first + 1] * share

  away = u - at(middle)
  bend = at(np.clip(slope, -8, 8))
  distance = (at(squared) - away * away) / np.sqrt(
      bend * bend + 4 * away * away + np.float32(1e-4))
  return canvas.inside(distance)


def _bilinear(
    table: np.ndarray, row: np.ndarray, col: np.ndarray) -> np.ndarray:
  """Reads [h, w] `table` between its cells."""
  corners, weights = _cells(row, col, table.shape[1])
  flat = table.ravel()
  return sum(
      flat.take(corner) * weight for corner, weight in zip(corners, weights))


def _cells(
    row: np.ndarray, col: np.ndarray, width: int
) -> tuple[np.ndarray, np.ndarray]:
  """The four cells around each place, and their weights, [4, ...]."""
  top, left = row.astype(np.int32), col.astype(np.int32)
  down, across = row - top, col - left
  corner = top * np.int32(width) + left
  up, before = 1 - down, 1 - across
  return (
      np.stack([corner, corner + 1, corner + width, corner + width + 1]),
      np.stack([up * before, up * across, down * before, down * across]))
