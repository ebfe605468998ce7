"""Linear paths equal NumPy, and are all there is before the first step."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf import config
from earsr_tf.models import audio_encoder
from earsr_tf.models import linear_path
from earsr_tf.ops import latent
from earsr_tf.stages import networks

_MODEL = config.ModelConfig(
    image_size=16, low_res_size=4, latent_dim=5, image_encoder_filters=2,
    image_encoder_max_filters=4, low_res_filters=2, low_res_max_filters=4,
    low_res_hidden=4, low_res_norm='none', audio_filters=2,
    audio_max_filters=4, audio_hidden=4, fusion_hidden=4, fusion_init='zeros',
    linear_base=8, linear_leading=2)
_VALUES = _MODEL.num_values  # 2 + 6 * 3


def _assign(path: linear_path.LinearPath) -> tuple[np.ndarray, np.ndarray]:
  random = np.random.default_rng(1)
  kernel = random.normal(size=path.kernel.shape)
  bias = random.normal(size=path.bias.shape)
  path.fill(kernel, bias)
  return kernel, bias


def _rows(values: np.ndarray) -> np.ndarray:
  return values.reshape(-1, 6, 5)


def _arranged(values: np.ndarray) -> np.ndarray:
  shared = np.repeat(values[:, None, :2], 6, axis=1)
  return np.concatenate([shared, values[:, 2:].reshape(-1, 6, 3)], axis=-1)


def _input(*shape: int) -> np.ndarray:
  random = np.random.default_rng(2)
  return random.uniform(-1, 1, shape).astype(np.float32)


def test_counts_values():
  assert _VALUES == 20 == config.ModelConfig(
      image_size=16, latent_dim=5, linear_leading=2).num_values


def test_image_encoder_starts_as_its_path_from_boxes():
  encoder, x = networks.image_encoder(_MODEL), _input(3, 16, 16, 3)
  kernel, bias = _assign(encoder.linear)
  boxes = x.reshape(3, 8, 2, 8, 2, 3).mean((2, 4)).reshape(3, -1)
  np.testing.assert_allclose(
      encoder(x), _rows(boxes @ kernel + bias), rtol=1e-4, atol=1e-4)


def test_low_res_encoder_starts_as_its_path_from_pixels():
  encoder, x = networks.low_res_encoder(_MODEL), _input(3, 4, 4, 3)
  kernel, bias = _assign(encoder.linear)
  np.testing.assert_allclose(
      encoder(x), _rows(x.reshape(3, -1) @ kernel + bias), rtol=1e-4,
      atol=1e-4)


def test_audio_encoder_starts_as_its_path_from_statistics():
  encoder, x = networks.audio_encoder(_MODEL), _input(3, 257, 257, 1)
  kernel, bias = _assign(encoder.linear)
  statistics = np.concatenate(
      [x[..., 0].mean(1), x[..., 0].std(1)], axis=1)
  np.testing.assert_allclose(
      audio_encoder.linear_inputs(tf.constant(x)), statistics, atol=1e-5)
  np.testing.assert_allclose(
      encoder(x), _rows(statistics @ kernel + bias), rtol=1e-4, atol=1e-3)


def test_fusion_starts_as_its_path_from_both_codes():
  fusion = networks.fusion(_MODEL)
  kernel, bias = _assign(fusion.linear)
  low, audio = _input(3, 6, 5), 1.0 - _input(3, 6, 5)
  values = np.concatenate(
      [low.reshape(3, -1), audio.reshape(3, -1)], axis=1)
  np.testing.assert_allclose(
      fusion(tf.constant(low), tf.constant(audio)),
      low + _rows(values @ kernel + bias), rtol=1e-4, atol=1e-4)


def test_a_path_is_not_trained_and_layers_beside_it_learn():
  encoder, x = networks.low_res_encoder(_MODEL), _input(3, 4, 4, 3)
  assert not encoder.linear.trainable_variables
  with tf.GradientTape() as tape:
    loss = tf.reduce_mean(tf.square(encoder(x) - 1.0))
  gradient = tape.gradient(loss, encoder.head.kernel)
  assert np.abs(gradient).max() > 1e-6


def test_arrange_and_values_undo_each_other():
  values = _input(4, _VALUES)
  z_plus = latent.arrange(tf.constant(values), 6, 2)
  np.testing.assert_array_equal(z_plus, _arranged(values))
  np.testing.assert_allclose(latent.values_of(z_plus, 2), values, rtol=1e-6)
  with pytest.raises(ValueError, match='19 values'):
    latent.arrange(tf.zeros([1, 19]), 6, 2)
