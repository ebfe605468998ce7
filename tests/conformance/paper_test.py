"""Preset `paper` against the authors' code, layer by layer, and what is silent.

Everything at paper size is built in a graph that is never run, so nothing is
allocated. The numbers are the authors' (networks.py) and StyleGAN v1's.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf import presets
from earsr_tf.models import layers
from earsr_tf.models import synthesis
from earsr_tf.ops import convolution
from earsr_tf.ops import resample
from earsr_tf.stages import networks

# Side, width and parameters after each convolution.
_IMAGE_ENCODER = (
    (128, 64, 3_136), (64, 128, 131_328), (64, 128, 262_400),
    (32, 256, 524_800), (32, 256, 1_049_088), (16, 512, 2_098_176),
    (16, 512, 4_195_328), (8, 1024, 8_390_656), (8, 1024, 16_779_264),
    (4, 1024, 16_779_264), (4, 1024, 16_779_264))
_LOW_RES_ENCODER = (
    (8, 128, 3_584), (8, 128, 147_712), (8, 128, 147_712), (4, 384, 443_136),
    (4, 384, 1_327_872), (4, 384, 1_327_872), (2, 1024, 3_540_992),
    (2, 1024, 9_439_232), (2, 1024, 9_439_232))
_AUDIO_ENCODER = (
    (129, 64, 1_088), (129, 64, 65_600), (65, 128, 131_200),
    (65, 128, 262_272), (33, 256, 524_544), (33, 256, 1_048_832),
    (17, 512, 2_097_664), (17, 512, 4_194_816), (9, 1024, 8_389_632),
    (9, 1024, 16_778_240), (5, 2048, 33_556_480), (5, 2048, 67_110_912),
    (3, 2048, 67_110_912))


def _model(**changes: object) -> config_lib.ModelConfig:
  """The paper's model section with other values."""
  return dataclasses.replace(presets.get('paper').model, **changes)


def _count(*parts) -> int:
  return sum(v.shape.num_elements() for part in parts
             for v in part.trainable_variables)


def _normal(seed: int, shape: list[int]) -> tf.Tensor:
  return tf.random.stateless_normal(shape, [seed, 7])


@pytest.mark.parametrize('build, shape, convolutions, dense', [
    (networks.image_encoder, [128, 128, 3], _IMAGE_ENCODER, [100_669_440]),
    (networks.low_res_encoder, [8, 8, 3], _LOW_RES_ENCODER,
     [25_171_968, 37_754_880]),
    (networks.audio_encoder, [257, 257, 1], _AUDIO_ENCODER,
     [151_003_136, 50_337_792])])
def test_encoder_layer_by_layer(build, shape, convolutions, dense):
  with tf.Graph().as_default():
    network = build(presets.get('paper').model)
    x = tf.zeros([2, *shape])
    code = network(x)
    trace = []
    for block in network.blocks:
      x = block(x)
      trace.append((x.shape[1], x.shape[3], _count(block)))
    heads = [layer for layer in (
        getattr(network, 'hidden', None), network.head) if layer is not None]
    assert code.shape == (2, 12, 512)
    assert tuple(trace) == convolutions
    assert [_count(layer) for layer in heads] == dense


def test_fusion_layer_by_layer():
  with tf.Graph().as_default():
    network = networks.fusion(presets.get('paper').model)
    shapes = [layer.kernel.shape.as_list() for layer in network.dense_layers]
    assert shapes == [[12288, 6144], [6144, 6144], [6144, 6144]]
    single = networks.fusion(_model(fusion_layers=1))
    assert [layer.kernel.shape.as_list()
            for layer in single.dense_layers] == [[12288, 6144]]


def test_generator_layer_by_layer():
  with tf.Graph().as_default():
    network = networks.generator(presets.get('paper').model)
    assert _count(*network.synthesis.to_rgbs) == 7_314
    assert len(network.synthesis.to_rgbs) == 6
    assert _count(network.synthesis) == 23_735_296 + 7_314
    assert _count(network.mapping) == 2_101_248
    assert network.synthesis.constant.shape == (1, 4, 4, 512)
    x, trace = network.synthesis.constant, []
    for layer in network.synthesis.styled_layers:
      x = layer(x, w=tf.zeros([1, 512]))
      trace.append((x.shape[1], x.shape[3]))
    assert trace == [
        (side, width) for side, width in (
            (4, 512), (8, 512), (16, 512), (32, 512), (64, 256), (128, 128))
        for _ in range(2)]
    assert network(tf.zeros([3, 12, 512])).shape == (3, 128, 128, 3)


