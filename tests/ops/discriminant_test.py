"""The linear discriminant on people made of numbers."""

from __future__ import annotations

import numpy as np
import pytest

from earsr_tf.ops import discriminant

_PEOPLE, _WIDTH = 12, 6


def _pictures(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
  """Values [N, 6] and people [N]: noise is 20 times as large in the first 3."""
  random = np.random.default_rng(seed)
  centres = np.random.default_rng(0).normal(size=[_PEOPLE, _WIDTH])
  person = np.arange(count) % _PEOPLE
  noise = random.normal(size=[count, _WIDTH]) * [4, 4, 4, 0.2, 0.2, 0.2]
  return centres[person] + noise, person


def _fitted(parts: tuple[int, ...] = (3, 3)) -> discriminant.Discriminant:
  values, person = _pictures(1200, 1)
  sums = discriminant.Sums(people=_PEOPLE + 1, width=_WIDTH)
  for part in np.array_split(np.arange(1200), 7):
    sums.add(values[part], person[part], person[part] % 2,
             30.0 + person[part])
  return discriminant.fit(sums, parts)


def test_noisy_values_count_less() -> None:
  found = _fitted()
  weights = np.linalg.norm(found.people, axis=1)
  assert weights[3:].min() > 5 * weights[:3].max()
  values, person = _pictures(240, 2)
  where = (values - found.mean) @ found.people
  means = np.stack([where[person == i].mean(0) for i in range(_PEOPLE)])
  said = np.argmin(np.linalg.norm(
      where[:, None] - means[None], axis=-1), axis=1)
  assert np.mean(said == person) > 0.9  # 0.2 without the discriminant


def test_directions_have_unit_noise_and_no_correlation() -> None:
  found = _fitted()
  values, person = _pictures(24_000, 3)
  where = (values - found.mean) @ found.people
  where -= np.stack([where[person == i].mean(0)
                     for i in range(_PEOPLE)])[person]
  np.testing.assert_allclose(
      where.T @ where / len(where), np.eye(where.shape[1]), atol=0.15)


def test_labels_are_least_squares() -> None:
  found = _fitted((6,))
  values, person = _pictures(1200, 1)
  centred = values - values.mean(0)
  scaled = centred / np.sqrt(centred.var(0).mean())
  wanted = np.stack([person % 2, 30.0 + person], 1).astype(float)
  assert found.offsets == pytest.approx(wanted.mean(0))
  slope = np.linalg.solve(
      scaled.T @ scaled / 1200 + 0.003 * np.eye(6),
      scaled.T @ (wanted - wanted.mean(0)) / 1200)
  np.testing.assert_allclose(
      centred @ found.labels, scaled @ slope, atol=1e-6)


def test_unknown_labels_do_not_count() -> None:
  values, person = _pictures(1200, 1)
  sums = discriminant.Sums(people=_PEOPLE, width=_WIDTH)
  gender = np.where(person < 6, person % 2, -1)
  sums.add(values, person, gender, np.where(person == 0, 40.0, np.nan))
  found = discriminant.fit(sums, (3, 3))
  assert found.offsets == pytest.approx([0.5, 40.0])
  np.testing.assert_allclose(found.labels[:, 1], 0.0, atol=1e-12)
