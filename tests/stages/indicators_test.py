"""Tests of earsr_tf.stages.indicators and of what stages observe."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.data import keys
from earsr_tf.losses import regularizers
from earsr_tf.stages import fusion
from earsr_tf.stages import indicators
from earsr_tf.stages import low_res
from earsr_tf.stages import stage as stage_lib
from tests import fakes
from tests.stages import equations


@pytest.mark.parametrize('speaker, rows', [
    ([5, 6], [1, 0]), ([5, 5, 6], [2, 2, 0]), ([1, 2, 2, 1], [1, 3, 3, 1]),
    ([7, 7], None), ([7], None)])
def test_the_other_voice_is_the_next_of_somebody_else(
    speaker: list[int], rows: list[int] | None) -> None:
  found = indicators.other_speakers(np.array(speaker))
  assert (found if found is None else found.tolist()) == rows


def _voice_terms(networks, batch, clock) -> dict[str, tf.Tensor]:
  """|gain * mean(voice) - code| and its square."""
  del clock
  error = tf.abs(
      networks['gain'] * tf.reduce_mean(batch[keys.WAVEFORM], axis=1)
      - batch[keys.CODE])
  return {'l1': error, 'l2': tf.square(error)}


_UPDATE = stage_lib.Update(
    'hear', (), _voice_terms, {'l1': 3.0, 'l2': 0.5})


def _voices(*speaker: int) -> dict[str, tf.Tensor]:
  return {
      keys.WAVEFORM: tf.constant([[1.0, 1.0], [1.0, 3.0], [7.0, 7.0]]),
      keys.CODE: tf.constant([1.0, 2.0, 7.0]),
      keys.SPEAKER: tf.constant(speaker)}


@pytest.fixture(name='heard')
def _heard(networks, batch) -> dict[str, tf.Tensor]:
  """Voices that differ, as draws of noise hardly do, and an E_a that hears.

  A fresh E_a lets little through, and its bias says the same of everything.
  """
  for variable in networks['audio_encoder'].head.trainable_variables:
    gain = 1000.0 if variable.shape.rank == 2 else 0.0
    variable.assign(gain * tf.random.stateless_normal(variable.shape, [3, 4]))
  time = np.arange(64000) / 16000.0
  tones = [np.sin(2 * np.pi * hz * time) for hz in (300.0, 3000.0)]
  return {**batch, keys.WAVEFORM: tf.concat([
      batch[keys.WAVEFORM][:1], tf.constant(tones, tf.float32),
      tf.zeros([1, 64000])], axis=0)}


def test_the_gap_is_wrong_minus_right() -> None:
  found = indicators.shuffled_gap(_UPDATE)(
      {'gain': 1.0}, _voices(0, 1, 2), fakes.clock())
  # Right voices have no error; the next ones err by 1, 5 and 6.
  assert {k: float(v) for k, v in found.items()} == pytest.approx({
      'shuffled_gap/hear/l1': 4.0, 'shuffled_gap/hear/l2': 62 / 3,
      'shuffled_gap/hear/total': 3 * 4.0 + 0.5 * 62 / 3})


def test_who_does_not_listen_has_no_gap() -> None:
  found = indicators.shuffled_gap(_UPDATE)(
      {'gain': 0.0}, _voices(0, 1, 2), fakes.clock())
  assert [float(v) for v in found.values()] == [0.0, 0.0, 0.0]


def test_one_person_alone_has_no_wrong_voice() -> None:
  assert not indicators.shuffled_gap(_UPDATE)(
      {'gain': 1.0}, _voices(4, 4, 4), fakes.clock())


@pytest.mark.parametrize('name', ['audio', 'fusion'])
def test_the_gap_is_that_of_the_stage_s_own_terms(
    name: str, networks, heard) -> None:
  found = fakes.stage(name).observe(networks, heard, fakes.clock())
  rows = indicators.other_speakers(heard[keys.SPEAKER].numpy())
  wrong = {**heard, keys.WAVEFORM: tf.gather(heard[keys.WAVEFORM], rows)}
  right = equations.terms(name, networks, heard)
  other = equations.terms(name, networks, wrong)
  for term in right:
    assert float(found[f'shuffled_gap/{name}/{term}']) == pytest.approx(
        float(np.mean(other[term]) - np.mean(right[term])), abs=1e-6)
  assert np.abs(other['code_l1'] - right['code_l1']).max() > 1e-3


def test_without_a_voice_the_gap_of_fusion_is_zero(networks, batch) -> None:
  config = fakes.small_config()
  config = dataclasses.replace(config, fusion=dataclasses.replace(
      config.fusion, zero_audio=True))
  found = fakes.stage('fusion', config).observe(
      networks, batch, fakes.clock())
  assert float(found['shuffled_gap/fusion/total']) == 0.0


def test_what_fusion_adds_to_the_code(networks, batch) -> None:
  config = fakes.small_config()
  found = fakes.stage('fusion').observe(networks, batch, fakes.clock())
  x_low = low_res.image_low(config, batch[keys.IMAGE_HIGH])
  z = fusion.fuse(config, networks, x_low, batch[keys.WAVEFORM]).numpy()
  z_low = equations.unit(networks['low_res_encoder'](x_low))
  assert float(found['delta_norm/code']) == pytest.approx(
      np.sqrt(np.square(z - z_low).sum(axis=-1)).mean(), rel=1e-4)


def test_delta_norms_against_numpy(networks) -> None:
  generator, anchor = networks['generator'], networks['generator_init']
  found = indicators.delta_norms(generator, anchor)
  assert list(found) == ['delta_norm/mapping', *(
      f'delta_norm/style_layer_{i:02d}' for i in range(6)),
                         'delta_norm/to_rgb']
  layers = [(g.weights, a.weights) for g, a in zip(
      generator.synthesis.styled_layers, anchor.synthesis.styled_layers)]
  for number, (ours, first) in enumerate(layers[1:], start=1):
    expected = np.sqrt(sum(
        np.square(v.numpy() - a.numpy()).sum() for v, a in zip(ours, first)))
    assert expected > 0
    assert float(found[f'delta_norm/style_layer_{number:02d}']) == (
        pytest.approx(expected, rel=1e-5))
  distance = regularizers.weight_distance(
      generator.trainable_variables, anchor.trainable_variables)
  assert sum(float(v) ** 2 for v in found.values()) == pytest.approx(
      float(distance), rel=1e-5)


def test_a_generator_has_not_moved_from_itself(networks) -> None:
  found = indicators.delta_norms(
      networks['generator'], networks['generator'])
  assert {float(v) for v in found.values()} == {0.0}


def test_a_moved_layer_shows_alone() -> None:
  one, two = (fakes.stage('finetune').build()['generator'] for _ in range(2))
  two.set_weights(one.get_weights())
  bias = two.synthesis.styled_layers[3].bias
  bias.assign_add(tf.ones_like(bias))
  found = {k: float(v) for k, v in indicators.delta_norms(two, one).items()}
  assert found.pop('delta_norm/style_layer_03') == pytest.approx(
      bias.shape[0] ** 0.5)
  assert set(found.values()) == {0.0}


def test_the_matrix_has_a_row_per_picture_and_a_column_per_voice(
    networks, heard) -> None:
  config = fakes.small_config()
  x, waveform = heard[keys.IMAGE_HIGH][:3], heard[keys.WAVEFORM][1:]
  cells = fusion.mixing_matrix(config, networks, x, waveform).numpy()
  assert cells.shape == (4, 4, 16, 16, 3)
  np.testing.assert_array_equal(cells[0, 0], -np.ones([16, 16, 3]))
  np.testing.assert_array_equal(cells[0, 1:], x)
  x_low = low_res.image_low(config, x)
  np.testing.assert_array_equal(
      cells[1:, 0], np.repeat(np.repeat(x_low, 4, axis=1), 4, axis=2))
  for i, j in ((0, 0), (0, 2), (2, 1)):
    z = fusion.fuse(
        config, networks, x_low[i:i + 1], waveform[j:j + 1])
    np.testing.assert_allclose(
        cells[i + 1, j + 1], networks['generator'](z)[0], atol=1e-4)
  assert np.abs(cells[1, 1] - cells[1, 3]).max() > 1e-3  # voices matter
