"""Pillow's resize of 8-bit pictures, inside a graph: every level equal."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.media import reader
from earsr_tf.ops import resize_levels


@pytest.mark.parametrize(
    ('height', 'width'),
    [(8, 8), (1, 1), (7, 9), (100, 100), (127, 129), (128, 128), (130, 211),
     (256, 256), (360, 480), (1_000, 777)])
def test_it_is_pillows(height: int, width: int) -> None:
  image = np.random.default_rng(height).integers(
      0, 256, size=(height, width, 3), dtype=np.uint8)
  graph = tf.function(
      lambda x: resize_levels.centre_square(x, 128),
      input_signature=[tf.TensorSpec([None, None, 3], tf.uint8)])
  np.testing.assert_array_equal(
      graph(tf.constant(image)).numpy(), reader.centre_square(image, 128))


def test_pictures_have_three_channels() -> None:
  with pytest.raises(ValueError, match='image must have shape'):
    resize_levels.centre_square(tf.zeros([8, 8, 4], tf.uint8), 128)
