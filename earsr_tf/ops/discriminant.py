"""A linear discriminant in closed form, from sums that fit into memory.

Fisher's: the directions in which people differ most for how much pictures, or
voices, of one person differ. Beside it, least squares for gender and age. NumPy
only.
"""

from __future__ import annotations

import dataclasses

import numpy as np

# Added to the scatter within people, whose values have unit variance on
# average. Ten times more blurs faces, see docs/evaluation.md.
_RIDGE = 0.003


class Sums:
  """What a pass over samples leaves: N people, D values a sample."""

  def __init__(self, *, people: int, width: int):
    """Starts empty, with N people and D values."""
    self.counts = np.zeros(people)
    self.values = np.zeros([people, width])
    self.squares = np.zeros([width, width])
    self.labels = np.zeros([people, 2])
    self.labelled = np.zeros([people, 2])

  def add(self, values: np.ndarray, person: np.ndarray, gender: np.ndarray,
          age: np.ndarray) -> None:
    """Adds pictures.

    Args:
      values: [B, D].
      person: [B] number of the person.
      gender: [B] 0 female, 1 male, -1 unknown.
      age: [B] years, NaN unknown.
    """
    values = values.astype(np.float64)
    labels = np.stack([np.where(gender < 0, np.nan, gender), age], 1)
    np.add.at(self.counts, person, 1.0)
    np.add.at(self.values, person, values)
    self.squares += values.T @ values
    np.add.at(self.labels, person, np.nan_to_num(labels))
    np.add.at(self.labelled, person, np.isfinite(labels))


@dataclasses.dataclass(frozen=True)
class Discriminant:
  """Linear functions of the values of a picture.

  Attributes:
    mean: [D] of all pictures.
    people: [D, K] directions in which people differ, K < N.
    labels: [D, 2] of gender (0 to 1) and age (years) ...
    offsets: [2] ... and their means.
  """
  mean: np.ndarray
  people: np.ndarray
  labels: np.ndarray
  offsets: np.ndarray


def fit(sums: Sums, parts: tuple[int, ...], ridge: float = _RIDGE
        ) -> Discriminant:
  """Solves for the discriminant.

  Args:
    sums: Of at least one sample.
    parts: Widths of the kinds of values, whose sum is D; each kind is scaled
      to unit variance first, so that none is damped more than another.
    ridge: Added to the scatter within people, of values of unit variance.

  Returns:
    The discriminant, of values that are not scaled.
  """
  known = sums.counts > 0
  counts, total = sums.counts[known], sums.counts.sum()
  mean = sums.values.sum(0) / total
  scatter = sums.squares / total - np.outer(mean, mean)
  ends = np.cumsum(parts)
  scale = np.concatenate([
      np.full(width, 1.0 / np.sqrt(max(np.diag(scatter)[end - width:end].mean(),
                                       1e-12)))
      for width, end in zip(parts, ends)])
  scatter *= np.outer(scale, scale)
  between = (sums.values[known] / counts[:, np.newaxis] - mean) * scale
  weighted = between * np.sqrt(counts / total)[:, np.newaxis]
  damping = ridge * np.eye(len(mean))
  lower = np.linalg.cholesky(scatter - weighted.T @ weighted + damping)
  # Between-people scatter has rank N - 1: no eigenproblem of size D is needed.
  left, _, _ = np.linalg.svd(
      np.linalg.solve(lower, between.T), full_matrices=False)
  people = np.linalg.solve(lower.T, left[:, :max(len(counts) - 1, 1)])
  labelled = sums.labelled[known]
  of_person = sums.labels[known] / np.maximum(labelled, 1.0)
  offsets = sums.labels.sum(0) / np.maximum(sums.labelled.sum(0), 1.0)
  wanted = np.where(labelled > 0, of_person - offsets, 0.0)
  labels = np.linalg.solve(
      scatter + damping, between.T @ (wanted * counts[:, np.newaxis]) / total)
  return Discriminant(mean, people * scale[:, np.newaxis],
                      labels * scale[:, np.newaxis], offsets)
