"""Tests of earsr_tf.losses.charbonnier against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.losses import charbonnier


def test_it_is_the_formula_summed_over_an_image() -> None:
  random = np.random.default_rng(0)
  a, b = random.uniform(size=(2, 3, 4, 4, 1)).astype(np.float32)
  wanted = np.sqrt((a.astype(np.float64) - b) ** 2 + 1e-6).sum((1, 2, 3))
  np.testing.assert_allclose(charbonnier.charbonnier(
      tf.constant(a), tf.constant(b)), wanted, rtol=1e-6)
  np.testing.assert_allclose(charbonnier.charbonnier(
      tf.constant(a), tf.constant(a)), np.full(3, 16e-3), rtol=1e-6)


def test_shapes_must_be_equal() -> None:
  with pytest.raises(ValueError, match='b must have shape'):
    charbonnier.charbonnier(tf.zeros([1, 4]), tf.zeros([1, 5]))
