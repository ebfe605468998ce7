"""Tests of ops/pixels.py."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from earsr_tf.ops import pixels


def test_every_level_survives_the_round_trip():
  levels = np.arange(256, dtype=np.uint8)
  image = pixels.to_float(tf.constant(levels))
  np.testing.assert_allclose(image[0], -1.0)
  np.testing.assert_allclose(image[255], 1.0)
  np.testing.assert_array_equal(pixels.to_uint8(image), levels)


def test_rounds_and_clips():
  image = tf.constant([-3.0, -1.0, 0.0, 0.002, 0.5, 1.0, 7.0])
  # 127.5 (x + 1): -255, 0, 127.5 -> 128 (half to even), 127.755, 191.25, ...
  np.testing.assert_array_equal(
      pixels.to_uint8(image), [0, 0, 128, 128, 191, 255, 255])


def test_quantize_moves_by_at_most_half_a_level():
  image = np.random.RandomState(0).uniform(-1, 1, [64]).astype(np.float32)
  moved = np.abs(pixels.quantize(tf.constant(image)) - image)
  assert moved.max() <= 0.5 / 127.5 + 1e-6
  assert moved.max() > 0.4 / 127.5
