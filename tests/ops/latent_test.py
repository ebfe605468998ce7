"""Tests of ops/latent.py."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.ops import latent


def test_pixel_norm_by_hand():
  # Mean square of (3, 4) is 12.5.
  y = latent.pixel_norm(tf.constant([[3.0, 4.0], [0.0, 0.0]]))
  np.testing.assert_allclose(
      y, [[3 / np.sqrt(12.5), 4 / np.sqrt(12.5)], [0, 0]], rtol=1e-6)


def test_unit_norm_gives_rows_of_length_sqrt_d():
  code = tf.random.stateless_normal([2, 3, 16], [1, 2]) * 7.0
  lengths = np.linalg.norm(latent.unit_norm(code), axis=-1)
  np.testing.assert_allclose(lengths, np.full([2, 3], 4.0), rtol=1e-5)
  with pytest.raises(ValueError, match='code must have shape'):
    latent.unit_norm(tf.zeros([2, 16]))


def test_broadcast_styles_repeats():
  z = tf.constant([[1.0, 2.0], [3.0, 4.0]])
  z_plus = latent.broadcast_styles(z, 3)
  assert z_plus.shape == (2, 3, 2)
  np.testing.assert_array_equal(z_plus[:, 2], z)


def test_mix_styles_switches_at_the_cutoff():
  mixed = latent.mix_styles(
      tf.zeros([1, 4, 2]), tf.ones([1, 4, 2]), tf.constant(3))
  np.testing.assert_array_equal(mixed[0, :, 0], [0, 0, 0, 1])
  with pytest.raises(ValueError, match='second must have shape'):
    latent.mix_styles(tf.zeros([1, 4, 2]), tf.ones([1, 3, 2]), 1)


def test_cutoffs_are_uniform_and_mixing_has_its_probability():
  @tf.function
  def draw(seeds):
    return tf.map_fn(
        lambda s: latent.sample_cutoff(s, 6, 0.9), seeds,
        fn_output_signature=tf.int32)

  seeds = tf.stack([tf.range(4000), tf.ones([4000], tf.int32)], axis=1)
  cutoffs = draw(seeds).numpy()
  shares = np.bincount(cutoffs, minlength=7) / 4000
  assert shares[0] == 0
  # Five standard deviations of a share of .18 (or .1) in 4000 draws.
  np.testing.assert_allclose(shares[1:6], 0.18, atol=0.031)
  np.testing.assert_allclose(shares[6], 0.1, atol=0.024)


def test_probability_zero_never_mixes():
  cutoff = latent.sample_cutoff(tf.constant([5, 6]), 4, 0.0)
  assert cutoff.numpy() == 4


def test_truncate_moves_the_first_layers_towards_the_average():
  w = tf.constant(3.0, shape=[1, 4, 2])
  y = latent.truncate(w, tf.constant([1.0, 3.0]), psi=0.5, num_layers=2)
  np.testing.assert_allclose(
      y[0], [[2, 3], [2, 3], [3, 3], [3, 3]])
  with pytest.raises(ValueError, match='w_avg must have shape'):
    latent.truncate(w, tf.zeros([3]))


@pytest.mark.parametrize('leading, own', [(0, 3), (2, 1), (3, 0)])
def test_arranged_values_come_back(leading, own):
  values = np.arange(2 * (leading + 4 * own), dtype=np.float32).reshape(2, -1)
  z_plus = latent.arrange(tf.constant(values), 4, leading)
  assert z_plus.shape == (2, 4, leading + own)
  for row in range(4):
    begin = leading + row * own
    np.testing.assert_array_equal(z_plus[:, row], np.concatenate(
        [values[:, :leading], values[:, begin:begin + own]], axis=1))
  np.testing.assert_array_equal(latent.values_of(z_plus, leading), values)