def test_discriminator_layer_by_layer():
  with tf.Graph().as_default():
    network = networks.discriminator(presets.get('paper').model)
    x, trace = tf.zeros([4, 128, 128, 128]), []
    for side in (128, 64, 32, 16, 8):
      x = network.blocks[str(side)](x)
      trace.append((x.shape[1], x.shape[3]))
    assert trace == [(64, 256), (32, 512), (16, 512), (8, 512), (4, 512)]
    assert network.head_conv.kernel.shape == (3, 3, 513, 512)
    maps = network.activations(tf.zeros([4, 128, 128, 3]))
    assert sum(m.shape[1:].num_elements() for m in maps) == 655_360


def test_encoders_norm_has_epsilon_1e_6():
  x = 1e-3 * _normal(0, [2, 8, 8, 3]).numpy()
  centred = x - x.mean(axis=(1, 2), keepdims=True)
  expected = centred / np.sqrt(x.var(axis=(1, 2), keepdims=True) + 1e-6)
  # At this scale 1e-6 is half of the denominator, 1e-8 a hundredth.
  assert np.abs(expected).std() < 0.8
  np.testing.assert_allclose(
      layers.encoder_norm(3)(x), expected, atol=2e-5)


def test_generators_norm_has_epsilon_1e_8():
  layer = layers.StyleModulation(channels=3, latent_dim=4)
  layer.dense.kernel.assign(tf.zeros([4, 6]))
  x = 1e-4 * _normal(1, [2, 8, 8, 3]).numpy()
  centred = x - x.mean(axis=(1, 2), keepdims=True)
  expected = centred / np.sqrt(x.var(axis=(1, 2), keepdims=True) + 1e-8)
  assert 0.5 < expected.std() < 0.8
  np.testing.assert_allclose(
      layer(x, w=tf.zeros([2, 4])), expected, atol=2e-5)


def test_kernel_is_flipped_at_128_and_nowhere_else():
  """Fused scaling is the spatial mirror image of upsampling, then 3x3."""
  network = synthesis.Synthesis(
      image_size=128, latent_dim=4, fmap_base=128, fmap_max=4)
  for layer in network.styled_layers[2::2]:
    kernel = layer.conv.kernel
    side = 64 if layer is network.styled_layers[10] else 6
    x = _normal(2, [1, side, side, kernel.shape[2]])
    scale = np.sqrt(2.0 / np.prod(kernel.shape[:3]))
    straight, flipped = (
        convolution.conv2d(resample.upsample_nearest(x), k * scale)
        for k in (kernel, kernel[::-1, ::-1]))
    expected, other = (flipped, straight) if side == 64 else (
        straight, flipped)
    np.testing.assert_allclose(layer.conv(x), expected, atol=1e-4)
    assert np.abs(layer.conv(x) - other).max() > 0.1


def test_blur_comes_after_upsampling_and_before_downsampling(monkeypatch):
  order = []
  originals = resample.blur, layers.EqualizedConv2D.call

  def blur(x):
    order.append(('blur', x.shape[1]))
    return originals[0](x)

  def call(self, x):
    order.append(('conv', x.shape[1]))
    return originals[1](self, x)

  monkeypatch.setattr(resample, 'blur', blur)
  monkeypatch.setattr(layers.EqualizedConv2D, 'call', call)
  model = _model(fmap_base=64, fmap_max=4, image_size=16)
  networks.generator(model).synthesis.styled_layers[2](
      _normal(3, [1, 4, 4, 4]), w=_normal(4, [1, 512]))
  assert order == [('conv', 4), ('blur', 8)]
  order.clear()
  networks.discriminator(model).blocks['16'](_normal(5, [1, 16, 16, 4]))
  assert order == [('conv', 16), ('blur', 16), ('conv', 16)]


def test_noise_is_absent_outside_of_stage_0():
  network = networks.generator(
      _model(fmap_base=64, fmap_max=4, image_size=16))
  z_plus = _normal(6, [2, 6, 512])
  before = network(z_plus)
  for layer in network.synthesis.styled_layers:
    layer.noise.strength.assign(tf.fill(layer.noise.strength.shape, 9.0))
  np.testing.assert_array_equal(network(z_plus), before)
  # Z+ through the mapping network: only directions matter.
  np.testing.assert_allclose(network(7.0 * z_plus), before, atol=1e-3)


def test_the_paper_s_groups_and_averages():
  config = presets.get('paper')
  assert config.model.stddev_group == 4
  assert config.generator.w_avg_beta == 0.995
  assert config.generator.ema_half_life_kimg == 10.0
  assert layers.LEAKY_SLOPE == 0.2
