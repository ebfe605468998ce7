"""Tests of models/mapping.py."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.models import mapping


def test_equals_float64_numpy():
  network = mapping.Mapping(latent_dim=16, num_layers=3, lr_multiplier=0.01)
  for index, layer in enumerate(network.dense_layers):
    layer.bias.assign(np.random.RandomState(index).normal(size=[16]) * 50)
  z = np.random.RandomState(9).normal(size=[4, 16])
  x = z / np.sqrt(np.mean(z ** 2, axis=1, keepdims=True) + 1e-8)
  for layer in network.dense_layers:
    x = (x @ layer.kernel.numpy().astype(np.float64)) * (
        np.sqrt(2 / 16) * 0.01) + 0.01 * layer.bias.numpy()
    x = np.where(x > 0, x, 0.2 * x)
  np.testing.assert_allclose(
      network(tf.constant(z, tf.float32)), x, rtol=1e-4, atol=1e-5)


def test_length_of_z_has_no_effect():
  network = mapping.Mapping(latent_dim=16)
  z = tf.random.stateless_normal([4, 16], [1, 2])
  np.testing.assert_allclose(network(z), network(5.0 * z), atol=1e-5)
  assert len(network.dense_layers) == 8


def test_refuses_other_widths():
  with pytest.raises(ValueError, match=r'z must have shape \[any, 16\]'):
    mapping.Mapping(latent_dim=16)(tf.zeros([2, 8]))
