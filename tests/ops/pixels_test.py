"""Tests of ops/pixels.py."""

from __future__ import annotations

import numpy as np
from PIL import Image
import pytest
import tensorflow as tf

from earsr_tf.ops import pixels
from earsr_tf.ops import resample
from tests import testing


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


def _bytescale(image: np.ndarray) -> np.ndarray:
  """SciPy's formula, in float64: levels 0 ... 255 of one image."""
  low, high = image.min(), image.max()
  return ((image - low) * 255.0 / ((high - low) or 1.0) + 0.5).astype(np.uint8)


def test_stretched_contrast_is_scipys_bytescale():
  random = np.random.RandomState(1)
  images = np.stack([
      random.randint(0, 253, [16, 12, 3]), random.randint(30, 210, [16, 12, 3]),
      random.randint(0, 256, [16, 12, 3])]).astype(np.uint8)
  images[2, 0, 0] = [0, 255, 7]  # has the full range: nothing changes
  ours = pixels.to_uint8(pixels.stretch_contrast(pixels.to_float(images)))
  for got, image in zip(ours.numpy().astype(int), images):
    difference = np.abs(got - _bytescale(image.astype(np.float64) / 255.0))
    assert difference.max() <= 1 and (difference > 0).mean() < 0.02
    assert (got.min(), got.max()) == (0, 255)
  np.testing.assert_array_equal(ours[2], images[2])


def test_an_image_of_one_colour_is_stretched_to_black():
  image = pixels.stretch_contrast(tf.fill([2, 4, 4, 3], 0.3))
  np.testing.assert_array_equal(image, -np.ones([2, 4, 4, 3]))
  with pytest.raises(ValueError, match='image must have shape'):
    pixels.stretch_contrast(tf.zeros([4, 4, 3]))


def test_stretched_inputs_are_the_authors():
  """The second tile of their output strips, which is stretched once more."""
  folder = testing.shared_dir() / 'data' / 'official_test7'
  paths = sorted((folder / 'images').glob('*.png'))
  assert len(paths) == 7
  for path in paths:
    image = pixels.to_float(np.asarray(Image.open(path))[np.newaxis])
    strip = np.asarray(Image.open(folder / 'output' / path.name)).astype(int)
    low = pixels.quantize(resample.degrade(pixels.stretch_contrast(image)))
    plain = pixels.quantize(resample.degrade(image))
    shown = pixels.to_uint8(pixels.stretch_contrast(low))[0].numpy()
    tile = strip[8:128:16, 136:256:16]
    assert np.abs(shown.astype(int) - tile).max() <= 4, path.name
    assert np.abs(shown.astype(int) - tile).mean() < 1.5, path.name
    # E_l sees the brighter image in one of them.
    if path.stem == '00488':
      assert (low - plain).numpy().mean() * 127.5 > 10
