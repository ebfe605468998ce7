"""Linear discriminants find what is there, and no more."""

from __future__ import annotations

import numpy as np

from tools.calibrate import discriminant


def _world(spread: float, seed: int = 3) -> dict[str, np.ndarray]:
  """40 people in 4 videos of 3 rows each, of 30 numbers.

  Args:
    spread: Of people, where videos differ by 1 in three directions only.
    seed: Of the numbers.
  """
  rng = np.random.default_rng(seed)
  people = np.repeat(np.arange(40), 12)
  videos = np.repeat(np.arange(160), 3)
  who = rng.normal(0, spread, [40, 30])
  who[:, 5] = np.where(np.arange(40) % 2, 2.0, -2.0)
  light = rng.normal(0, 1, [160, 3]) @ rng.normal(0, 1, [3, 30])
  rows = who[people] + light[videos] + rng.normal(0, 0.1, [480, 30])
  return {
      'rows': rows.astype(np.float32), 'people': people.astype(str),
      'videos': videos.astype(str), 'gender': people % 2,
      'last': videos % 4 == 3}


def test_people_are_named_in_new_videos() -> None:
  world = _world(0.5)
  answer = discriminant.name_people(
      world['rows'], world['people'], world['videos'], world['last'])
  assert answer.accuracy > 0.95  # The nuisance has three directions only.
  assert answer.rows == 120 and answer.people == 40
  assert len(answer.missed) <= 2
  assert answer.chance == 1 / 40


def test_nothing_is_named_where_nothing_tells() -> None:
  world = _world(0.5)
  rng = np.random.default_rng(8)
  answer = discriminant.name_people(
      rng.normal(0, 1, world['rows'].shape), world['people'],
      world['videos'], world['last'])
  assert answer.accuracy < 0.12
  assert len(answer.missed) > 35


def test_gender_of_unseen_people() -> None:
  world = _world(0.5)
  unseen = world['people'].astype(int) >= 30
  gender = world['gender'].copy()
  gender[:12] = -1  # One person's is not known.
  answer = discriminant.tell_gender(
      world['rows'], gender, world['people'], unseen)
  assert answer.accuracy > 0.95
  assert answer.people == 10 and answer.rows == 120 and answer.chance == 0.5


def test_codes_are_principal_components() -> None:
  rng = np.random.default_rng(2)
  rows = rng.normal(0, 1, [200, 3]) @ rng.normal(0, 1, [3, 12])
  for data in (rows, np.tile(rows, 30)):  # Fewer columns than rows, and more.
    codes = discriminant.Codes(rows=data, count=3)(data)
    scaled = (data - data.mean(0)) / data.std(0)
    kept = (codes ** 2).sum() / (scaled ** 2).sum()
    assert kept > 0.99
    assert np.abs(np.corrcoef(codes.T) - np.eye(3)).max() < 0.02
    assert np.all(np.diff(codes.var(0)) < 0)
