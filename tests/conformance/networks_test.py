"""What every network must do, small; and the parameter counts at paper size.

Shape, type, unknown batch, eager = graph, variables complete on construction,
checkpoint and SavedModel round trips.
"""

from __future__ import annotations

import dataclasses
from typing import Callable

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf import config
from earsr_tf.models import features
from earsr_tf.stages import networks

_SMALL = config.ModelConfig(
    image_size=32, latent_dim=8, mapping_layers=2, fmap_base=64, fmap_max=8,
    stddev_group=2, image_encoder_filters=4, image_encoder_max_filters=8,
    low_res_filters=4, low_res_max_filters=8, low_res_hidden=8,
    audio_filters=2, audio_max_filters=4, audio_hidden=8, fusion_hidden=8,
    classifier_filters=4)
_CODE = (8, 8)
_IMAGE = (32, 32, 3)


@dataclasses.dataclass(frozen=True)
class Case:
  """A network, its inputs and outputs without batch axes."""
  build: Callable[[config.ModelConfig], tf.keras.Model]
  inputs: tuple[tuple[int, ...], ...]
  outputs: tuple[tuple[int, ...], ...]


def _skip_generator(m: config.ModelConfig) -> tf.keras.Model:
  return networks.generator(dataclasses.replace(m, rgb_output='skip'))


def _bare_low_res_encoder(m: config.ModelConfig) -> tf.keras.Model:
  return networks.low_res_encoder(dataclasses.replace(m, low_res_norm='none'))


def _single_fusion(m: config.ModelConfig) -> tf.keras.Model:
  return networks.fusion(dataclasses.replace(m, fusion_layers=1))


def _classifier(m: config.ModelConfig) -> tf.keras.Model:
  return networks.classifier(m, 5)


def _discriminator_features(m: config.ModelConfig) -> tf.keras.Model:
  return features.DiscriminatorFeatures(
      discriminator=networks.discriminator(m), resolution=16)


def _based(build: Callable[[config.ModelConfig], tf.keras.Model]
           ) -> Callable[[config.ModelConfig], tf.keras.Model]:
  """The same with a linear base, or a linear path."""
  return lambda m: build(dataclasses.replace(
      m, linear_base=16, linear_leading=4, rgb_output='skip'))


CASES = {
    'generator': Case(networks.generator, (_CODE,), (_IMAGE,)),
    'generator_skip': Case(_skip_generator, (_CODE,), (_IMAGE,)),
    'mapping': Case(
        lambda m: networks.generator(m).mapping, ((8,),), ((8,),)),
    'synthesis': Case(
        lambda m: networks.generator(m).synthesis, (_CODE,), (_IMAGE,)),
    'discriminator': Case(networks.discriminator, (_IMAGE,), ((1,),)),
    'image_encoder': Case(networks.image_encoder, (_IMAGE,), (_CODE,)),
    'low_res_encoder': Case(
        networks.low_res_encoder, ((8, 8, 3),), (_CODE,)),
    'low_res_encoder_none': Case(
        _bare_low_res_encoder, ((8, 8, 3),), (_CODE,)),
    'audio_encoder': Case(
        networks.audio_encoder, ((257, 257, 1),), (_CODE,)),
    'fusion': Case(networks.fusion, (_CODE, _CODE), (_CODE,)),
    'fusion_1': Case(_single_fusion, (_CODE, _CODE), (_CODE,)),
    'generator_base': Case(_based(networks.generator), (_CODE,), (_IMAGE,)),
    'image_encoder_base': Case(
        _based(networks.image_encoder), (_IMAGE,), (_CODE,)),
    'low_res_encoder_base': Case(
        _based(networks.low_res_encoder), ((8, 8, 3),), (_CODE,)),
    'audio_encoder_base': Case(
        _based(networks.audio_encoder), ((257, 257, 1),), (_CODE,)),
    'fusion_base': Case(_based(networks.fusion), (_CODE, _CODE), (_CODE,)),
    'classifier': Case(_classifier, (_IMAGE,), ((), (2,), (5,), (32,))),
    'discriminator_features': Case(
        _discriminator_features, (_IMAGE,), ((8, 8, 8), (4, 4, 8))),
}

