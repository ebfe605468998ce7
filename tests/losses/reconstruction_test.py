"""Tests of losses/reconstruction.py."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.losses import reconstruction


def test_l1_is_numpys_mean_absolute_difference():
  a, b = np.random.RandomState(0).normal(size=[2, 3, 4, 4, 3])
  loss = reconstruction.l1(
      tf.constant(a, tf.float32), tf.constant(b, tf.float32))
  assert loss.shape == (3,)
  np.testing.assert_allclose(
      loss, np.abs(a - b).mean(axis=(1, 2, 3)), rtol=1e-5)


def test_l1_of_codes_by_hand():
  loss = reconstruction.l1(
      tf.constant([[[1.0, 2.0], [3.0, -4.0]]]), tf.zeros([1, 2, 2]))
  np.testing.assert_allclose(loss, [2.5])


def test_sums_are_means_times_the_number_of_values():
  a, b = np.random.RandomState(0).normal(size=[2, 3, 4, 4, 3])
  a, b = tf.constant(a, tf.float32), tf.constant(b, tf.float32)
  np.testing.assert_allclose(
      reconstruction.l1(a, b, 'sum'), 48.0 * reconstruction.l1(a, b),
      rtol=1e-5)
  with pytest.raises(ValueError, match="'mean' or 'sum'; got 'max'"):
    reconstruction.l1(a, b, 'max')


def test_l1_refuses_mismatches():
  with pytest.raises(ValueError, match=r'b must have shape \[2, 3\]'):
    reconstruction.l1(tf.zeros([2, 3]), tf.zeros([2, 4]))
  with pytest.raises(ValueError, match='rank >= 2'):
    reconstruction.l1(tf.zeros([2]), tf.zeros([2]))
