"""The classifiers of the evaluation: terms against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.data import keys
from tests import fakes


@pytest.fixture(name='networks', scope='module')
def _networks() -> dict[str, tf.keras.Model]:
  tf.keras.utils.set_random_seed(3)
  return fakes.stage('attributes').build()


def _cross_entropy(logits: np.ndarray, labels: list[int]) -> np.ndarray:
  logits = np.asarray(logits, np.float64)
  shifted = logits - logits.max(axis=1, keepdims=True)
  log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
  return -log_p[np.arange(len(labels)), labels]


def test_cross_entropies_and_the_age_error_in_decades(networks) -> None:
  batch = dict(fakes.batch(4))
  output = networks['classifier'](batch[keys.IMAGE_HIGH])
  terms = fakes.stage('attributes').updates[0].terms(
      networks, batch, fakes.clock())
  np.testing.assert_allclose(
      terms['speaker'],
      _cross_entropy(output['speaker_logits'], [0, 1, 2, 0]), rtol=1e-4)
  np.testing.assert_allclose(
      terms['gender'],
      _cross_entropy(output['gender_logits'], [0, 1, 0, 1]), rtol=1e-4)
  np.testing.assert_allclose(
      terms['age'],
      np.abs(output['age'].numpy() - [20, 21, 22, 23]) / 10, rtol=1e-4)


def test_unknown_labels_do_not_count(networks) -> None:
  batch = dict(fakes.batch(4))
  batch[keys.GENDER] = tf.constant([0, -1, 1, -1])
  batch[keys.SPEAKER] = tf.constant([-1, 1, 2, 0])
  batch[keys.AGE] = tf.constant([30.0, float('nan'), 30.0, 30.0])
  update = fakes.stage('attributes').updates[0]
  with tf.GradientTape() as tape:
    terms = update.terms(networks, batch, fakes.clock())
    total = tf.add_n([tf.reduce_mean(t) for t in terms.values()])
  zero = {k: [i for i, v in enumerate(t.numpy()) if v == 0]
          for k, t in terms.items()}
  assert zero == {'speaker': [0], 'gender': [1, 3], 'age': [1]}
  for gradient in tape.gradient(
      total, networks['classifier'].trainable_variables):
    assert np.all(np.isfinite(gradient))


def test_open_set_speakers_are_known_from_their_gallery() -> None:
  stage = fakes.stage('attributes')
  assert stage.splits == ('d_pre', 'd_rest', 'open_gallery')
  assert stage.mirror and not stage.restores
