"""Ridge regression: closed form, sums of portions, and the choice."""

from __future__ import annotations

import numpy as np
import pytest

from earsr_tf.ops import ridge


def _samples(count: int, noise: float = 0.0, seed: int = 0
             ) -> tuple[np.ndarray, np.ndarray]:
  """Inputs of different units, and linear targets."""
  random = np.random.default_rng(seed)
  x = random.normal(size=(count, 6)) * [1, 10, 0.1, 1, 1, 1] + 3.0
  w = np.random.default_rng(9).normal(size=(6, 4))
  return x, x @ w + 2.0 + noise * random.normal(size=(count, 4))


def test_fit_is_the_closed_form_on_standardised_inputs() -> None:
  x, y = _samples(50, noise=1.0)
  found = ridge.fit(ridge.moments(x, y), penalty=0.3)
  z = (x - x.mean(0)) / x.std(0)
  weights = np.linalg.solve(
      z.T @ z + 0.3 * len(x) * np.eye(6), z.T @ (y - y.mean(0)))
  np.testing.assert_allclose(
      found.predict(x), z @ weights + y.mean(0), rtol=1e-9)
  np.testing.assert_allclose(found.mean, x.mean(0))
  np.testing.assert_allclose(
      found.predict(found.mean[np.newaxis])[0], y.mean(0))


def test_portions_add_up_and_the_error_comes_from_moments() -> None:
  x, y = _samples(90, noise=0.5)
  whole = ridge.moments(x, y)
  parts = ridge.moments(x[:17], y[:17]) + ridge.moments(x[17:], y[17:])
  np.testing.assert_allclose(parts.xx, whole.xx, rtol=1e-12)
  assert parts.count == 90
  found = ridge.fit(parts, penalty=1e-2)
  other_x, other_y = _samples(40, noise=0.5, seed=1)
  assert ridge.mean_squared_error(
      found, ridge.moments(other_x, other_y)) == pytest.approx(
          np.square(other_y - found.predict(other_x)).sum(1).mean(), rel=1e-9)


def test_a_subset_of_inputs_needs_no_second_reading() -> None:
  x, y = _samples(60, noise=0.1)
  subset = ridge.moments(x, y).of_inputs([1, 4])
  np.testing.assert_allclose(
      ridge.fit(subset, 0.1).weights,
      ridge.fit(ridge.moments(x[:, [1, 4]], y), 0.1).weights, rtol=1e-9)


def test_the_penalty_follows_the_noise() -> None:
  clean = [ridge.moments(*_samples(200, seed=s)) for s in (0, 1)]
  assert ridge.choose(*clean) == min(ridge.PENALTIES)
  random = np.random.default_rng(0)
  noise = [ridge.moments(random.normal(size=(20, 6)),
                         random.normal(size=(20, 4))) for _ in range(2)]
  assert ridge.choose(*noise) == max(ridge.PENALTIES)
  # In between, it is the one of the least error.
  some = [ridge.moments(*_samples(12, noise=20.0, seed=s)) for s in (2, 3)]
  errors = [ridge.mean_squared_error(ridge.fit(some[0], p), some[1])
            for p in ridge.PENALTIES]
  assert ridge.choose(*some) == ridge.PENALTIES[int(np.argmin(errors))]


def test_constant_inputs_get_no_weight() -> None:
  x, y = _samples(30)
  x[:, 2], x[:, 3] = 0.0, 7.0
  found = ridge.fit(ridge.moments(x, y), 0.0)
  np.testing.assert_array_equal(found.weights[2:4], 0.0)
  assert np.isfinite(found.predict(x)).all()


def test_no_samples_are_refused() -> None:
  with pytest.raises(ValueError, match='needs samples'):
    ridge.fit(ridge.moments(np.zeros([0, 2]), np.zeros([0, 1])), 1.0)
  with pytest.raises(ValueError, match='3 inputs for 2 targets'):
    ridge.moments(np.zeros([3, 2]), np.zeros([2, 1]))


def test_both_ways_of_solving_agree() -> None:
  samples = ridge.moments(*_samples(50, noise=0.1))
  factored, decomposed = ridge.fit(samples, 1e-7), ridge.fit(samples, 0.0)
  np.testing.assert_allclose(
      factored.weights, decomposed.weights, rtol=1e-5, atol=1e-6)
  assert (factored.weights != decomposed.weights).any()
