"""Tests of models/minibatch_stddev.py."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.models import minibatch_stddev


def _normal(seed: int, shape: list[int]) -> np.ndarray:
  return np.random.RandomState(seed).normal(size=shape).astype(np.float32)


def test_stddev_by_hand_with_contiguous_groups():
  layer = minibatch_stddev.MinibatchStddev(group_size=2)
  x = tf.reshape(tf.constant([1.0, 3.0, 10.0, 10.0]), [4, 1, 1, 1])
  y = layer(x)
  assert y.shape == (4, 1, 1, 2)
  # Standard deviations of (1, 3) and (10, 10); the square root has 1e-8.
  np.testing.assert_allclose(y[:, 0, 0, 1], [1, 1, 1e-4, 1e-4], rtol=1e-5)
  np.testing.assert_array_equal(y[..., :1], x)


def test_stddev_averages_over_pixels_and_channels():
  x = _normal(4, [8, 3, 3, 5])
  groups = x.reshape([2, 4, 3, 3, 5])
  expected = np.sqrt(groups.var(axis=1) + 1e-8).mean(axis=(1, 2, 3))
  y = minibatch_stddev.MinibatchStddev(group_size=4)(x)
  np.testing.assert_allclose(y[0, ..., 5], np.full([3, 3], expected[0]),
                             rtol=1e-5)
  np.testing.assert_allclose(y[7, 1, 1, 5], expected[1], rtol=1e-5)


def test_stddev_groups_do_not_depend_on_the_rest_of_the_batch():
  x = _normal(5, [8, 2, 2, 3])
  layer = minibatch_stddev.MinibatchStddev(group_size=4)
  np.testing.assert_array_equal(layer(x)[4:], layer(x[4:]))


def test_stddev_refuses_other_batches():
  layer = minibatch_stddev.MinibatchStddev(group_size=4)
  with pytest.raises(ValueError, match=r'multiple of stddev_group \(4\)'):
    layer(tf.zeros([6, 4, 4, 2]))
  assert layer(tf.zeros([3, 4, 4, 2])).shape == (3, 4, 4, 3)
