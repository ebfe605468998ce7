"""Tests of models/generator.py."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.models import generator


def _network() -> generator.Generator:
  tf.keras.utils.set_random_seed(1)
  return generator.Generator(
      image_size=8, latent_dim=6, fmap_base=32, fmap_max=4)


def test_every_row_is_mapped_alone():
  network = _network()
  z_plus = tf.random.stateless_normal([3, 4, 6], [1, 2])
  w_plus = network.styles(z_plus)
  assert w_plus.shape == (3, 4, 6)
  for j in range(4):
    np.testing.assert_allclose(
        w_plus[:, j], network.mapping(z_plus[:, j]), atol=1e-6)
  np.testing.assert_allclose(network(z_plus), network.synthesis(w_plus))


def test_average_w_is_no_trainable_and_untouched_by_calls():
  network = _network()
  network(tf.ones([1, 4, 6]), noise_seed=tf.constant([1, 2]))
  np.testing.assert_array_equal(network.w_avg, np.zeros([6]))
  assert not any('w_avg' in v.name for v in network.trainable_variables)
  assert [v.name for v in network.non_trainable_variables] == ['w_avg:0']


def test_refuses_z_of_another_shape():
  with pytest.raises(ValueError, match=r'z_plus must have shape \[any, 4, 6'):
    _network()(tf.zeros([1, 12, 6]))
