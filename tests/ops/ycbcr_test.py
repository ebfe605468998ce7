"""Tests of earsr_tf.ops.ycbcr: MATLAB's numbers, and the inverse."""

from __future__ import annotations

import numpy as np

from earsr_tf.ops import ycbcr


def test_known_colours() -> None:
  rgb = np.array([[1, 1, 1], [0, 0, 0], [1, 0, 0], [0, 0, 1]], np.float32)
  found = 255.0 * ycbcr.from_rgb(2.0 * rgb - 1.0).numpy()
  np.testing.assert_allclose(found, [
      [235, 128, 128], [16, 128, 128], [81.481, 90.203, 240],
      [40.966, 240, 109.786]], atol=1e-3)


def test_the_inverse() -> None:
  rgb = np.random.default_rng(0).uniform(-1, 1, (2, 4, 4, 3)).astype('f4')
  np.testing.assert_allclose(
      ycbcr.to_rgb(ycbcr.from_rgb(rgb)), rgb, atol=2e-6)
