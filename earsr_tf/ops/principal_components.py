"""Principal components of any number of rows, in constant memory.

An image of 128x128x3 has 49,152 values, so its covariance (19 GB) is never
made. Rows are gathered in a block; a full block is merged into the components
found so far by the eigenvectors of a Gram matrix, which has the side of the
block (Ross et al., "Incremental Learning for Robust Visual Tracking", IJCV
2008, with the mean's own row). As long as all rows fit into the first block,
and whenever the data have no more components than are kept, the result is that
of a singular value decomposition; else it lacks the little variance that was
dropped behind the spare components. One pass over the rows is enough.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import scipy.linalg

_SMALLEST_BLOCK = 256
_SPARE = 1 / 8  # components carried along beyond those wanted, share
# Rows are float32: deviations below this share of the largest are noise.
_NOISE = 3e-6
_COLUMNS = 2048  # of all rows at a time, in copies


@dataclasses.dataclass(frozen=True)
class Components:
  """An orthonormal basis of the largest variance, and the mean.

  Attributes:
    mean: [D] float32.
    basis: [k, D] float32, orthonormal rows, largest variance first.
    deviation: [k] float64, standard deviations of the k values of a code.
    variance: Of all D values together, kept or not.
    count: Rows that all this was computed from.
  """
  mean: np.ndarray
  basis: np.ndarray
  deviation: np.ndarray
  variance: float
  count: int

  def encode(self, rows: np.ndarray) -> np.ndarray:
    """Codes [N, k] float32 of rows [N, D]; not whitened."""
    return (np.asarray(rows, np.float32) - self.mean) @ self.basis.T

  def decode(self, codes: np.ndarray) -> np.ndarray:
    """Rows [N, D] float32 from codes [N, j], j <= k leading values."""
    codes = np.asarray(codes, np.float32)
    return codes @ self.basis[:codes.shape[1]] + self.mean

  def leading(self, num_values: int) -> Components:
    """The same with at most `num_values` components; a view, not a copy."""
    return dataclasses.replace(
        self, basis=self.basis[:num_values],
        deviation=self.deviation[:num_values])


class IncrementalPca:
  """Takes rows in any portions; their size does not change the result.

  Attributes:
    num_values: Components wanted.
    max_rows: Rows of float32 that are held at once, at most.
    count: Rows so far.
  """

  def __init__(self, *, num_values: int, block_rows: int = 0):
    """Starts empty.

    Args:
      num_values: Components wanted; fewer come of fewer rows.
      block_rows: Rows merged at a time; 0: as many as components are kept,
        at least 256. A large block needs memory, a small one time.

    Raises:
      ValueError: If `num_values` is not positive.
    """
    if num_values < 1:
      raise ValueError(f'num_values must be positive; got {num_values}')
    self.num_values = num_values
    self._kept = num_values + max(16, int(num_values * _SPARE))
    self.max_rows = self._kept + (
        block_rows or max(_SMALLEST_BLOCK, self._kept))
    self.count = 0
    self._mean = np.zeros(0)  # of the merged rows
    self._merged = 0  # rows of the data behind `_mean`
    self._variance = 0.0  # sum of squares about the mean
    self._rows = np.zeros([0, 0], np.float32)
    self._found = 0  # leading rows of `_rows`: deviation times component
    self._filled = 0  # then the rows that wait

  def add(self, rows: np.ndarray) -> None:
    """Takes rows [N, D] of any floating type.

    Raises:
      ValueError: If D differs from that of earlier rows.
    """
    rows = np.asarray(rows, np.float32)
    if not self.count:
      # Untouched pages cost nothing: few rows need little memory.
      self._rows = np.empty([self.max_rows, rows.shape[1]], np.float32)
      self._mean = np.zeros(rows.shape[1])
    if rows.shape[1] != self._rows.shape[1]:
      raise ValueError(
          f'rows of {rows.shape[1]} values after rows of '
          f'{self._rows.shape[1]}')
    self.count += len(rows)
    while len(rows):
      # One row stays free for the difference of means.
      taken = rows[:self.max_rows - 1 - self._filled]
      self._rows[self._filled:self._filled + len(taken)] = taken
      self._filled += len(taken)
      rows = rows[len(taken):]
      if self._filled == self.max_rows - 1:
        self._merge()

  def result(self) -> Components:
    """The components of all rows so far.

    Returns:
      At most `num_values` components, fewer where the rows have no more.

    Raises:
      ValueError: If there are fewer than two rows.
    """
    if self.count < 2:
      raise ValueError(f'components need two rows; got {self.count}')
    self._merge()
    scaled = self._rows[:min(self._found, self.num_values)]
    size = np.sqrt([np.sum(np.square(row, dtype=np.float64))
                    for row in scaled])
    basis = scaled / size[:, np.newaxis].astype(np.float32)
    if len(basis):
      # Small components inherit the large ones' rounding: made orthogonal.
      factor = scipy.linalg.cholesky(_gram(basis), lower=True)
      inverse = scipy.linalg.solve_triangular(
          factor, np.eye(len(basis)), lower=True)
      _rotate(basis, inverse, len(basis))
    return Components(
        self._mean.astype(np.float32), basis, size / np.sqrt(self.count),
        float(self._variance / self.count), self.count)

  def _merge(self) -> None:
    """Replaces components and waiting rows by the components of both."""
    block = self._rows[self._found:self._filled]
    if not len(block):
      return
    mean = block.mean(axis=0, dtype=np.float64)
    block -= mean.astype(np.float32)
    total = self._merged + len(block)
    step = mean - self._mean
    weight = np.sqrt(self._merged * len(block) / total)
    self._rows[self._filled] = weight * step
    rows = self._rows[:self._filled + 1]
    gram = _gram(rows)
    self._variance += float(np.trace(gram[self._found:, self._found:]))
    self._mean += step * len(block) / total
    self._merged = total
    first = max(0, len(rows) - self._kept)
    values, vectors = scipy.linalg.eigh(
        gram, subset_by_index=[first, len(rows) - 1])
    order = np.argsort(-values)
    limit = max(values[order[0]], 0.0) * _NOISE**2
    order = order[values[order] > limit][:total - 1]
    _rotate(self._rows, vectors[:, order].T, len(rows))
    self._found = self._filled = len(order)


def _gram(rows: np.ndarray) -> np.ndarray:
  """rows @ rows.T [N, N] in float64: a square root halves the digits."""
  total = np.zeros([len(rows)] * 2)
  for start in range(0, rows.shape[1], _COLUMNS):
    part = rows[:, start:start + _COLUMNS].astype(np.float64)
    total += part @ part.T
  return total


def _rotate(rows: np.ndarray, matrix: np.ndarray, count: int) -> None:
  """rows[:K] = matrix [K, count] @ rows[:count], in place."""
  matrix = matrix.astype(np.float32)
  for start in range(0, rows.shape[1], _COLUMNS):
    part = rows[:count, start:start + _COLUMNS]
    rows[:len(matrix), start:start + _COLUMNS] = matrix @ part
