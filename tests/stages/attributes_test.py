"""The classifiers of the evaluation: terms against NumPy."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.data import keys
from earsr_tf.stages import attributes
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


def _reduced(image: np.ndarray, factor: int) -> np.ndarray:
  """Box-reduced, then bilinear with pixel centres at halves, by hand."""
  size = len(image)
  small = image.reshape(
      size // factor, factor, size // factor, factor, -1).mean((1, 3))
  at = np.clip((np.arange(size) + 0.5) / factor - 0.5, 0, len(small) - 1)
  low = np.floor(at).astype(int)
  high = np.minimum(low + 1, len(small) - 1)
  share = at - low
  rows = (small[low] * (1 - share)[:, None, None]
          + small[high] * share[:, None, None])
  return (rows[:, low] * (1 - share)[None, :, None]
          + rows[:, high] * share[None, :, None])


def test_each_image_is_softened_by_its_own_level() -> None:
  image = np.random.default_rng(1).uniform(-1, 1, [3, 16, 16, 3])
  soft = attributes.soften(
      tf.constant(image, tf.float32), tf.constant([0, 2, 1]), 3).numpy()
  np.testing.assert_allclose(soft[0], image[0], atol=1e-6)
  np.testing.assert_allclose(soft[1], _reduced(image[1], 4), atol=1e-5)
  np.testing.assert_allclose(soft[2], _reduced(image[2], 2), atol=1e-5)


def test_softening_does_not_depend_on_the_replica(networks) -> None:
  config = fakes.small_config()
  config = dataclasses.replace(config, attributes=dataclasses.replace(
      config.attributes, max_softening=8, jitter=0.1))
  terms = attributes.stage(config).updates[0].terms
  batch, clock = dict(fakes.batch(4)), fakes.clock()
  whole = terms(networks, batch, clock)
  parts = [terms(networks, {k: v[i:i + 2] for k, v in batch.items()}, clock)
           for i in (0, 2)]
  for name, value in whole.items():
    np.testing.assert_allclose(
        value, np.concatenate([p[name] for p in parts]), rtol=1e-4)
  plain = fakes.stage('attributes').updates[0].terms(networks, batch, clock)
  assert np.abs(whole['gender'] - plain['gender']).max() > 1e-4


def test_held_out_images_are_no_part_of_the_loss(networks) -> None:
  batch = dict(fakes.batch(4))
  terms = fakes.stage('attributes').updates[0].terms
  plain = terms(networks, batch, fakes.clock())
  batch[keys.HELD_OUT] = tf.constant([False, True, False, True])
  masked = terms(networks, batch, fakes.clock())
  for name, term in masked.items():
    np.testing.assert_allclose(
        term, plain[name].numpy() * [1, 0, 1, 0], rtol=1e-5)
    assert plain[name][1] > 0


def test_the_accuracy_of_held_out_images_alone_is_watched(networks) -> None:
  stage, batch = fakes.stage('attributes'), dict(fakes.batch(8))
  assert stage.observe(networks, batch, fakes.clock()) == {}
  is_held_out = np.arange(8) % 4 != 0
  batch[keys.HELD_OUT] = tf.constant(is_held_out)
  said = networks['classifier'](batch[keys.IMAGE_HIGH])
  found = stage.observe(networks, batch, fakes.clock())
  for name in ('speaker', 'gender'):
    right = np.argmax(said[f'{name}_logits'], 1) == batch[name].numpy()
    assert float(found[f'held_out/{name}']) == pytest.approx(
        right[is_held_out].mean())


def test_jitter_of_zero_is_a_reduction_by_box() -> None:
  image = np.random.default_rng(1).uniform(-1, 1, [2, 32, 32, 3])
  image = tf.constant(image, tf.float32)
  small = attributes.jitter(image, tf.zeros([2, 11]), 0.1, 8)
  np.testing.assert_allclose(
      small, image.numpy().reshape(2, 8, 4, 8, 4, 3).mean((2, 4)), atol=1e-5)


def test_jitter_moves_and_colours() -> None:
  image = np.random.default_rng(1).uniform(-1, 1, [1, 16, 16, 3])
  image = tf.constant(image, tf.float32)
  draws = np.zeros([1, 11], np.float32)
  draws[0, 1] = 1.0  # by 1/8 of 16 pixels: 2
  moved = attributes.jitter(image, tf.constant(draws), 0.125, 16)
  np.testing.assert_allclose(
      moved[:, :, :14], image[:, :, 2:], atol=1e-5)
  draws = np.zeros([1, 11], np.float32)
  draws[0, [3, 4, 5, 10]] = 1.0, -1.0, 1.0, 1.0
  lit = attributes.jitter(image, tf.constant(draws), 0.1, 16)
  for colour, gain, offset in ((0, 1.2 * 1.1, -0.2), (1, 1.2, -0.2),
                               (2, 1.2, -0.1)):
    np.testing.assert_allclose(
        lit[..., colour], gain * image[..., colour] + offset, atol=1e-5)


def test_the_open_set_is_never_trained_on() -> None:
  stage = fakes.stage('attributes')
  assert stage.splits == ('d_pre', 'd_rest')
  assert stage.mirror and not stage.restores
