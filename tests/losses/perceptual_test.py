"""Tests of losses/perceptual.py."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.losses import perceptual


def test_mean_over_layers_by_hand():
  a = [tf.fill([2, 4, 4, 3], 1.0), tf.fill([2, 2, 2, 8], 5.0)]
  b = [tf.fill([2, 4, 4, 3], 0.0), tf.fill([2, 2, 2, 8], 2.0)]
  # Layer distances 1 and 3 (1 and 9 squared); sizes do not matter.
  np.testing.assert_allclose(perceptual.feature_distance(a, b), [2.0, 2.0])
  np.testing.assert_allclose(
      perceptual.feature_distance(a, b, 'l2'), [5.0, 5.0])
  # Sums: 48 values of distance 1 and 32 of distance 3.
  np.testing.assert_allclose(
      perceptual.feature_distance(a, b, 'l1', 'sum'), [144.0, 144.0])


def test_images_do_not_mix():
  a = tf.stack([tf.zeros([2, 2, 1]), tf.ones([2, 2, 1])])
  distance = perceptual.feature_distance([a], [tf.zeros([2, 2, 2, 1])])
  np.testing.assert_allclose(distance, [0.0, 1.0])


def test_refuses_mismatches():
  maps = [tf.zeros([1, 2, 2, 1])]
  with pytest.raises(ValueError, match='equally long'):
    perceptual.feature_distance(maps, maps * 2)
  with pytest.raises(ValueError, match=r'features_b\[0\] must have shape'):
    perceptual.feature_distance(maps, [tf.zeros([1, 2, 2, 3])])
  with pytest.raises(ValueError, match="'l1' or 'l2'"):
    perceptual.feature_distance(maps, maps, 'huber')
