"""Tests of the three encoders' structure (facts of the authors' code)."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.models import audio_encoder
from earsr_tf.models import image_encoder
from earsr_tf.models import low_res_encoder

_CODE = {'num_styles': 3, 'latent_dim': 4}


def _trace(network, x: tf.Tensor) -> list[tuple[int, int]]:
  """Side and width after each convolution."""
  trace = []
  for block in network.blocks:
    x = block(x)
    trace.append((x.shape[1], x.shape[3]))
  return trace


def test_image_encoder_doubles_its_width_and_normalises_all_but_the_first():
  network = image_encoder.ImageEncoder(
      image_size=128, filters=2, max_filters=32, **_CODE)
  assert _trace(network, tf.zeros([1, 128, 128, 3])) == [
      (128, 2), (64, 4), (64, 4), (32, 8), (32, 8), (16, 16), (16, 16),
      (8, 32), (8, 32), (4, 32), (4, 32)]
  norms = [block.norm is not None for block in network.blocks]
  assert norms == [False] + [True] * 10


def test_low_res_encoder_triples_its_width():
  network = low_res_encoder.LowResEncoder(
      filters=2, max_filters=16, hidden=8, **_CODE)
  assert _trace(network, tf.zeros([1, 8, 8, 3])) == (
      [(8, 2)] * 3 + [(4, 6)] * 3 + [(2, 16)] * 3)
  norms = [block.norm is not None for block in network.blocks]
  assert norms == [False] + [True] * 8


def test_low_res_norm_none_keeps_global_brightness():
  image = tf.random.stateless_uniform([1, 8, 8, 3], [1, 2])
  distances = {}
  for norm in ('instance', 'none'):
    tf.keras.utils.set_random_seed(0)
    network = low_res_encoder.LowResEncoder(
        filters=8, max_filters=32, hidden=32, norm=norm, **_CODE)
    codes = network(tf.concat([image, 0.5 * image], axis=0))
    distances[norm] = np.abs(codes[0] - codes[1]).mean() / np.abs(
        codes).mean()
  assert distances['instance'] < 0.01
  assert distances['none'] > 0.3


def test_audio_encoder_has_thirteen_unnormalised_convolutions():
  network = audio_encoder.AudioEncoder(
      filters=2, max_filters=16, hidden=8, **_CODE)
  assert _trace(network, tf.zeros([1, 257, 257, 1])) == [
      (129, 2), (129, 2), (65, 4), (65, 4), (33, 8), (33, 8), (17, 16),
      (17, 16), (9, 16), (9, 16), (5, 16), (5, 16), (3, 16)]
  assert all(block.norm is None for block in network.blocks)


def test_codes_are_linear_in_the_head():
  network = low_res_encoder.LowResEncoder(
      filters=2, max_filters=8, hidden=8, **_CODE)
  image = tf.random.stateless_uniform([2, 8, 8, 3], [1, 2], -1.0, 1.0)
  code = network(image)
  network.head.kernel.assign(-3.0 * network.head.kernel)
  np.testing.assert_allclose(network(image), -3.0 * code, atol=1e-5)


def test_refuses_bad_sizes_and_shapes():
  with pytest.raises(ValueError, match='power of two >= 8; got 100'):
    image_encoder.ImageEncoder(image_size=100)
  with pytest.raises(ValueError, match='multiple of 4; got 6'):
    low_res_encoder.LowResEncoder(low_res_size=6)
  with pytest.raises(ValueError, match="'instance' or 'none'; got 'batch'"):
    low_res_encoder.LowResEncoder(norm='batch')
  network = audio_encoder.AudioEncoder(
      filters=1, max_filters=2, hidden=2, **_CODE)
  with pytest.raises(ValueError, match='spectrogram must have shape'):
    network(tf.zeros([1, 257, 129, 1]))