# Trainable weights at preset `paper`; facts of the paper and its code.
PAPER_COUNTS = {
    'generator': (networks.generator, 25_843_858),
    'mapping': (lambda m: networks.generator(m).mapping, 2_101_248),
    'synthesis': (
        lambda m: networks.generator(m).synthesis, 23_735_296 + 7_314),
    'discriminator': (networks.discriminator, 22_941_313),
    'image_encoder': (networks.image_encoder, 167_662_144),
    'low_res_encoder': (networks.low_res_encoder, 88_744_192),
    'audio_encoder': (networks.audio_encoder, 402_613_120),
    'fusion': (networks.fusion, 151_013_376),
}


def _inputs(case: Case, batch: int) -> list[tf.Tensor]:
  return [tf.random.stateless_uniform([batch, *shape], [i, 1], -1.0, 1.0)
          for i, shape in enumerate(case.inputs)]


def _flat(outputs) -> list[tf.Tensor]:
  return tf.nest.flatten(outputs)


@pytest.fixture(name='case', params=list(CASES))
def fixture_case(request) -> Case:
  tf.keras.utils.set_random_seed(1)
  return CASES[request.param]


def test_graph_with_unknown_batch_equals_eager(case):
  model = case.build(_SMALL)
  traced = tf.function(model, input_signature=[
      tf.TensorSpec([None, *shape]) for shape in case.inputs])
  for batch in (2, 4):
    inputs = _inputs(case, batch)
    eager, graph = _flat(model(*inputs)), _flat(traced(*inputs))
    shapes = sorted(tuple(x.shape) for x in eager)
    assert shapes == sorted((batch, *shape) for shape in case.outputs)
    assert all(x.dtype == tf.float32 for x in eager)
    for a, b in zip(eager, graph, strict=True):
      assert np.isfinite(a).all()
      np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


def test_variables_are_complete_on_construction(case):
  model = case.build(_SMALL)
  before = [v.name for v in model.variables]
  assert model.built and before
  with tf.GradientTape() as tape:
    outputs = _flat(model(*_inputs(case, 2)))
    loss = tf.add_n([tf.reduce_sum(tf.square(x)) for x in outputs])
  assert [v.name for v in model.variables] == before
  unused = [
      v.name for v, g in zip(
          model.trainable_variables,
          tape.gradient(loss, model.trainable_variables)) if g is None]
  # Noise is off at inference; 'fade' leaves all ToRGB / FromRGB but one idle.
  assert not [n for n in unused if 'strength' not in n and 'rgb' not in n
              and n != 'kernel:0' and n != 'bias:0'], unused


def test_checkpoint_restores_every_weight(case, tmp_path):
  model = case.build(_SMALL)
  path = tf.train.Checkpoint(network=model).write(str(tmp_path / 'weights'))
  tf.keras.utils.set_random_seed(2)
  other = case.build(_SMALL)
  tf.train.Checkpoint(network=other).read(path).assert_consumed()
  for a, b in zip(model.variables, other.variables, strict=True):
    np.testing.assert_array_equal(a, b)
  stored = [name for name, _ in tf.train.list_variables(path)
            if name.endswith('VARIABLE_VALUE')]
  assert len(stored) == len(model.variables)


def test_saved_model_gives_the_same(case, tmp_path):
  model = case.build(_SMALL)
  serve = tf.function(
      lambda *args: dict(enumerate_outputs(model(*args))), input_signature=[
          tf.TensorSpec([None, *shape]) for shape in case.inputs])
  # As in serving: variables only, or Keras would trace every layer again.
  module = tf.Module()
  module.weights = list(model.variables)
  module.serve = serve
  tf.saved_model.save(module, str(tmp_path))
  loaded = tf.saved_model.load(str(tmp_path))
  inputs = _inputs(case, 2)
  expected = dict(enumerate_outputs(model(*inputs)))
  for name, value in loaded.serve(*inputs).items():
    np.testing.assert_allclose(
        value, expected[name], rtol=1e-4, atol=1e-4)


def enumerate_outputs(outputs) -> list[tuple[str, tf.Tensor]]:
  """Names the outputs of a network for a SavedModel."""
  return [(f'output_{i}', x) for i, x in enumerate(_flat(outputs))]


@pytest.mark.parametrize('name', list(PAPER_COUNTS))
def test_parameter_counts_at_paper_size(name):
  """Counted in a graph that is never run, so nothing is allocated."""
  build, expected = PAPER_COUNTS[name]
  with tf.Graph().as_default():
    model = build(config.ModelConfig())
    count = sum(v.shape.num_elements() for v in model.trainable_variables)
  assert count == expected
