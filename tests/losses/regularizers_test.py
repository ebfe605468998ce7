"""Tests of losses/regularizers.py."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.losses import regularizers


def test_r1_of_a_linear_discriminator_is_half_its_squared_weight():
  w = tf.random.stateless_normal([4, 4, 3], [1, 2])
  penalty = regularizers.r1_penalty(
      lambda x: tf.reshape(tf.reduce_sum(x * w, axis=[1, 2, 3]), [-1, 1]),
      tf.random.stateless_normal([5, 4, 4, 3], [3, 4]))
  assert penalty.shape == (5,)
  np.testing.assert_allclose(
      penalty, np.full([5], 0.5 * np.sum(np.square(w))), rtol=1e-5)


def test_r1_of_a_quadratic_discriminator_and_its_gradient():
  # D(x) = a/2 sum x^2, so R1 = a^2/2 sum x^2 and dR1/da = a sum x^2.
  a = tf.Variable(3.0)
  x = tf.random.stateless_normal([2, 3, 3, 1], [1, 1])

  @tf.function
  def step():
    with tf.GradientTape() as tape:
      penalty = regularizers.r1_penalty(
          lambda x: 0.5 * a * tf.reduce_sum(
              tf.square(x), axis=[1, 2, 3])[:, tf.newaxis], x)
      total = tf.reduce_sum(penalty)
    return penalty, tape.gradient(total, a)

  penalty, gradient = step()
  energy = np.sum(np.square(x), axis=(1, 2, 3))
  np.testing.assert_allclose(penalty, 4.5 * energy, rtol=1e-5)
  np.testing.assert_allclose(gradient, 3.0 * energy.sum(), rtol=1e-5)


def test_r1_refuses_other_inputs():
  with pytest.raises(ValueError, match='image_high must have shape'):
    regularizers.r1_penalty(lambda x: x, tf.zeros([2, 3]))
  with pytest.raises(ValueError, match='image_high must be floating point'):
    regularizers.r1_penalty(lambda x: x, tf.zeros([1, 2, 2, 3], tf.uint8))


def test_weight_distance_by_hand():
  variables = [tf.Variable([1.0, 2.0]), tf.Variable([[3.0]])]
  anchors = [tf.Variable([0.0, 4.0]), tf.Variable([[0.0]])]
  # 1 + 4 + 9 over three entries.
  assert regularizers.weight_distance(
      variables, anchors).numpy() == pytest.approx(14.0)
  assert regularizers.weight_distance(
      variables, anchors, 'mean').numpy() == pytest.approx(14.0 / 3.0)


def test_weight_distance_pulls_towards_the_anchor():
  variable = tf.Variable([1.0, -2.0])
  with tf.GradientTape() as tape:
    distance = regularizers.weight_distance([variable], [tf.zeros([2])])
  np.testing.assert_allclose(tape.gradient(distance, variable), [2.0, -4.0])


def test_weight_distance_refuses_mismatches():
  variable = tf.Variable([1.0])
  with pytest.raises(ValueError, match='equally long'):
    regularizers.weight_distance([variable], [])
  with pytest.raises(ValueError, match='anchor must have shape'):
    regularizers.weight_distance([variable], [tf.zeros([2])])
  with pytest.raises(ValueError, match="'sum' or 'mean'"):
    regularizers.weight_distance([variable], [tf.zeros([1])], 'max')
