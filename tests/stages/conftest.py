"""Networks and a batch that all tests of the equations share."""

from __future__ import annotations

import pytest
import tensorflow as tf

from tests import fakes

_STAGES = ('invert', 'finetune', 'low_res', 'audio', 'fusion')


@pytest.fixture(name='batch', scope='module')
def _batch() -> dict[str, tf.Tensor]:
  return fakes.batch(4)


@pytest.fixture(name='networks', scope='module')
def _networks() -> dict[str, tf.keras.Model]:
  """One network of each kind, shared by all equations."""
  config = fakes.small_config()
  tf.keras.utils.set_random_seed(3)
  found: dict[str, tf.keras.Model] = {}
  for name in _STAGES:
    for network, model in fakes.stage(name, config).build().items():
      found.setdefault(network, model)
  # The codes of fresh encoders are so short that epsilons would matter.
  for name in ('image_encoder', 'low_res_encoder', 'audio_encoder'):
    for variable in found[name].head.trainable_variables:
      variable.assign(tf.random.stateless_normal(variable.shape, [3, 4]))
  # G starts as a grey square: a fresh 'skip' ToRGB is zero above 8x8.
  for layer in found['generator'].synthesis.to_rgbs:
    kernel = layer.trainable_variables[0]
    kernel.assign(tf.random.stateless_normal(kernel.shape, [1, 2]))
  return found
