"""Tests of ops/normalization.py."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.ops import normalization


def test_equals_numpy():
  random = np.random.RandomState(0)
  x = random.normal(2.0, 3.0, [2, 5, 4, 3])
  scale, offset = random.normal(size=[2, 3])
  mean = x.mean(axis=(1, 2), keepdims=True)
  expected = (x - mean) / np.sqrt(
      x.var(axis=(1, 2), keepdims=True) + 1e-6) * scale + offset
  y = normalization.instance_norm(
      *(tf.constant(v, tf.float32) for v in (x, scale, offset)), 1e-6)
  np.testing.assert_allclose(y, expected, atol=2e-6)


def test_equals_keras_at_the_encoders_epsilon():
  x = tf.constant(
      1e-3 * np.random.RandomState(1).normal(size=[2, 4, 4, 6]), tf.float32)
  theirs = tf.keras.layers.GroupNormalization(groups=-1, epsilon=1e-6)(x)
  ours = normalization.instance_norm(x, tf.ones([6]), tf.zeros([6]), 1e-6)
  np.testing.assert_allclose(ours, theirs, atol=2e-5)


def test_one_pixel_gives_the_offset():
  y = normalization.instance_norm(
      tf.constant(5.0, shape=[2, 1, 1, 3]), tf.ones([3]),
      tf.constant([1.0, 2.0, 3.0]), 1e-8)
  np.testing.assert_allclose(y[1, 0, 0], [1.0, 2.0, 3.0])


def test_refuses_other_ranks():
  with pytest.raises(ValueError, match='feature map must have shape'):
    normalization.instance_norm(
        tf.zeros([2, 3]), tf.ones([3]), tf.zeros([3]), 1e-6)
