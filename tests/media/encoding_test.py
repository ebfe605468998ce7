"""Our own files: decoders give back what went in."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image
import pytest
import tensorflow as tf

from earsr_tf.media import encoding


@pytest.mark.parametrize('height, width', [(1, 1), (3, 5), (128, 128)])
def test_a_png_holds_the_very_pixels(height, width):
  noise = np.random.default_rng(0).integers(
      0, 256, (height, width, 3), np.uint8)
  data = encoding.encode_png(noise)
  np.testing.assert_array_equal(tf.io.decode_png(data), noise)
  with Image.open(io.BytesIO(data)) as image:
    image.verify()
  with Image.open(io.BytesIO(data)) as image:
    assert (image.format, image.mode) == ('PNG', 'RGB')
    np.testing.assert_array_equal(np.asarray(image), noise)


def test_a_png_of_a_view_is_that_of_its_copy():
  noise = np.random.default_rng(1).integers(0, 256, (9, 8, 6), np.uint8)
  view = noise[::-1, 1:, ::2]
  assert encoding.encode_png(view) == encoding.encode_png(view.copy())


def test_smooth_pictures_become_small():
  ramp = np.add.outer(np.arange(128), np.arange(128)).astype(np.uint8)
  data = encoding.encode_png(np.stack([ramp] * 3, axis=-1))
  assert len(data) < 128 * 128 * 3 / 20
