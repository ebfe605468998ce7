"""Principal components: NumPy's SVD, portions, and bounded memory."""

from __future__ import annotations

import numpy as np
import pytest

from earsr_tf.ops import principal_components as pca_lib


def _rows(count: int, size: int, rank: int, seed: int = 0) -> np.ndarray:
  """Rows of a falling spectrum about a mean far from zero."""
  random = np.random.default_rng(seed)
  mixing = np.linalg.qr(random.normal(size=(size, rank)))[0]
  codes = random.normal(size=(count, rank)) * 10.0 * 0.9**np.arange(rank)
  drift = np.linspace(-3.0, 3.0, count)[:, np.newaxis]
  return codes @ mixing.T + 5.0 + drift * mixing[:, 0]


def _fit(rows: np.ndarray, portions: int, **options: int
         ) -> pca_lib.Components:
  pca = pca_lib.IncrementalPca(**options)
  for part in np.array_split(rows, portions):
    pca.add(part)
  return pca.result()


def _direct(rows: np.ndarray, num_values: int
            ) -> tuple[np.ndarray, np.ndarray]:
  """Deviations and components by NumPy's SVD in float64."""
  centred = rows - rows.mean(axis=0)
  _, values, vectors = np.linalg.svd(centred, full_matrices=False)
  return values[:num_values] / np.sqrt(len(rows)), vectors[:num_values]


def test_few_rows_give_the_components_of_numpys_svd() -> None:
  rows = _rows(count=60, size=500, rank=30)
  found = _fit(rows, portions=7, num_values=12)
  deviation, vectors = _direct(rows, 12)
  np.testing.assert_allclose(found.deviation, deviation, rtol=1e-5)
  np.testing.assert_allclose(
      np.abs(np.sum(found.basis * vectors, axis=1)), 1.0, atol=1e-5)
  np.testing.assert_allclose(found.mean, rows.mean(axis=0), rtol=1e-5)
  assert found.variance == pytest.approx(rows.var(axis=0).sum(), rel=1e-5)
  assert found.count == 60


def test_a_stream_of_many_blocks_equals_the_direct_result() -> None:
  rows = _rows(count=2000, size=300, rank=20)
  found = _fit(rows, portions=40, num_values=16, block_rows=50)
  deviation, vectors = _direct(rows, 16)
  np.testing.assert_allclose(found.deviation, deviation, rtol=1e-5)
  np.testing.assert_allclose(
      found.decode(found.encode(rows)),
      (rows - rows.mean(0)) @ vectors.T @ vectors + rows.mean(0), atol=2e-4)
  np.testing.assert_allclose(
      found.basis @ found.basis.T, np.eye(16), atol=1e-5)


def test_dropped_variance_costs_next_to_nothing() -> None:
  # More components than are kept: the stream is no longer exact.
  rows = _rows(count=3000, size=400, rank=120)
  found = _fit(rows, portions=11, num_values=24, block_rows=64)
  kept = np.sum(np.square(found.deviation))
  best = np.sum(np.square(_direct(rows, 24)[0]))
  assert 0.9999 * best < kept <= best * (1 + 1e-6)
  assert found.variance == pytest.approx(rows.var(axis=0).sum(), rel=1e-5)


def test_portions_do_not_matter_and_memory_is_bounded() -> None:
  rows = _rows(count=1500, size=100, rank=90)
  whole = pca_lib.IncrementalPca(num_values=10, block_rows=40)
  single = pca_lib.IncrementalPca(num_values=10, block_rows=40)
  whole.add(rows)
  for start in range(0, len(rows), 7):
    single.add(rows[start:start + 7])
  np.testing.assert_array_equal(whole.result().basis, single.result().basis)
  assert whole.max_rows == 10 + 16 + 40
  held = sum(value.nbytes for value in vars(single).values()
             if isinstance(value, np.ndarray))
  assert held <= 4 * 100 * single.max_rows + 8 * 100


def test_fewer_rows_than_values_are_reproduced() -> None:
  rows = _rows(count=8, size=200, rank=40)
  found = _fit(rows, portions=3, num_values=64)
  assert found.basis.shape == (7, 200)  # the mean takes one of eight
  np.testing.assert_allclose(
      found.decode(found.encode(rows)), rows, atol=1e-4)
  leading = found.leading(3)
  np.testing.assert_allclose(
      leading.encode(rows), found.encode(rows)[:, :3], atol=1e-5)
  np.testing.assert_allclose(
      found.decode(found.encode(rows)[:, :3]),
      leading.decode(leading.encode(rows)), atol=1e-4)


def test_equal_rows_have_no_component() -> None:
  found = _fit(np.full([9, 30], 0.25), portions=2, num_values=4)
  assert found.basis.shape == (0, 30)
  np.testing.assert_allclose(
      found.decode(found.encode(np.zeros([2, 30]))), 0.25)


def test_bad_rows_are_refused() -> None:
  pca = pca_lib.IncrementalPca(num_values=2)
  with pytest.raises(ValueError, match='two rows; got 0'):
    pca.result()
  pca.add(np.zeros([3, 5]))
  with pytest.raises(ValueError, match='6 values after rows of 5'):
    pca.add(np.zeros([3, 6]))
  with pytest.raises(ValueError, match='positive; got 0'):
    pca_lib.IncrementalPca(num_values=0)


def test_repeated_rows_add_no_component_of_rounding() -> None:
  rows = np.repeat(_rows(count=30, size=3000, rank=5), 20, axis=0)
  found = _fit(rows, portions=9, num_values=40, block_rows=100)
  assert found.basis.shape == (5, 3000)
  np.testing.assert_allclose(
      found.basis @ found.basis.T, np.eye(5), atol=1e-5)
