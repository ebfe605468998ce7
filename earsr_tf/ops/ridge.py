"""Ridge regression from sums: any number of samples, in constant memory.

A regression needs of its samples only the second moments of inputs and
targets. They add up, so those of some people can be held back, a penalty be
chosen on them, and the fit be made on all without reading anything twice.
"""

from __future__ import annotations

import dataclasses
from typing import Iterator, Sequence

import numpy as np
import scipy.linalg

# Of the number of samples; inputs are scaled to unit deviation.
PENALTIES = tuple(10.0 ** (exponent / 2) for exponent in range(-12, 3))
# A column whose deviation is below this share of its size is constant.
_CONSTANT = 1e-6
# Down to this penalty a Cholesky factor is as exact as eigenvalues are.
_SAFE_PENALTY = 1e-7


@dataclasses.dataclass(frozen=True)
class Moments:
  """Sums over samples, float64; `x` begins with a column of ones.

  Attributes:
    xx: [1 + P, 1 + P], sum of x x^T.
    xy: [1 + P, K], sum of x y^T.
    yy: Sum of |y|^2.
  """
  xx: np.ndarray
  xy: np.ndarray
  yy: float

  @property
  def count(self) -> int:
    """Samples."""
    return round(float(self.xx[0, 0]))

  def __add__(self, other: Moments) -> Moments:
    """Those of both sets of samples."""
    return Moments(
        self.xx + other.xx, self.xy + other.xy, self.yy + other.yy)

  def of_inputs(self, columns: Sequence[int]) -> Moments:
    """Those of some of the P inputs only."""
    kept = np.array([0, *(column + 1 for column in columns)])
    return Moments(self.xx[np.ix_(kept, kept)], self.xy[kept], self.yy)


@dataclasses.dataclass(frozen=True)
class Regression:
  """y = bias + x @ weights.

  Attributes:
    weights: [P, K] float64.
    bias: [K] float64.
    mean: [P] float64, the inputs' mean over the samples: what stands for an
      input that is withheld.
    penalty: As of `PENALTIES`.
  """
  weights: np.ndarray
  bias: np.ndarray
  mean: np.ndarray
  penalty: float

  def predict(self, x: np.ndarray) -> np.ndarray:
    """Targets [N, K] float64 from inputs [N, P]."""
    return np.asarray(x, np.float64) @ self.weights + self.bias


def moments(x: np.ndarray, y: np.ndarray) -> Moments:
  """Sums over samples.

  Args:
    x: [N, P] inputs.
    y: [N, K] targets.

  Returns:
    Moments in float64; add those of further samples with `+`.

  Raises:
    ValueError: If the numbers of samples differ.
  """
  if len(x) != len(y):
    raise ValueError(f'{len(x)} inputs for {len(y)} targets')
  x = np.concatenate(
      [np.ones([len(x), 1]), np.asarray(x, np.float64)], axis=1)
  y = np.asarray(y, np.float64)
  return Moments(x.T @ x, x.T @ y, float(np.sum(np.square(y))))


def fit(samples: Moments, penalty: float) -> Regression:
  """Minimises the mean of |y - bias - x W|^2 + penalty |deviation * W|^2.

  The penalty acts on inputs of unit deviation, so that their units do not
  matter; a constant input gets no weight.

  Args:
    samples: Moments of at least one sample.
    penalty: Not negative.

  Returns:
    The regression.

  Raises:
    ValueError: If there is no sample.
  """
  return _fits(samples, [penalty])[0]


def choose(fitted: Moments, held_back: Moments,
           penalties: Sequence[float] = PENALTIES) -> float:
  """The penalty whose fit errs least on samples that it has not seen.

  Args:
    fitted: Samples to fit.
    held_back: Samples of others, for the choice.
    penalties: Candidates.

  Returns:
    One of `penalties`; the largest of equals.
  """
  candidates = sorted(penalties, reverse=True)
  errors = [mean_squared_error(regression, held_back)
            for regression in _fits(fitted, candidates)]
  return candidates[int(np.argmin(errors))]


def mean_squared_error(regression: Regression, samples: Moments) -> float:
  """Mean of |y - prediction|^2 over samples, from their moments."""
  weights = np.vstack([regression.bias, regression.weights])
  total = (samples.yy - 2.0 * np.sum(weights * samples.xy)
           + np.sum(weights * (samples.xx @ weights)))
  return float(total / samples.count)


def _fits(samples: Moments, penalties: Sequence[float]) -> list[Regression]:
  """A regression per penalty."""
  count = samples.count
  if not count:
    raise ValueError('a regression needs samples')
  mean_x, mean_y = samples.xx[0, 1:] / count, samples.xy[0] / count
  covariance = samples.xx[1:, 1:] / count - np.outer(mean_x, mean_x)
  cross = samples.xy[1:] / count - np.outer(mean_x, mean_y)
  size = np.sqrt(np.diag(samples.xx)[1:] / count)
  deviation = np.sqrt(np.maximum(np.diag(covariance), 0.0))
  scale = np.divide(1.0, deviation, out=np.zeros_like(deviation),
                    where=deviation > _CONSTANT * size)
  scaled = covariance * np.outer(scale, scale)
  found = []
  for penalty, weights in zip(penalties, _solutions(
      scaled, scale[:, np.newaxis] * cross, penalties)):
    weights = scale[:, np.newaxis] * weights
    found.append(
        Regression(weights, mean_y - mean_x @ weights, mean_x, penalty))
  return found


def _solutions(matrix: np.ndarray, targets: np.ndarray,
               penalties: Sequence[float]) -> Iterator[np.ndarray]:
  """Solves (matrix + penalty I) W = targets for W [P, K], by penalty."""
  if len(penalties) == 1 and penalties[0] >= _SAFE_PENALTY:
    # A tenth of the time of a decomposition that serves many penalties.
    yield scipy.linalg.solve(
        matrix + penalties[0] * np.eye(len(matrix)), targets, assume_a='pos')
    return
  values, vectors = scipy.linalg.eigh(matrix)
  inner = vectors.T @ targets
  for penalty in penalties:
    # Rounding makes the smallest values negative.
    damped = np.maximum(values, 0.0) + max(penalty, 1e-12)
    yield vectors @ (inner / damped[:, np.newaxis])
