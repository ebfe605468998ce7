"""A linear base equals NumPy's principal components, and back."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.models import linear_base
from earsr_tf.ops import latent
from earsr_tf.ops import principal_components


def _fitted(frames: np.ndarray) -> linear_base.LinearBase:
  """A base of side 4 for 6 rows of 3 values, 2 of them shared: 8 values."""
  base = linear_base.LinearBase(
      side=4, num_styles=6, latent_dim=3, leading=2)
  pca = principal_components.IncrementalPca(num_values=8)
  pca.add(linear_base.pixels(tf.constant(frames), 4).numpy())
  base.fit(pca.result())
  return base


def _frames(count: int) -> np.ndarray:
  random = np.random.default_rng(0)
  return random.uniform(-1, 1, [count, 8, 8, 3]).astype(np.float32)


def _boxes(frames: np.ndarray) -> np.ndarray:
  return frames.reshape(-1, 4, 2, 4, 2, 3).mean((2, 4)).reshape(
      len(frames), -1)


def test_decodes_whitened_components_as_numpy_does():
  frames = _frames(30)
  base = _fitted(frames)
  flat = _boxes(frames).astype(np.float64)
  mean = flat.mean(0)
  _, size, vectors = np.linalg.svd(flat - mean, full_matrices=False)
  deviation = size[:8] / np.sqrt(30)
  values = (flat - mean) @ vectors[:8].T / deviation
  expected = (values * deviation) @ vectors[:8] + mean
  kernel, bias = base.encoder()
  z_plus = tf.reshape(
      tf.constant(_boxes(frames) @ kernel + bias, tf.float32), [-1, 6, 3])
  found = latent.values_of(z_plus, 2).numpy()
  np.testing.assert_allclose(z_plus, latent.arrange(found, 6, 2), atol=1e-4)
  np.testing.assert_allclose(np.abs(found), np.abs(values), atol=2e-4)
  np.testing.assert_allclose(found.std(0), 1.0, atol=1e-4)
  np.testing.assert_allclose(
      tf.reshape(base(z_plus), [30, -1]), expected, atol=2e-5)
  sizes = latent.values_of(tf.reshape(base.sizes(), [1, 6, 3]), 2)
  np.testing.assert_allclose(sizes[0], deviation, rtol=1e-4)


def test_components_that_the_faces_do_not_have_stay_zero():
  base = _fitted(_frames(5))  # five faces have four components
  norms = np.linalg.norm(base.basis.numpy().reshape(8, -1), axis=1)
  assert np.all(norms[:4] > 0.1) and np.all(norms[4:] == 0)
  kernel, bias = base.encoder()
  values = latent.values_of(
      tf.reshape(np.vstack([kernel, bias]), [-1, 6, 3]), 2).numpy()
  assert np.any(values[:, :4], axis=0).all() and not np.any(values[:, 4:])


def test_a_base_is_never_trained():
  assert not _fitted(_frames(5)).trainable_variables


def test_pixels_refuses_sides_that_do_not_divide():
  with pytest.raises(ValueError, match='multiples|shape'):
    linear_base.pixels(tf.zeros([1, 12, 12, 3]), 8)
