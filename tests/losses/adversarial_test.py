"""Tests of losses/adversarial.py."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.losses import adversarial


def test_generator_by_hand():
  loss = adversarial.logistic_generator(tf.constant([[0.0], [2.0], [-90.0]]))
  assert loss.shape == (3,) and loss.dtype == tf.float32
  np.testing.assert_allclose(
      loss, [np.log(2.0), np.log1p(np.exp(-2.0)), 90.0], rtol=1e-6)


def test_discriminator_by_hand():
  loss = adversarial.logistic_discriminator(
      tf.constant([[0.0], [3.0]]), tf.constant([[0.0], [-1.0]]))
  np.testing.assert_allclose(
      loss, [2 * np.log(2.0), np.log1p(np.exp(-3.0)) + np.log1p(np.exp(-1.0))],
      rtol=1e-6)


def test_gradient_is_the_sigmoid():
  logits = tf.constant([[0.5]])
  with tf.GradientTape() as tape:
    tape.watch(logits)
    loss = adversarial.logistic_generator(logits)
  # d/dx log(1 + e^-x) = -1 / (1 + e^x).
  np.testing.assert_allclose(
      tape.gradient(loss, logits), [[-1.0 / (1.0 + np.exp(0.5))]], rtol=1e-6)


def test_refuses_other_shapes():
  with pytest.raises(ValueError, match=r'fake_logits must have shape \[any, 1'):
    adversarial.logistic_generator(tf.zeros([3]))
  with pytest.raises(ValueError, match=r'\[3, 1\]; got \[2, 1\]'):
    adversarial.logistic_discriminator(tf.zeros([3, 1]), tf.zeros([2, 1]))
