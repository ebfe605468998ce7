"""Eqs. (1)-(5): every term against NumPy, from the networks' own outputs."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf.data import keys
from earsr_tf.ops import resample
from earsr_tf.ops import spectrogram
from earsr_tf.stages import audio
from earsr_tf.stages import fusion
from earsr_tf.stages import invert
from earsr_tf.stages import low_res
from earsr_tf.stages import networks as networks_lib
from tests import fakes
from tests.stages import equations

_terms = equations.terms
_unit = equations.unit
_l1 = equations.l1
_degrade = equations.degrade
_low = equations.low

BATCH_SIZE = 4
_STAGES = ('invert', 'finetune', 'low_res', 'audio', 'fusion')


@pytest.mark.parametrize('name', _STAGES)
def test_terms_are_per_image_finite_and_named_like_their_weights(
    name: str, networks, batch) -> None:
  stage = fakes.stage(name)
  terms = stage.updates[0].terms(networks, batch, fakes.clock())
  assert set(terms) == set(stage.updates[0].weights)
  for term in terms.values():
    assert term.shape == [BATCH_SIZE] and term.dtype == tf.float32
    assert np.all(np.isfinite(term)) and np.all(term.numpy() >= 0)


def test_eq_1_compares_images_and_features(networks, batch) -> None:
  terms = _terms('invert', networks, batch)
  x = batch[keys.IMAGE_HIGH]
  z = _unit(networks['image_encoder'](x))
  x_hat = networks['generator'](tf.constant(z, tf.float32))
  np.testing.assert_allclose(terms['l1'], _l1(x_hat, x), rtol=1e-4)
  features = [networks['features'](image) for image in (x_hat, x)]
  expected = np.mean([_l1(a, b) for a, b in zip(*features)], axis=0)
  np.testing.assert_allclose(terms['feature'], expected, rtol=1e-4)


def test_eq_1_at_a_lower_resolution_reduces_the_target(batch) -> None:
  x = batch[keys.IMAGE_HIGH]
  for resolution in (16, 8):
    shrunk = invert.shrink(x, resolution).numpy()
    side = 16 // resolution
    np.testing.assert_allclose(shrunk, x.numpy().reshape(
        [BATCH_SIZE, resolution, side, resolution, side, 3]).mean((2, 4)),
                               atol=1e-6)


def test_code_norm_none_leaves_codes_alone(networks, batch) -> None:
  x = batch[keys.IMAGE_HIGH]
  raw = networks['image_encoder'](x).numpy()
  np.testing.assert_array_equal(invert.encode(networks, x, 'none'), raw)
  np.testing.assert_allclose(
      invert.encode(networks, x, 'unit'), _unit(raw), rtol=1e-4, atol=1e-6)
  lengths = np.linalg.norm(invert.encode(networks, x, 'unit'), axis=-1)
  np.testing.assert_allclose(lengths, np.sqrt(8), rtol=1e-4)


@pytest.mark.parametrize('reduction', ['sum', 'mean'])
def test_eq_2_adds_the_distance_of_the_generators(
    networks, batch, reduction: str) -> None:
  base = fakes.small_config()
  config = dataclasses.replace(base, finetune=dataclasses.replace(
      base.finetune, anchor_reduction=reduction))
  terms = _terms('finetune', networks, batch, config)
  squares = [np.square(a.numpy() - b.numpy()).ravel() for a, b in zip(
      networks['generator'].trainable_variables,
      networks['generator_init'].trainable_variables, strict=True)]
  expected = getattr(np, reduction)(np.concatenate(squares))
  assert expected > 0
  np.testing.assert_allclose(
      terms['weight_distance'], [expected] * BATCH_SIZE, rtol=1e-4)
  pretrain = _terms('invert', networks, batch)
  for name in ('l1', 'feature'):
    np.testing.assert_allclose(terms[name], pretrain[name], rtol=1e-6)


def test_eq_3_compares_codes_and_low_resolution_images(
    networks, batch) -> None:
  terms = _terms('low_res', networks, batch)
  x_high = batch[keys.IMAGE_HIGH]
  x_low = _low(x_high)
  z = _unit(networks['image_encoder'](x_high))
  z_low = _unit(networks['low_res_encoder'](tf.constant(x_low, tf.float32)))
  np.testing.assert_allclose(terms['code_l1'], _l1(z_low, z), rtol=1e-4)
  image = networks['generator'](tf.constant(z_low, tf.float32))
  # x^l, not x^h as the paper prints: 4x4 images are compared.
  np.testing.assert_allclose(
      terms['low_res_l1'], _l1(_degrade(image, 4), x_low), rtol=1e-4)


def test_eq_3_sees_nothing_that_the_low_resolution_image_lacks(
    networks, batch) -> None:
  """A change of x^h that x^l does not show changes the code term alone."""
  m = resample.resize_matrix(16, 4)
  _, _, v = np.linalg.svd(m)
  hidden = np.einsum('i,j->ij', v[-1], v[-1])[None, :, :, None] * 0.1
  x = 0.5 * batch[keys.IMAGE_HIGH]
  one = _terms('low_res', networks, {keys.IMAGE_HIGH: x})
  two = _terms('low_res', networks, {keys.IMAGE_HIGH: x + hidden})
  np.testing.assert_allclose(one['low_res_l1'], two['low_res_l1'], rtol=1e-5)
  assert np.all(np.abs(one['code_l1'] - two['code_l1']) > 1e-7)


def test_the_low_resolution_image_has_8_bits(batch) -> None:
  x_low = low_res.image_low(fakes.small_config(), batch[keys.IMAGE_HIGH])
  levels = (x_low.numpy() + 1) * 127.5
  np.testing.assert_allclose(levels, np.round(levels), atol=1e-4)
  np.testing.assert_allclose(x_low, _low(batch[keys.IMAGE_HIGH]), atol=1e-5)


def test_eq_4_targets_the_mean_code_of_a_face_and_its_mirror_image(
    networks, batch) -> None:
  terms = _terms('audio', networks, batch)
  x = batch[keys.IMAGE_HIGH].numpy()
  z = _unit(networks['image_encoder'](x))
  z_hat = _unit(networks['image_encoder'](np.flip(x, axis=2).copy()))
  z_bar = _unit(0.5 * (z + z_hat))
  z_audio = _unit(networks['audio_encoder'](
      spectrogram.log_spectrogram(batch[keys.WAVEFORM])))
  np.testing.assert_allclose(terms['code_l1'], _l1(z_audio, z_bar), rtol=1e-4)


def test_eq_4_without_norm_is_the_plain_average(networks, batch) -> None:
  x = batch[keys.IMAGE_HIGH].numpy()
  z = networks['image_encoder'](x).numpy()
  z_hat = networks['image_encoder'](x[:, :, ::-1].copy()).numpy()
  np.testing.assert_allclose(
      audio.mirrored_average(networks, x, 'none'), 0.5 * (z + z_hat),
      rtol=1e-5, atol=1e-6)


def test_eq_4_target_does_not_know_left_from_right(networks, batch) -> None:
  x = batch[keys.IMAGE_HIGH]
  np.testing.assert_allclose(
      audio.mirrored_average(networks, x, 'unit'),
      audio.mirrored_average(networks, x[:, :, ::-1], 'unit'), atol=1e-5)


def _fusion_codes(networks, batch) -> tuple[np.ndarray, np.ndarray]:
  x_low = tf.constant(_low(batch[keys.IMAGE_HIGH]), tf.float32)
  z_low = _unit(networks['low_res_encoder'](x_low))
  z_audio = _unit(networks['audio_encoder'](
      spectrogram.log_spectrogram(batch[keys.WAVEFORM])))
  return z_low.astype(np.float32), z_audio.astype(np.float32)


def test_eq_5_adds_a_residual_to_the_low_resolution_code(
    networks, batch) -> None:
  z_low, z_audio = _fusion_codes(networks, batch)
  x = np.concatenate([z_low.reshape([BATCH_SIZE, -1]),
                      z_audio.reshape([BATCH_SIZE, -1])], axis=1)
  denses = [[v.numpy() for v in layer.trainable_variables]
            for layer in networks['fusion'].dense_layers]
  for number, (kernel, bias) in enumerate(denses):
    x = x @ kernel + bias
    if number + 1 < len(denses):
      x = np.where(x > 0, x, 0.2 * x)
  expected = _unit(z_low + x.reshape(z_low.shape))
  fused = fusion.fuse(
      fakes.small_config(), networks,
      tf.constant(_low(batch[keys.IMAGE_HIGH]), tf.float32),
      batch[keys.WAVEFORM])
  np.testing.assert_allclose(fused, expected, rtol=1e-3, atol=1e-5)


def test_eq_5_compares_the_fused_code_and_its_low_resolution_image(
    networks, batch) -> None:
  terms = _terms('fusion', networks, batch)
  z_low, z_audio = _fusion_codes(networks, batch)
  z_fused = _unit(networks['fusion'](z_low, z_audio))
  z = _unit(networks['image_encoder'](batch[keys.IMAGE_HIGH]))
  np.testing.assert_allclose(terms['code_l1'], _l1(z_fused, z), rtol=1e-4)
  image = networks['generator'](tf.constant(z_fused, tf.float32))
  np.testing.assert_allclose(
      terms['low_res_l1'],
      _l1(_degrade(image, 4), _low(batch[keys.IMAGE_HIGH])), rtol=1e-4)


@pytest.mark.parametrize('name, trains', [
    ('invert', ('image_encoder',)),
    ('finetune', ('image_encoder', 'generator')),
    ('low_res', ('low_res_encoder',)), ('audio', ('audio_encoder',)),
    ('fusion', ('fusion', 'audio_encoder'))])
def test_who_trains_on_what(name: str, trains: tuple[str, ...]) -> None:
  stage = fakes.stage(name)
  assert [u.trains for u in stage.updates] == [trains]
  is_pre = name in ('low_res', 'audio')
  assert stage.splits == (('d_pre',) if is_pre else ('d_pre', 'd_rest'))
  has_voice = name in ('audio', 'fusion')
  assert (keys.WAVEFORM in stage.inputs) == has_voice
  # All frozen networks with weights come from an earlier stage.
  assert set(stage.restores) <= set(stage.build())


@pytest.mark.parametrize('name', _STAGES)
def test_weights_are_those_of_the_configuration(name: str) -> None:
  config = config_lib.Config()
  expected = {
      'invert': {'l1': 1.0, 'feature': 1.0}, 'audio': {'code_l1': 1.0},
      'low_res': {'code_l1': 1.0, 'low_res_l1': 40.0},
      'fusion': {'code_l1': 1.0, 'low_res_l1': 40.0}}
  weights = dict(fakes.stage(name, config).updates[0].weights)
  if name == 'finetune':
    rule = weights.pop('weight_distance')
    assert rule.initial == 1.0
    assert weights == expected['invert']
  else:
    assert weights == expected[name]


@pytest.mark.parametrize('name', _STAGES)
def test_previews_have_one_image_per_row(name: str, networks, batch) -> None:
  stage = fakes.stage(name)
  shown = dict(stage.preview(networks, batch, fakes.clock()))
  assert list(shown) == {
      'invert': ['truth', 'fixed_G'], 'finetune': ['truth', 'now'],
      'low_res': ['low_res', 'E_l', 'E_h', 'truth'],
      'audio': ['truth', 'E_h', 'mirrored_average', 'E_a'],
      'fusion': ['low_res', 'E_l', 'E_a', 'F', 'E_h', 'truth', 'mixing'],
  }[name]
  if name == 'fusion':
    assert shown.pop('mixing').shape == [5, 5, 16, 16, 3]
  for image in shown.values():
    assert image.shape == [BATCH_SIZE, 16, 16, 3]
    assert np.all(np.isfinite(image))


def test_perceptual_features_follow_the_configuration() -> None:
  config = fakes.small_config()
  made = networks_lib.perceptual_features(config)
  assert sorted(made) == ['discriminator', 'features']
  assert not made['features'].trainable_variables
  assert fakes.stage('invert').restores['discriminator'] == (
      'generator/discriminator')
  vgg = dataclasses.replace(config, invert=dataclasses.replace(
      config.invert, features='vgg16'))
  assert 'discriminator' not in fakes.stage('invert', vgg).restores
  synthetic = networks_lib.perceptual_features(dataclasses.replace(
      config, invert=dataclasses.replace(
          config.invert, features='synthetic')))
  assert sorted(synthetic) == ['features']
