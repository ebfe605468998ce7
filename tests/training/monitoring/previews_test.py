"""Tests of earsr_tf.training.monitoring.previews: what is shown, and when."""

from __future__ import annotations

import types

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.data import keys
from earsr_tf.training.monitoring import observations
from earsr_tf.training.monitoring import previews
from tests import fakes


class _Reporter:
  """Keeps what it is given.

  Attributes:
    shown: (kind, images, name) -> values.
  """

  def __init__(self) -> None:
    self.shown: dict[tuple[str, int, str], object] = {}

  def preview(self, images: int, grids) -> None:
    """A strip: {name: [N, H, W, 3]}."""
    self.shown['strip', images, '|'.join(grids)] = grids

  def picture(self, images: int, name: str, cells: np.ndarray) -> None:
    """[R, C, H, W, 3]."""
    self.shown['picture', images, name] = cells

  def voices(self, images: int, waveform: np.ndarray) -> None:
    """[N, samples]."""
    self.shown['voices', images, ''] = waveform

  def histogram(self, images: int, name: str, values: np.ndarray) -> None:
    """[n]."""
    self.shown['histogram', images, name] = values


def _previews(name: str) -> tuple[dict[str, tf.keras.Model],
                                  previews.Previews]:
  stage = fakes.stage(name)
  tf.keras.utils.set_random_seed(2)
  networks = dict(stage.build())
  for average in stage.averages:
    networks[f'{average}_ema'] = stage.build()[average]
  batch = fakes.batch(2)
  batch = {key: batch[key] for key in stage.preview_inputs or stage.inputs}
  return networks, previews.Previews(fixed=observations.Fixed(
      stage=stage, networks=networks, batch=batch, seed=5))


def test_finetune_shows_truth_then_the_fixed_generator_then_now() -> None:
  networks, shown = _previews('finetune')
  for layer in networks['generator'].synthesis.to_rgbs:
    layer.bias.assign(tf.ones_like(layer.bias))
  one, two = _Reporter(), _Reporter()
  shown.write(one, 8, 16, 1.0)
  for layer in networks['generator'].synthesis.to_rgbs:
    layer.bias.assign(2 * tf.ones_like(layer.bias))
  shown.write(two, 16, 16, 1.0)
  name = 'truth|fixed_G|now'
  first, second = (one.shown['strip', 8, name], two.shown['strip', 16, name])
  np.testing.assert_array_equal(
      first['truth'], fakes.batch(2)[keys.IMAGE_HIGH])
  np.testing.assert_array_equal(first['fixed_G'], second['fixed_G'])
  # Three ToRGBs up to 16x16 add their biases.
  assert len(networks['generator'].synthesis.to_rgbs) == 3
  np.testing.assert_allclose(
      first['now'], first['fixed_G'] + 3, atol=1e-4)
  np.testing.assert_allclose(
      second['now'], first['fixed_G'] + 6, atol=1e-4)


def test_the_generator_is_shown_at_its_size_of_the_moment() -> None:
  _, shown = _previews('generator')
  for resolution, alpha in ((8, 1.0), (16, 0.5)):
    reporter = _Reporter()
    shown.write(reporter, 4, resolution, alpha)
    for name in ('generator', 'generator_ema'):
      assert reporter.shown['picture', 4, name].shape == (
          4, 4, resolution, resolution, 3)
    assert {key[0] for key in reporter.shown} == {'picture', 'histogram'}


def test_voices_are_written_once() -> None:
  _, shown = _previews('audio')
  one, two = _Reporter(), _Reporter()
  shown.write(one, 4, 16, 1.0)
  shown.write(two, 8, 16, 1.0)
  np.testing.assert_array_equal(
      one.shown['voices', 4, ''], fakes.batch(2)[keys.WAVEFORM])
  assert ('voices', 8, '') not in two.shown
  assert ('strip', 8, 'truth|E_h|mirrored_average|E_a') in two.shown


@pytest.mark.parametrize('name, trained', [
    ('attributes', ['classifier']), ('fusion', ['audio_encoder', 'fusion'])])
def test_histograms_of_every_trained_network(
    name: str, trained: list[str]) -> None:
  networks, shown = _previews(name)
  reporter = _Reporter()
  shown.write(reporter, 4, 16, 1.0)
  found = {key[2]: value for key, value in reporter.shown.items()
           if key[0] == 'histogram'}
  assert sorted(found) == [f'weights/{n}' for n in trained]
  for network in trained:
    assert len(found[f'weights/{network}']) == sum(
        v.shape.num_elements() for v in networks[network].trainable_variables)


@pytest.mark.parametrize('limit, expected', [
    (100, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), (10, [*range(10)]),
    (5, [0, 2, 4, 6, 8]), (4, [0, 3, 6, 9]), (1, [0])])
def test_a_sample_is_evenly_spaced(limit: int, expected: list[int]) -> None:
  network = types.SimpleNamespace(trainable_variables=[
      tf.Variable(np.arange(first, last, dtype=np.float32))
      for first, last in ((0, 3), (3, 4), (4, 10))])
  assert previews.sample(network, limit).tolist() == expected
