"""uint8 <-> float, with numbers."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.data import image
from earsr_tf.media import reader


def test_every_level_survives_the_way_there_and_back():
  levels = np.arange(256, dtype=np.uint8)
  there = image.to_float(tf.constant(levels)).numpy()
  assert there.min() == -1.0 and there.max() == 1.0
  np.testing.assert_allclose(there[[51, 204]], [-0.6, 0.6], atol=1e-6)
  np.testing.assert_array_equal(image.to_uint8(there).numpy(), levels)


def test_to_uint8_rounds_and_clips():
  given = tf.constant([-1.5, -1.0, -0.9999, 0.0, 0.004, 1.0, 7.0])
  assert image.to_uint8(given).numpy().tolist() == [
      0, 0, 0, 128, 128, 255, 255]


def test_decode_frame_reads_our_png_and_checks_its_size():
  picture = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
  encoded = tf.constant(reader.encode_png(picture))
  np.testing.assert_array_equal(
      image.decode_frame(encoded, 8).numpy(), picture)
  with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
    image.decode_frame(encoded, 16)
