"""Tests of models/super_resolver.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.models import audio_encoder
from earsr_tf.models import fusion
from earsr_tf.models import generator
from earsr_tf.models import low_res_encoder
from earsr_tf.models import super_resolver
from earsr_tf.ops import consistency
from earsr_tf.ops import resample
from earsr_tf.ops import spectrogram


def _model(code_norm: str, mode: str = 'off', zero_audio: bool = False
           ) -> super_resolver.SuperResolver:
  tf.keras.utils.set_random_seed(4)
  sizes = {'num_styles': 6, 'latent_dim': 8}
  return super_resolver.SuperResolver(
      generator=generator.Generator(
          image_size=16, latent_dim=8, fmap_base=64, fmap_max=8),
      low_res_encoder=low_res_encoder.LowResEncoder(
          filters=4, max_filters=8, hidden=8, **sizes),
      audio_encoder=audio_encoder.AudioEncoder(
          filters=2, max_filters=4, hidden=8, **sizes),
      fusion=fusion.Fusion(hidden=8, **sizes), code_norm=code_norm,
      zero_audio=zero_audio, consistency=mode)


def _inputs(batch: int) -> tuple[tf.Tensor, tf.Tensor]:
  random = np.random.RandomState(0)
  image = tf.constant(random.randint(0, 256, [batch, 8, 8, 3]), tf.uint8)
  return image, tf.constant(
      random.uniform(-1, 1, [batch, 64000]), tf.float32)


def test_composes_the_networks():
  model = _model('none')
  image, waveform = _inputs(2)
  low = model.low_res_encoder(tf.cast(image, tf.float32) / 127.5 - 1.0)
  audio = model.audio_encoder(spectrogram.log_spectrogram(waveform))
  fused = model.fusion(low, audio)
  codes = model.codes(tf.cast(image, tf.float32) / 127.5 - 1.0, waveform)
  np.testing.assert_allclose(codes['low'], low)
  np.testing.assert_allclose(codes['audio'], audio)
  np.testing.assert_allclose(codes['fused'], fused)
  expected = np.clip(
      np.rint((model.generator(fused).numpy() + 1) * 127.5), 0, 255)
  output = model(image, waveform)
  assert output.shape == (2, 16, 16, 3) and output.dtype == tf.uint8
  assert np.abs(output.numpy().astype(int) - expected).max() <= 1


def test_unit_codes_have_length_sqrt_d_after_every_network():
  model = _model('unit')
  head = model.audio_encoder.head
  head.kernel.assign(1e3 * head.kernel)  # so few channels leave tiny codes
  codes = model.codes(
      tf.random.stateless_uniform([2, 8, 8, 3], [1, 2]), _inputs(2)[1])
  for code in codes.values():
    np.testing.assert_allclose(
        np.linalg.norm(code, axis=-1), np.sqrt(8.0), rtol=1e-4)
  with pytest.raises(ValueError, match="'none' or 'unit'"):
    _model('half')


@pytest.mark.parametrize('mode', ['1', 'exact'])
def test_correction_follows_the_generator(mode):
  image, waveform = _inputs(2)
  image = 64 + image // 2
  plain, corrected = (_model('none', m)(image, waveform) for m in ('off', mode))
  assert corrected.dtype == tf.uint8
  np.testing.assert_array_equal(
      corrected, consistency.correct_uint8(plain, image, mode))
  before, after = (np.abs(resample.degrade(tf.cast(
      x, tf.float32), 2) - tf.cast(image, tf.float32)).mean()
                   for x in (plain, corrected))
  assert after < (0.4 if mode == 'exact' else 0.5 * before)


def test_unknown_corrections_are_refused():
  with pytest.raises(ValueError, match='is not off, exact'):
    _model('none', 'sharp')


def test_without_voices_f_sees_zeros():
  image, waveform = _inputs(2)
  model = _model('none', zero_audio=True)
  codes = model.codes(tf.cast(image, tf.float32) / 127.5 - 1.0, waveform)
  np.testing.assert_array_equal(codes['audio'], np.zeros([2, 6, 8]))
  np.testing.assert_array_equal(
      codes['fused'], model.fusion(codes['low'], codes['audio']))
  np.testing.assert_array_equal(
      model(image, waveform), model(image, waveform[::-1]))


@pytest.mark.parametrize('code_norm', ['none', 'unit'])
def test_strength_moves_between_the_image_and_f(code_norm):
  image, waveform = _inputs(3)
  model = _model(code_norm)
  low, fused = (tf.random.stateless_normal([3, 6, 8], [n, 1]) for n in (1, 2))
  low, fused = model.normalize_code(low), model.normalize_code(fused)
  strength = tf.constant([0.0, 1.0, 0.5])
  code = model.blend({'low': low, 'fused': fused}, strength).numpy()
  np.testing.assert_allclose(code[0], low[0], atol=1e-5)
  np.testing.assert_allclose(code[1], fused[1], atol=1e-5)
  middle = (low[2] + fused[2]).numpy() / 2
  if code_norm == 'unit':
    middle *= np.sqrt(8.0) / np.linalg.norm(middle, axis=-1, keepdims=True)
  np.testing.assert_allclose(code[2], middle, atol=1e-4)
  one = model(image, waveform, tf.ones([3])).numpy().astype(int)
  assert np.abs(one - model(image, waveform)).max() <= 1


def test_saved_model_serves_any_batch_with_core_operations(tmp_path):
  model = _model('unit')
  signature = tf.function(model.__call__).get_concrete_function(
      tf.TensorSpec([None, 8, 8, 3], tf.uint8),
      tf.TensorSpec([None, 64000], tf.float32))
  module = tf.Module()
  module.weights = list(model.variables)
  tf.saved_model.save(module, str(tmp_path), signatures=signature)
  served = tf.saved_model.load(str(tmp_path)).signatures['serving_default']
  for batch in (1, 3):
    image, waveform = _inputs(batch)
    output = list(served(
        image_low=image, waveform=waveform).values())[0].numpy()
    difference = np.abs(output.astype(int) - model(image, waveform).numpy())
    assert difference.max() <= 1
  operations = {node.op for node in signature.graph.as_graph_def().node}
  operations |= {
      node.op for function in signature.graph.as_graph_def().library.function
      for node in function.node_def}
  assert not [op for op in operations if '>' in op]


def _computed_of_weights(generator: Any) -> list[str]:
  """Names of operations of G's graph whose inputs are weights alone."""
  function = tf.function(generator).get_concrete_function(
      tf.TensorSpec([None, 6, 8]))
  operations = function.graph.get_operations()
  weights = {operation.outputs[0].ref() for operation in operations
             if operation.type in ('ReadVariableOp', 'Const')}
  return [
      operation.name for operation in operations
      if operation.inputs and operation.type not in ('Identity', 'Reshape')
      and all(value.ref() in weights for value in operation.inputs)]


def test_folding_changes_no_picture_and_leaves_nothing_to_compute():
  image, waveform = _inputs(3)
  model = _model('unit')
  fused = model.codes(
      tf.cast(image, tf.float32) / 127.5 - 1.0, waveform)['fused']
  expected = model.generator(fused).numpy()
  assert expected.std() > 0.1 and _computed_of_weights(model.generator)
  super_resolver.fold(model)
  np.testing.assert_allclose(model.generator(fused), expected, atol=1e-5)
  assert not _computed_of_weights(model.generator)
