"""Stage 0: losses, fading, style mixing and w_avg, against NumPy."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.data import keys
from earsr_tf.ops import latent
from earsr_tf.stages import generator
from tests import fakes

BATCH_SIZE = 4


@pytest.fixture(name='networks', scope='module')
def _networks() -> dict[str, tf.keras.Model]:
  tf.keras.utils.set_random_seed(3)
  return fakes.stage('generator').build()


@pytest.fixture(name='batch', scope='module')
def _batch() -> dict[str, tf.Tensor]:
  return fakes.batch(BATCH_SIZE)


def _updates(r1_interval: int = 2, **changes: object):
  config = fakes.small_config()
  made = fakes.stage('generator', dataclasses.replace(
      config, generator=dataclasses.replace(
          config.generator, r1_interval=r1_interval, **changes)))
  return {update.name: update for update in made.updates}


def _softplus(x: np.ndarray) -> np.ndarray:
  return np.logaddexp(0.0, x)


def _fake(networks, batch, clock, salt: int) -> np.ndarray:
  return generator._fake(networks, batch, clock, 0.9, salt)


@pytest.mark.parametrize('resolution, alpha', [(8, 1.0), (16, 0.25)])
def test_logistic_losses(networks, batch, resolution: int, alpha: float
                         ) -> None:
  clock = fakes.clock(resolution, alpha=alpha)

  def score(image: tf.Tensor) -> np.ndarray:
    return networks['discriminator'](
        image, resolution=resolution, alpha=clock.alpha).numpy()[:, 0]

  updates = _updates()
  real = score(generator.real_image(batch[keys.IMAGE_HIGH], clock))
  terms = updates['discriminator'].terms(networks, batch, clock)
  np.testing.assert_allclose(
      terms['logistic'],
      _softplus(score(_fake(networks, batch, clock, 10))) + _softplus(-real),
      rtol=1e-4)
  terms = updates['generator'].terms(networks, batch, clock)
  np.testing.assert_allclose(
      terms['logistic'], _softplus(-score(_fake(networks, batch, clock, 20))),
      rtol=1e-4)


@pytest.mark.parametrize('r1_interval', [1, 2])
def test_scores_and_signs_are_observed(
    networks, batch, r1_interval: int) -> None:
  clock = fakes.clock(16, alpha=0.5)

  def score(image: tf.Tensor) -> np.ndarray:
    return networks['discriminator'](
        image, resolution=16, alpha=clock.alpha).numpy()[:, 0]

  update = _updates(r1_interval)['discriminator']
  terms = update.terms(networks, batch, clock)
  assert set(terms) == {*update.weights, *update.observed}
  for kind, image in (
      ('real', generator.real_image(batch[keys.IMAGE_HIGH], clock)),
      ('fake', _fake(networks, batch, clock, 10))):
    expected = score(image)
    np.testing.assert_allclose(
        terms[f'scores/{kind}'], expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(terms[f'signs/{kind}'], np.sign(expected))


@pytest.mark.parametrize('count, used', [(4, 4), (3, 2), (1, 1)])
def test_held_out_scores_take_whole_groups(
    networks, batch, count: int, used: int) -> None:
  few = {name: value[:count] for name, value in batch.items()}
  found = fakes.stage('generator').observe(networks, few, fakes.clock(8))
  real = generator.real_image(batch[keys.IMAGE_HIGH][:used], fakes.clock(8))
  score = networks['discriminator'](real, resolution=8).numpy()
  assert float(found['scores/held_out']) == pytest.approx(
      score.mean(), rel=1e-4, abs=1e-6)
  assert float(found['signs/held_out']) == np.sign(score).mean()


def test_r1_is_half_the_squared_gradient(networks, batch) -> None:
  clock = fakes.clock(8)
  real = generator.real_image(batch[keys.IMAGE_HIGH], clock)
  penalty = _updates()['regularizer'].terms(networks, batch, clock)['r1']
  # A step along the gradient raises the scores by its squared length.
  with tf.GradientTape() as tape:
    tape.watch(real)
    score = tf.reduce_sum(networks['discriminator'](real, resolution=8))
  gradient = tape.gradient(score, real).numpy()
  np.testing.assert_allclose(
      penalty, 0.5 * np.square(gradient).sum((1, 2, 3)), rtol=1e-4)
  assert np.all(penalty.numpy() > 0)


def test_r1_is_a_term_of_its_own_update_only_when_lazy() -> None:
  lazy, eager = _updates(4), _updates(1)
  assert (lazy['regularizer'].interval, dict(lazy['regularizer'].weights)) == (
      4, {'r1': 10.0})
  assert lazy['regularizer'].optimizer == lazy['discriminator'].optimizer
  assert 'regularizer' not in eager
  assert dict(eager['discriminator'].weights) == {'logistic': 1.0, 'r1': 10.0}


def test_lazy_and_eager_terms_agree(networks, batch) -> None:
  clock = fakes.clock(16, alpha=0.5)
  both = _updates(1)['discriminator'].terms(networks, batch, clock)
  lazy = _updates(4)
  np.testing.assert_allclose(
      both['logistic'],
      lazy['discriminator'].terms(networks, batch, clock)['logistic'],
      rtol=1e-5)
  np.testing.assert_allclose(
      both['r1'], lazy['regularizer'].terms(networks, batch, clock)['r1'],
      rtol=1e-5)


@pytest.mark.parametrize('alpha', [0.0, 0.25, 1.0])
def test_real_images_fade_like_the_generator_s(batch, alpha: float) -> None:
  x = batch[keys.IMAGE_HIGH].numpy().astype(np.float64)
  at_8 = x.reshape([BATCH_SIZE, 8, 2, 8, 2, 3]).mean((2, 4))
  at_4 = x.reshape([BATCH_SIZE, 4, 4, 4, 4, 3]).mean((2, 4))
  coarse = at_4.repeat(2, axis=1).repeat(2, axis=2)
  real = generator.real_image(
      batch[keys.IMAGE_HIGH], fakes.clock(8, alpha=alpha))
  np.testing.assert_allclose(
      real, alpha * at_8 + (1 - alpha) * coarse, atol=1e-6)


def test_z_is_a_function_of_step_and_global_row(batch) -> None:
  draw = generator._draw_z
  clock = fakes.clock(step=3, images=0)
  z = draw(batch, clock, 8, 10).numpy()
  assert z.shape == (BATCH_SIZE, 8)
  halves = [{keys.INDEX: batch[keys.INDEX][i:i + 2]} for i in (0, 2)]
  np.testing.assert_array_equal(
      np.concatenate([draw(half, clock, 8, 10) for half in halves]), z)
  # The row counts from where the step began.
  later = fakes.clock(step=3, images=100)
  shifted = {keys.INDEX: batch[keys.INDEX] + 100}
  np.testing.assert_array_equal(draw(shifted, later, 8, 10), z)
  assert len(np.unique(z[:, 0])) == BATCH_SIZE
  assert np.all(z != draw(batch, fakes.clock(step=4), 8, 10).numpy())
  assert np.all(z != draw(batch, clock, 8, 11).numpy())


@pytest.mark.parametrize('resolution', [8, 16])
def test_styles_are_mixed_at_one_layer_of_those_in_use(
    networks, batch, resolution: int) -> None:
  g = networks['generator']
  num_active = 2 * int(math.log2(resolution)) - 2
  cutoffs = set()
  for step in range(30):
    clock = fakes.clock(resolution, step=step)
    w_plus = generator._mixed_w(g, batch, clock, 1.0, 20)
    w1 = g.mapping(generator._draw_z(batch, clock, 8, 20))
    w2 = g.mapping(generator._draw_z(batch, clock, 8, 21))
    is_first = np.all(np.isclose(w_plus, w1[:, None], atol=1e-6), axis=2)
    is_second = np.all(np.isclose(w_plus, w2[:, None], atol=1e-6), axis=2)
    assert np.all(is_first != is_second)
    assert np.all(is_first == is_first[:1])  # one cut-off for the minibatch
    cutoff = int(is_first[0].sum())
    assert np.all(is_first[0][:cutoff]) and np.all(is_second[0][cutoff:])
    cutoffs.add(cutoff)
  assert cutoffs == set(range(1, num_active))


def test_without_mixing_there_is_one_style(networks, batch) -> None:
  g = networks['generator']
  clock = fakes.clock(16)
  w_plus = generator._mixed_w(g, batch, clock, 0.0, 20).numpy()
  np.testing.assert_array_equal(w_plus, np.repeat(w_plus[:, :1], 6, axis=1))


def test_nine_of_ten_minibatches_mix() -> None:
  full = 0
  for step in range(400):
    cutoff = int(latent.sample_cutoff(tf.constant([1, step]), 6, 0.9))
    assert 1 <= cutoff <= 6
    full += cutoff == 6
  assert full == pytest.approx(40, abs=20)  # three sigma are 18


def test_w_avg_moves_towards_the_mean_of_w(networks, batch) -> None:
  g = networks['generator']
  g.w_avg.assign(tf.ones([8]))
  clock = fakes.clock(16)
  (variable, value), = _updates(w_avg_beta=0.75)['generator'].moves(
      networks, batch, clock)
  w = g.mapping(generator._draw_z(batch, clock, 8, 20)).numpy()
  assert variable is g.w_avg
  np.testing.assert_allclose(value, 0.75 + 0.25 * w.mean(axis=0), rtol=1e-5)
  np.testing.assert_array_equal(g.w_avg, np.ones([8]))  # assigned elsewhere


def test_the_stage_is_that_of_style_gan() -> None:
  config = fakes.small_config()
  stage = fakes.stage('generator', config)
  assert stage.averages == ('generator',)
  assert stage.resets_optimizer and stage.mirror and stage.decay == 'none'
  assert [p.resolution for p in stage.phases] == [8, 16]
  assert set(stage.outputs) == {'generator', 'generator_ema', 'discriminator'}
  assert {a.beta_1 for a in stage.adam.values()} == {0.0}
  assert {a.beta_2 for a in stage.adam.values()} == {0.99}


def test_preview_shows_the_same_latents_every_time(networks, batch) -> None:
  preview = fakes.stage('generator').preview
  both = {**networks, 'generator_ema': networks['generator']}
  one, two = (preview(both, batch, fakes.clock(step=s)) for s in (0, 7))
  assert one['generator'].shape == [4, 4, 16, 16, 3]
  np.testing.assert_array_equal(one['generator'], two['generator_ema'])
