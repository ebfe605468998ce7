"""Tests of earsr_tf.stages.wavelet_srnet: terms by NumPy, averages, weights."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from earsr_tf import presets
from earsr_tf.data import keys
from earsr_tf.ops import haar
from earsr_tf.stages import wavelet_srnet
from tests import fakes
from tests.stages import equations


def _packet(image: np.ndarray) -> np.ndarray:
  """[B, 16, 16, 3] -> [B, 4, 4, 16, 3], filter by filter."""
  filters = haar.packet_filters(2)
  blocks = image.reshape(len(image), 4, 4, 4, 4, 3)
  return np.einsum('bhywxc,kyx->bhwkc', blocks, filters)


def test_terms_are_those_of_the_paper() -> None:
  networks, batch = fakes.stage('wavelet_srnet').build(), fakes.batch(3)
  found = equations.terms('wavelet_srnet', networks, batch)
  x = 0.5 * batch[keys.IMAGE_HIGH].numpy().astype(np.float64) + 0.5
  low = 0.5 * equations.low(2 * x - 1) + 0.5
  network = networks['wavelet_srnet']
  predicted = network.in_training(tf.constant(low, tf.float32))[0]
  image = network.image(predicted).numpy()
  predicted = predicted.numpy().reshape(3, 4, 4, 16, 3).astype(np.float64)
  target = _packet(x)
  squares = 0.5 * np.square(predicted - target)
  energy = [np.square(v[..., 1:, :]).sum(-1) for v in (predicted, target)]
  weights = sum(float(np.square(v).sum()) for v in network.trainable_variables)
  for name, wanted in (
      ('mean', squares[..., :1, :].sum((1, 2, 3, 4))),
      ('detail', squares[..., 1:, :].sum((1, 2, 3, 4))),
      ('image', 0.5 * np.square(image - x).sum((1, 2, 3))),
      ('texture', np.maximum(
          1.2 * energy[1] - energy[0], 0.0).mean((1, 2, 3))),
      ('weight_decay', np.full(3, 0.5 * weights))):
    np.testing.assert_allclose(found[name], wanted, rtol=2e-4, err_msg=name)
  # Parseval: the image's error is that of its coefficients.
  np.testing.assert_allclose(
      found['image'], found['mean'] + found['detail'], rtol=1e-4)


def test_weights_and_schedule_are_the_authors() -> None:
  stage = fakes.stage('wavelet_srnet', presets.get('paper'))
  assert stage.updates[0].weights == {
      'detail': 0.99, 'mean': 0.01, 'image': 0.1, 'texture': 1.0,
      'weight_decay': 5e-4}
  (phase,) = stage.phases
  assert (phase.images, phase.batch_size, phase.learning_rate) == (
      500 * 162_770, 64, 2e-4)
  assert (stage.adam['main'].beta_1, stage.adam['main'].beta_2) == (0.9, 0.999)
  assert stage.normalizes_batch


def test_right_coefficients_make_the_face() -> None:
  network = fakes.stage('wavelet_srnet').build()['wavelet_srnet']
  x = fakes.batch(2)[keys.IMAGE_HIGH]
  network._predict = lambda *_: haar.decompose(0.5 * x + 0.5, 2)
  found = wavelet_srnet.super_resolve(network, tf.zeros([2, 4, 4, 3]))
  np.testing.assert_allclose(found, x, atol=1e-5)
