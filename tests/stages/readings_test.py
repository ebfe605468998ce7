"""What the paper leaves open: each reading does what its field says."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf.data import keys
from earsr_tf.stages import fusion
from earsr_tf.stages import invert
from earsr_tf.stages import low_res
from tests import fakes
from tests.stages import equations

_terms = equations.terms
_unit = equations.unit
_l1 = equations.l1
_degrade = equations.degrade
_low = equations.low


def _with(part: str, **changes: object) -> config_lib.Config:
  """The small configuration with one section changed."""
  config = fakes.small_config()
  return dataclasses.replace(config, **{
      part: dataclasses.replace(getattr(config, part), **changes)})


@pytest.mark.parametrize('name, sizes', [
    ('invert', {'l1': 16 * 16 * 3}), ('low_res', {
        'code_l1': 6 * 8, 'low_res_l1': 4 * 4 * 3}),
    ('audio', {'code_l1': 6 * 8}),
    ('fusion', {'code_l1': 6 * 8, 'low_res_l1': 4 * 4 * 3})])
def test_l1_is_a_mean_or_a_sum_as_configured(
    name: str, sizes: dict[str, int], networks, batch) -> None:
  means = _terms(name, networks, batch)
  sums = _terms(name, networks, batch, _with(name, l1_reduction='sum'))
  for term, size in sizes.items():
    np.testing.assert_allclose(sums[term], size * means[term], rtol=1e-4)


def test_distance_and_reduction_of_features_are_configured(
    networks, batch) -> None:
  x = batch[keys.IMAGE_HIGH]
  x_hat = networks['generator'](invert.encode(networks, x, 'unit'))
  pairs = list(zip(networks['features'](x_hat), networks['features'](x)))
  terms = _terms('invert', networks, batch, _with(
      'invert', feature_distance='l2', feature_reduction='sum'))
  expected = sum(np.square(a.numpy() - b.numpy()).sum(axis=(1, 2, 3))
                 for a, b in pairs)
  np.testing.assert_allclose(terms['feature'], expected, rtol=1e-3)


def test_eq_2_can_leave_the_mapping_network_alone() -> None:
  for tunes in (True, False):
    stage = fakes.stage('finetune', _with('finetune', tunes_mapping=tunes))
    made = stage.build()
    tuned = {id(v) for v in made['generator'].trainable_variables}
    mapping = {id(v) for v in made['generator'].mapping.variables}
    assert (mapping <= tuned) == tunes
    assert bool(mapping & tuned) == tunes
    terms = stage.updates[0].terms(made, fakes.batch(2), fakes.clock())
    assert np.all(np.isfinite(terms['weight_distance']))


def test_table_1_f_trains_without_voices(networks, batch) -> None:
  config = _with('fusion', zero_audio=True)
  x_low = tf.constant(_low(batch[keys.IMAGE_HIGH]), tf.float32)
  z_low = low_res.encode(networks, x_low, 'unit')
  fused = fusion.fuse(config, networks, x_low, batch[keys.WAVEFORM])
  np.testing.assert_allclose(fused, _unit(networks['fusion'](
      z_low, tf.zeros_like(z_low))), rtol=1e-3, atol=1e-5)


def test_stretched_contrast_is_what_e_l_sees_and_is_compared_with(
    networks, batch) -> None:
  config = _with('model', low_res_stretch=True)
  x = 0.3 * batch[keys.IMAGE_HIGH]
  levels = x.numpy()
  low, high = (f(levels, axis=(1, 2, 3), keepdims=True)
               for f in (np.min, np.max))
  stretched = np.floor((levels - low) / (high - low) * 255 + 0.5) / 127.5 - 1
  x_low = low_res.image_low(config, x)
  np.testing.assert_allclose(x_low, _low(stretched), atol=1.01 / 127.5)
  assert np.abs(x_low - _low(x)).max() > 0.1
  terms = _terms('low_res', networks, {keys.IMAGE_HIGH: x}, config)
  image = networks['generator'](low_res.encode(networks, x_low, 'unit'))
  np.testing.assert_allclose(
      terms['low_res_l1'], _l1(_degrade(image, 4), x_low), rtol=1e-4)
