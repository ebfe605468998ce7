"""Tests of earsr_tf.stages.lapsrn: inputs, terms by NumPy, schedules."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf import presets
from earsr_tf.data import keys
from earsr_tf.ops import resample
from earsr_tf.stages import lapsrn
from earsr_tf.stages import stage as stage_lib
from tests import fakes
from tests.stages import equations


def _luma(image: object) -> np.ndarray:
  rgb = 0.5 * np.asarray(image, np.float64) + 0.5
  return (16.0 + rgb @ [65.481, 128.553, 24.966])[..., np.newaxis] / 255.0


def test_terms_are_those_of_the_paper() -> None:
  networks, batch = fakes.stage('lapsrn').build(), fakes.batch(3)
  network = networks['lapsrn']
  found = equations.terms('lapsrn', networks, batch)
  assert set(found) == {'charbonnier_8', 'charbonnier_16', 'weight_decay'}
  x = batch[keys.IMAGE_HIGH].numpy()
  outputs = network(tf.constant(_luma(equations.low(x)), tf.float32))
  for output, target in zip(outputs, (equations.degrade(x, 8), x)):
    wanted = np.sqrt(
        (output.numpy() - _luma(target)) ** 2 + 1e-6).sum((1, 2, 3))
    np.testing.assert_allclose(
        found[f'charbonnier_{output.shape[1]}'], wanted, rtol=1e-4)
  squares = sum(float(np.square(v).sum()) for v in network.decayed())
  np.testing.assert_allclose(
      found['weight_decay'], np.full(3, 0.5 * squares), rtol=1e-5)


def test_4x_sees_more_of_the_face() -> None:
  config = presets.get('tiny')
  x = fakes.batch(1, image_size=128)[keys.IMAGE_HIGH]
  low = lapsrn.image_low(config, 'lapsrn_x4', x)
  assert low.shape == [1, 32, 32, 3]
  wanted = np.round((equations.degrade(x, 32) + 1) * 127.5)
  np.testing.assert_allclose(
      (low + 1) * 127.5, np.clip(wanted, 0, 255), atol=1.0)
  assert lapsrn.image_low(config, 'lapsrn', x).shape == [1, 8, 8, 3]


def test_a_zero_residual_is_smooth_interpolation_in_colour() -> None:
  network = fakes.stage('lapsrn').build()['lapsrn']
  network.first.kernel.assign(tf.zeros_like(network.first.kernel))
  x = tf.image.resize(fakes.batch(2)[keys.IMAGE_HIGH][:, :2, :2], [4, 4])
  found = lapsrn.super_resolve(network, x).numpy()[:, 4:-4, 4:-4]
  smooth = resample.resize_bicubic(x, 16, 16).numpy()[:, 4:-4, 4:-4]
  assert np.abs(found - smooth).max() < 0.1 < np.abs(smooth).max()


@pytest.mark.parametrize('name, depth, levels', [
    ('lapsrn', 5, 4), ('lapsrn_x4', 10, 2)])
def test_paper_has_the_authors_schedule(
    name: str, depth: int, levels: int) -> None:
  config = presets.get('paper')
  stage = fakes.stage(name, config)
  assert stage.adam == {'main': stage_lib.SgdConfig(momentum=0.9)}
  rates = [phase.learning_rate for phase in stage.phases]
  assert rates == [1e-5, 5e-6, 2.5e-6, 1.25e-6, 1e-6]
  # 50 epochs of 100 batches of 64 each, 1,000 epochs in all.
  assert [p.images for p in stage.phases[:4]] == [50 * 100 * 64] * 4
  assert sum(p.images for p in stage.phases) == 1000 * 100 * 64
  weights = stage.updates[0].weights
  assert weights['weight_decay'] == 5e-4 and weights['charbonnier_128'] == 1.0
  assert len(weights) == levels + 1
  assert getattr(config, name).depth == depth
  assert stage.inputs == (keys.IMAGE_HIGH,) and stage.mirror
