"""E_a's data-dependent first weights."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from earsr_tf.models import audio_encoder
from earsr_tf.models import blocks
from earsr_tf.models import first_weights


def test_standardize_gives_every_channel_mean_0_and_variance_1():
  rng = np.random.default_rng(0)
  layer = blocks.Dense(in_features=5, out_features=3)
  x = tf.constant(rng.normal(4.0, 0.1, (64, 5)), tf.float32)
  first_weights.standardize(layer, layer(x))
  y = layer(x).numpy()
  np.testing.assert_allclose(y.mean(0), 0.0, atol=1e-3)
  np.testing.assert_allclose(y.std(0), 1.0, atol=1e-3)


def test_start_from_data_tells_voices_apart_and_fits_the_mean_code():
  tf.keras.utils.set_random_seed(1)
  net = audio_encoder.AudioEncoder(
      filters=2, max_filters=8, hidden=16, num_styles=12, latent_dim=4,
      initializer='he_normal')
  rng = np.random.default_rng(1)
  # As real spectrograms: one common pattern, little that differs.
  common = rng.uniform(-1, 1, (1, 257, 257, 1))
  voices = tf.constant(
      common + 0.05 * rng.normal(size=(6, 257, 257, 1)), tf.float32)
  codes = tf.constant(rng.normal(1.0, 1.0, (6, 12, 4)), tf.float32)
  before = net(voices).numpy()
  first_weights.start_audio_encoder(net, voices, codes)
  after = net(voices).numpy()
  np.testing.assert_allclose(
      after.mean(0), codes.numpy().mean(0), atol=1e-3)
  assert after.std(0).mean() > 5 * before.std(0).mean()


def test_standardize_survives_a_channel_that_never_changes():
  layer = blocks.Dense(in_features=2, out_features=2)
  layer.kernel.assign([[1.0, 0.0], [0.0, 0.0]])
  x = tf.constant([[1.0, 2.0], [3.0, 4.0]])
  first_weights.standardize(layer, layer(x))
  y = layer(x).numpy()
  np.testing.assert_allclose(y[:, 0], [-1.0, 1.0], atol=1e-4)
  np.testing.assert_allclose(y[:, 1], 0.0, atol=1e-4)
