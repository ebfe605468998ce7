"""Regularised linear discriminants on PCA codes, with NumPy.

Fisher's discriminant: codes are whitened by the covariance within classes,
and a row belongs to the class whose mean is nearest.
"""

from __future__ import annotations

import dataclasses

import numpy as np

CODES = (64, 128, 256)
_PENALTIES = (0.003, 0.03, 0.1, 0.3, 1.0, 3.0)
_SPARE, _POWERS = 16, 4  # Of the range finder.
_SLICE = 5  # One in five people, or videos of a person, chooses the penalty.


@dataclasses.dataclass(frozen=True)
class Answer:
  """How well a discriminant did.

  Attributes:
    accuracy: Share of test rows named rightly, in [0, 1].
    rows: Test rows.
    people: People in the test.
    chance: Accuracy of guessing the most frequent class of the test.
    codes: PCA codes used.
    penalty: Chosen, in units of the mean variance within classes.
    missed: People half of whose rows or more were named wrongly.
  """
  accuracy: float
  rows: int
  people: int
  chance: float
  codes: int
  penalty: float
  missed: tuple[str, ...]


class Codes:
  """Principal components of standardised rows.

  The axes are found by a randomised range finder with power iterations
  (Halko, Martinsson and Tropp, 2011, algorithm 4.4): all that is needed of
  10^4 pictures of 10^4 pixels are the first few hundred.
  """

  def __init__(self, *, rows: np.ndarray, count: int):
    self._mean = rows.mean(0)
    self._scale = rows.std(0) + 1e-3 * rows.std() + 1e-9
    scaled = (rows - self._mean) / self._scale
    probes = min(count + _SPARE, *rows.shape)
    rng = np.random.default_rng(0)
    axes = rng.standard_normal((rows.shape[1], probes)).astype(rows.dtype)
    for _ in range(_POWERS):
      axes, _ = np.linalg.qr(scaled.T @ (scaled @ axes))
    codes = scaled @ axes
    _, turn = np.linalg.eigh(codes.T @ codes)
    self._axes = axes @ turn[:, ::-1][:, :count]

  def __call__(self, rows: np.ndarray) -> np.ndarray:
    """[n, d] rows to [n, k] codes, the first ones of the largest variance."""
    return ((rows - self._mean) / self._scale) @ self._axes


class Discriminant:
  """Fisher's discriminant with a penalty; classes are any labels."""

  def __init__(
      self, *, codes: np.ndarray, labels: np.ndarray, penalty: float):
    self._names, index = np.unique(labels, return_inverse=True)
    counts = np.bincount(index)
    means = np.stack([
        np.bincount(index, codes[:, c]) / counts
        for c in range(codes.shape[1])], 1)
    inner = codes - means[index]
    within = inner.T @ inner / len(codes)
    within += np.eye(len(within)) * (penalty * np.trace(within) / len(within))
    # x -> x U / sqrt(e) makes the covariance within classes one.
    values, vectors = np.linalg.eigh(within)
    self._whiten = vectors / np.sqrt(np.maximum(values, 1e-12))
    self._means = means @ self._whiten

  def names(self, codes: np.ndarray) -> np.ndarray:
    """[n, k] codes to [n] labels."""
    white = codes @ self._whiten
    distance = (self._means ** 2).sum(1) - 2 * white @ self._means.T
    return self._names[distance.argmin(1)]


def name_people(
    rows: np.ndarray, people: np.ndarray, videos: np.ndarray,
    test: np.ndarray) -> Answer:
  """Names known people in videos that were not trained on.

  Args:
    rows: [n, d] features.
    people: [n] names.
    videos: [n] names of videos; one in five of the training videos of every
      person, at least one, chooses penalty and codes.
    test: [n] bool.
  """
  held = np.zeros(len(rows), bool)
  for name in np.unique(people[~test]):
    own = np.unique(videos[(people == name) & ~test])
    if own.size > 1:
      held |= np.isin(videos, own[-max(own.size // _SLICE, 1):])
  return _judge(rows, people, people, test, held & ~test)


def tell_gender(
    rows: np.ndarray, gender: np.ndarray, people: np.ndarray,
    test: np.ndarray) -> Answer:
  """Tells the gender of people who were not trained on.

  Args:
    rows: [n, d] features.
    gender: [n] labels; negative ones are left out.
    people: [n] names; every fifth training person chooses penalty and codes.
    test: [n] bool.
  """
  known = gender >= 0
  rows, gender, people, test = (
      values[known] for values in (rows, gender, people, test))
  held = np.isin(people, np.unique(people[~test])[::_SLICE]) & ~test
  return _judge(rows, gender, people, test, held)


def _judge(
    rows: np.ndarray, labels: np.ndarray, people: np.ndarray,
    test: np.ndarray, held: np.ndarray) -> Answer:
  """Chooses codes and penalty on `held`, trains on all, tests."""
  fit = ~test & ~held
  best = (-1.0, CODES[0], _PENALTIES[0])
  if held.any() and fit.any():
    coder = Codes(rows=rows[fit], count=max(CODES))
    train, slice_ = coder(rows[fit]), coder(rows[held])
    for count in [c for c in CODES if c <= train.shape[1]] or [
        train.shape[1]]:
      for penalty in _PENALTIES:
        model = Discriminant(
            codes=train[:, :count], labels=labels[fit], penalty=penalty)
        right = float(np.mean(
            model.names(slice_[:, :count]) == labels[held]))
        best = max(best, (right, count, penalty), key=lambda b: b[0])
  _, count, penalty = best
  coder = Codes(rows=rows[~test], count=count)
  model = Discriminant(
      codes=coder(rows[~test]), labels=labels[~test], penalty=penalty)
  right = model.names(coder(rows[test])) == labels[test]
  _, counts = np.unique(labels[test], return_counts=True)
  missed = tuple(
      str(name) for name in np.unique(people[test])
      if right[people[test] == name].mean() <= 0.5)
  return Answer(
      float(right.mean()), int(test.sum()), np.unique(people[test]).size,
      float(counts.max() / counts.sum()), count, penalty, missed)
