"""What small presets add to Eqs. (2), (3) and (5): terms on whole images."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf.data import keys
from earsr_tf.losses import detail
from earsr_tf.ops import consistency
from earsr_tf.stages import audio
from earsr_tf.stages import fusion
from earsr_tf.stages import image_terms
from tests import fakes
from tests.stages import equations

# Section of a stage that compares images with x^h.
_STAGES = ('low_res', 'fusion')


def _config(name: str, mode: str = 'off', **changes: float
            ) -> config_lib.Config:
  made = fakes.small_config()
  return dataclasses.replace(
      made, model=dataclasses.replace(made.model, consistency=mode),
      **{name: dataclasses.replace(getattr(made, name), **changes)})


def _output(name: str, networks, batch) -> tf.Tensor:
  """G(z^l) or G(z^f), [4, 16, 16, 3]."""
  x_low = tf.constant(equations.low(batch[keys.IMAGE_HIGH]), tf.float32)
  if name == 'fusion':
    code = fusion.fuse(
        fakes.small_config(), networks, x_low, batch[keys.WAVEFORM])
  else:
    code = tf.constant(
        equations.unit(networks['low_res_encoder'](x_low)), tf.float32)
  return networks['generator'](code)


@pytest.mark.parametrize('name', _STAGES)
def test_the_paper_has_no_image_terms(name: str, networks, batch) -> None:
  terms = equations.terms(name, networks, batch, _config(name))
  assert set(terms) == {'code_l1', 'low_res_l1'}


@pytest.mark.parametrize('name', _STAGES)
def test_image_terms_compare_with_the_face_itself(
    name: str, networks, batch) -> None:
  config = _config(
      name, image_weight=2.0, detail_weight=1.0, feature_weight=3.0)
  assert fakes.stage(name, config).updates[0].weights['image_l1'] == 2.0
  assert fakes.stage(name, config).updates[0].weights['feature'] == 3.0
  terms = equations.terms(name, networks, batch, config)
  image, x = _output(name, networks, batch), batch[keys.IMAGE_HIGH]
  np.testing.assert_allclose(
      terms['image_l1'], equations.l1(image, x), rtol=1e-4)
  np.testing.assert_allclose(
      terms['detail'], detail.detail_distance(image, x), rtol=1e-4)
  pairs = zip(networks['features'](image), networks['features'](x))
  np.testing.assert_allclose(terms['feature'], np.mean(
      [equations.l1(a, b) for a, b in pairs], axis=0), rtol=1e-4)


@pytest.mark.parametrize('name', [*_STAGES, 'audio'])
def test_features_are_built_and_restored_only_if_they_are_compared(
    name: str) -> None:
  without = fakes.stage(name)
  with_features = fakes.stage(name, _config(name, feature_weight=1.0))
  assert set(with_features.build()) - set(without.build()) == {
      'features', 'discriminator'}
  assert {**without.restores, 'discriminator': 'generator/discriminator'} == (
      with_features.restores)
  # Another phi is another stage, as in Eqs. (1) and (2).
  assert (without.reads, with_features.reads) == ((), ('invert',))


@pytest.mark.parametrize('name', _STAGES)
def test_image_terms_see_what_a_correction_serves(
    name: str, networks, batch) -> None:
  config = _config(name, '2', image_weight=1.0)
  terms = equations.terms(name, networks, batch, config)
  plain = equations.terms(
      name, networks, batch, _config(name, image_weight=1.0))
  x_low = tf.constant(equations.low(batch[keys.IMAGE_HIGH]), tf.float32)
  served = consistency.back_project(tf.clip_by_value(
      _output(name, networks, batch), -1.0, 1.0), x_low, 2)
  np.testing.assert_allclose(
      terms['image_l1'], equations.l1(served, batch[keys.IMAGE_HIGH]),
      rtol=1e-4)
  assert np.all(np.abs(terms['image_l1'] - plain['image_l1']) > 1e-4)
  # Eqs. (3) and (5) are about G's own picture.
  np.testing.assert_array_equal(terms['low_res_l1'], plain['low_res_l1'])


def test_eq_4_may_compare_features_of_the_face(networks, batch) -> None:
  config = _config('audio', feature_weight=2.0)
  assert fakes.stage('audio', config).updates[0].weights['feature'] == 2.0
  terms = equations.terms('audio', networks, batch, config)
  z = audio.encode(networks, batch[keys.WAVEFORM], config.model.code_norm)
  image, x = networks['generator'](z), batch[keys.IMAGE_HIGH]
  pairs = zip(networks['features'](image), networks['features'](x))
  np.testing.assert_allclose(terms['feature'], np.mean(
      [equations.l1(a, b) for a, b in pairs], axis=0), rtol=1e-4)
  assert set(equations.terms('audio', networks, batch)) == {'code_l1'}


def test_a_phase_at_the_bases_side_may_do_without_the_rest_of_g() -> None:
  config = fakes.linear_config(8)
  built = fakes.stage('low_res', config).build()
  random = np.random.default_rng(1)
  base = built['generator'].base
  base.basis.assign(random.normal(size=base.basis.shape))
  shape = [2, built['generator'].num_styles, built['generator'].latent_dim]
  z = tf.constant(random.normal(size=shape), tf.float32)
  with_base = dataclasses.replace(config.low_res, through_base=True)
  without = dataclasses.replace(config.low_res, through_base=False)
  plain = built['generator'](z, resolution=8)
  np.testing.assert_array_equal(
      image_terms.decode(without, built, z, 8), plain)
  np.testing.assert_array_equal(
      image_terms.decode(with_base, built, z, 8), base(z))
  np.testing.assert_array_equal(
      image_terms.decode(with_base, built, z, 16), built['generator'](z))


def test_finetune_compares_detail_if_it_is_asked_to(networks, batch) -> None:
  terms = equations.terms(
      'finetune', networks, batch, _config('finetune', detail_weight=1.0))
  x = batch[keys.IMAGE_HIGH]
  image = networks['generator'](tf.constant(
      equations.unit(networks['image_encoder'](x)), tf.float32))
  np.testing.assert_allclose(
      terms['detail'], detail.detail_distance(image, x), rtol=1e-4)


def test_silence_falls_on_a_share_of_the_images(networks, batch) -> None:
  mute = equations.terms(
      'fusion', networks, batch, _config('fusion', silent_share=1.0))
  zero = equations.terms(
      'fusion', networks, batch, _config('fusion', zero_audio=True))
  heard = equations.terms('fusion', networks, batch)
  some = equations.terms(
      'fusion', networks, batch, _config('fusion', silent_share=0.5), step=3)
  np.testing.assert_array_equal(mute['code_l1'], zero['code_l1'])
  is_heard = np.isclose(some['code_l1'], heard['code_l1'], rtol=1e-6)
  is_mute = np.isclose(some['code_l1'], zero['code_l1'], rtol=1e-6)
  assert np.all(is_heard ^ is_mute) and 0 < is_mute.sum() < 4


@pytest.mark.parametrize('name', ['low_res', 'audio'])
def test_encoders_may_learn_from_the_whole_set(name: str) -> None:
  for is_whole, splits in ((False, ('d_pre',)), (True, ('d_pre', 'd_rest'))):
    assert fakes.stage(
        name, _config(name, on_whole_set=is_whole)).splits == splits
