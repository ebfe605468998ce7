"""Scores of predicted attributes."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from earsr_tf.evaluation import attributes


def _fake_classifier(image: tf.Tensor) -> dict[str, tf.Tensor]:
  """Bright images are men of speaker 1 aged 50, dark ones women of 0."""
  bright = tf.cast(tf.reduce_mean(image, axis=[1, 2, 3]) > 0, tf.float32)
  logits = tf.stack([1.0 - bright, bright], axis=1)
  return {'speaker_logits': logits, 'gender_logits': logits,
          'age': 30.0 + 20.0 * bright}


def test_classify_feeds_the_range_of_training() -> None:
  image = np.stack([np.full([4, 4, 3], level, np.uint8)
                    for level in (127, 128)])  # just below and above 0
  result = attributes.classify(_fake_classifier, image)
  np.testing.assert_array_equal(result.gender, [0, 1])
  np.testing.assert_array_equal(result.speaker, [0, 1])
  np.testing.assert_array_equal(result.age, [30.0, 50.0])


def test_score_leaves_unknown_labels_out() -> None:
  output = attributes.Predictions(
      np.array([0, 1, 2]), np.array([0, 1, 1]), np.array([30.0, 40.0, 50.0]))
  original = attributes.Predictions(
      np.array([0, 1, 1]), np.array([0, 0, 1]), np.array([33.0, 40.0, 44.0]))
  labels = attributes.Labels(
      np.array([0, 0, -1]), np.array([0, 0, -1]),
      np.array([31.0, np.nan, 50.0]))
  scores = attributes.score(output, original, labels)
  np.testing.assert_array_equal(scores['gender_correct'], [1, 0, np.nan])
  np.testing.assert_array_equal(scores['identity_correct'], [1, 0, np.nan])
  np.testing.assert_array_equal(scores['age_error'], [3, 0, 6])
  np.testing.assert_array_equal(scores['age_error_true'], [1, np.nan, 0])
