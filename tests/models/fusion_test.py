"""Tests of models/fusion.py."""

from __future__ import annotations

import numpy as np
import pytest

from earsr_tf.models import fusion


def _normal(seed: int) -> np.ndarray:
  return np.random.RandomState(seed).normal(size=[5, 2, 3]).astype(np.float32)


@pytest.mark.parametrize('num_layers', [1, 3])
def test_equals_numpy(num_layers):
  network = fusion.Fusion(
      num_styles=2, latent_dim=3, hidden=7, num_layers=num_layers)
  low, audio = _normal(0), _normal(1)
  x = np.concatenate([low.reshape(5, 6), audio.reshape(5, 6)], axis=1)
  for index, layer in enumerate(network.dense_layers):
    layer.bias.assign(np.random.RandomState(index).normal(
        size=layer.bias.shape))
    x = x @ layer.kernel.numpy() + layer.bias.numpy()
    if index < num_layers - 1:
      x = np.where(x > 0, x, 0.2 * x)
  np.testing.assert_allclose(
      network(low, audio), low + x.reshape(5, 2, 3), atol=1e-5)
  assert len(network.dense_layers) == num_layers


def test_zero_weights_pass_the_low_res_code():
  network = fusion.Fusion(
      num_styles=2, latent_dim=3, hidden=7, last_initializer='zeros')
  np.testing.assert_array_equal(network(_normal(0), _normal(1)), _normal(0))


def test_without_residual_the_low_res_code_is_not_added():
  options = dict(num_styles=2, latent_dim=3, hidden=7, num_layers=1)
  bare = fusion.Fusion(has_residual=False, **options)
  full = fusion.Fusion(**options)
  full.set_weights(bare.get_weights())
  np.testing.assert_allclose(
      bare(_normal(0), _normal(1)) + _normal(0),
      full(_normal(0), _normal(1)), atol=1e-6)


def test_refuses_bad_codes():
  network = fusion.Fusion(num_styles=2, latent_dim=3, hidden=7)
  with pytest.raises(ValueError, match='code_audio must have shape'):
    network(_normal(0), _normal(1)[:, :1])
  with pytest.raises(ValueError, match='must be positive; got 0'):
    fusion.Fusion(num_layers=0)
