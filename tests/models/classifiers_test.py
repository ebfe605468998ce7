"""Tests of models/classifiers.py."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.models import classifiers


def _network() -> classifiers.AttributeClassifier:
  tf.keras.utils.set_random_seed(0)
  return classifiers.AttributeClassifier(
      image_size=32, filters=4, num_speakers=7)


def test_heads_have_the_promised_shapes():
  outputs = _network()(tf.zeros([5, 32, 32, 3]))
  assert {k: v.shape.as_list() for k, v in outputs.items()} == {
      'features': [5, 32], 'speaker_logits': [5, 7], 'gender_logits': [5, 2],
      'age': [5]}


def test_age_starts_near_forty_years():
  age = _network()(tf.random.stateless_normal([64, 32, 32, 3], [1, 2]))['age']
  assert 20.0 < np.mean(age) < 60.0


def test_learns_two_kinds_of_images():
  network = _network()
  label = tf.constant([0, 1] * 4)
  stripes = tf.sin(tf.range(32, dtype=tf.float32))[tf.newaxis, :]
  across = tf.tile(stripes, [32, 1])
  kinds = tf.stack([across, tf.transpose(across)])
  image = tf.tile(tf.gather(kinds, label)[..., tf.newaxis], [1, 1, 1, 3])
  optimizer = tf.keras.optimizers.Adam(1e-2)

  @tf.function
  def step() -> tf.Tensor:
    with tf.GradientTape() as tape:
      logits = network(image)['gender_logits']
      loss = tf.reduce_mean(
          tf.nn.sparse_softmax_cross_entropy_with_logits(label, logits))
    gradients = tape.gradient(
        loss, network.trainable_variables, unconnected_gradients='zero')
    optimizer.apply_gradients(zip(gradients, network.trainable_variables))
    return loss

  losses = [step().numpy() for _ in range(20)]
  assert losses[-1] < 0.05 < losses[0]


def test_speakers_are_cosines_of_features_times_sixteen():
  network = _network()
  outputs = network(tf.random.stateless_normal([3, 32, 32, 3], [1, 2]))
  np.testing.assert_allclose(
      np.linalg.norm(outputs['features'], axis=1), 1.0, rtol=1e-5)
  heads = network.speaker_head.numpy()
  heads = heads / np.linalg.norm(heads, axis=0)
  np.testing.assert_allclose(
      outputs['speaker_logits'], 16.0 * outputs['features'].numpy() @ heads,
      atol=1e-4)


def test_a_smaller_side_sees_the_reduced_image():
  tf.keras.utils.set_random_seed(0)
  network = classifiers.AttributeClassifier(
      image_size=32, side=8, use_norm=False, filters=4, num_speakers=2)
  image = tf.random.stateless_normal([2, 32, 32, 3], [1, 2])
  small = image.numpy().reshape(2, 8, 4, 8, 4, 3).mean((2, 4))
  whole, reduced = network(image), network(tf.constant(small))
  np.testing.assert_allclose(
      whole['features'], reduced['features'], atol=1e-5)
  assert len(network.blocks) == 1 and network.blocks[0].norm is None


def test_refuses_bad_sizes():
  with pytest.raises(ValueError, match='power of two >= 8; got 48'):
    classifiers.AttributeClassifier(image_size=48, num_speakers=2)
  with pytest.raises(ValueError, match='32 is no multiple of side 64'):
    classifiers.AttributeClassifier(image_size=32, side=64, num_speakers=2)
  with pytest.raises(ValueError, match='positive; got 0'):
    classifiers.AttributeClassifier(num_speakers=0)
