"""Tests of earsr_tf.training.weights: lambda_t of Eq. (2)."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf import presets
from earsr_tf.stages import stage as stage_lib
from earsr_tf.training import weights
from tests import fakes

# A window of four images and batches of one: the loss is not smoothed.
_RULE = stage_lib.HalveOnPlateau(
    initial=1.0, window_images=4, tolerance=0.01)


def _feed(weight: weights.PlateauWeight, losses: list[float], start: int = 0
          ) -> list[int]:
  """Feeds losses, a batch of one each; returns the images of the halvings."""
  return [start + i for i, loss in enumerate(losses)
          if weight.observe(loss, start + i, 1)]


def test_starts_at_its_first_value() -> None:
  weight = weights.PlateauWeight(
      rule=stage_lib.HalveOnPlateau(0.3, 10, 0.0))
  assert float(weight.value) == pytest.approx(0.3)
  assert int(weight.halvings) == 0


def test_a_falling_loss_never_halves() -> None:
  weight = weights.PlateauWeight(rule=_RULE)
  assert not _feed(weight, [100 * 0.9 ** i for i in range(50)])
  assert float(weight.value) == 1.0


def test_halves_when_the_window_has_passed_without_gain() -> None:
  weight = weights.PlateauWeight(rule=_RULE)
  # Best at image 3; images 4..6 are too early, 7 = 3 + 4 halves.
  assert _feed(weight, [10, 9, 8, 7, 7, 7, 7, 7]) == [7]
  assert (float(weight.value), int(weight.halvings)) == (0.5, 1)


def test_halves_exactly_and_again_after_each_window() -> None:
  weight = weights.PlateauWeight(rule=_RULE)
  assert _feed(weight, [7.0] * 13) == [4, 8, 12]
  assert float(weight.value) == 0.125


def test_a_gain_below_the_tolerance_is_no_gain() -> None:
  below, above = weights.PlateauWeight(rule=_RULE), weights.PlateauWeight(
      rule=_RULE)
  assert _feed(below, [100, 99.6, 99.4, 99.2, 99.1]) == [4]
  assert not _feed(above, [100, 98.9, 97.8, 96.7, 95.6])


def test_a_rising_loss_is_no_gain() -> None:
  weight = weights.PlateauWeight(rule=_RULE)
  assert _feed(weight, [1.0, 2, 3, 4, 5, 6]) == [4]


def test_after_a_halving_the_search_starts_from_the_loss_then() -> None:
  weight = weights.PlateauWeight(rule=_RULE)
  assert _feed(weight, [1.0, 2, 3, 4, 5]) == [4]
  # 4 is below 5, though above the old best: progress under the new weight.
  assert not _feed(weight, [4, 3.9, 3.8, 3.7, 3.6], start=5)


def test_smoothing_hides_a_single_lucky_batch() -> None:
  rule = stage_lib.HalveOnPlateau(1.0, 40, 0.01)
  weight = weights.PlateauWeight(rule=rule)
  # share = 1 / (0.25 * 40) = 0.1: one batch of 50 moves 100 to 95.
  weight.observe(100.0, 0, 1)
  weight.observe(50.0, 1, 1)
  assert float(weight._smooth) == pytest.approx(95.0)
  assert float(weight._best) == pytest.approx(95.0)


def test_the_log_names_lambda_t_and_the_distance_of_g() -> None:
  rule, = (weight for weight in fakes.stage('finetune').updates[0].weights
           .values() if isinstance(weight, stage_lib.HalveOnPlateau))
  assert rule.smoothing == 0.25
  weight = weights.PlateauWeight(rule=rule)
  _feed(weight, [7.0] * 9)  # a window of eight images
  assert weight.describe(8, 0.125) == (
      'lambda_t halved to 0.5 (halving 1) at 8 images, |G - G_init|^2 = 0.125')


def test_smoothing_is_a_share_of_the_window() -> None:
  rule = stage_lib.HalveOnPlateau(1.0, 40, 0.01, smoothing=0.5)
  weight = weights.PlateauWeight(rule=rule)
  weight.observe(100.0, 0, 1)
  weight.observe(60.0, 1, 1)
  assert float(weight._smooth) == pytest.approx(98.0)  # 100 - 40 / 20


@pytest.mark.parametrize('preset', ['demo', 'bench'])
def test_lambda_t_is_halved_eight_times_and_lets_g_go(preset: str) -> None:
  """Eq. (2) as gradient descent on one weight, with the preset's rule.

  G's weight g is pulled from g_init = 0 to 1 by the images and back by
  lambda_t g^2, here a thousand times as strong, as a sum over many weights is.
  """
  tune = presets.get(preset).finetune
  weight = weights.PlateauWeight(rule=stage_lib.HalveOnPlateau(
      tune.lambda_t, tune.plateau_images, tune.plateau_tolerance,
      tune.plateau_smoothing))
  batch = tune.plateau_images // 20  # coarse, to be quick
  random, g, log = np.random.RandomState(0), 0.0, []
  for images in range(0, sum(p.images for p in tune.phases), batch):
    pull = 1000.0 * float(weight.value)
    noise = 0.02 * random.normal() / np.sqrt(batch)
    loss = 0.2 + 0.5 * np.exp(-images / (4 * tune.plateau_images)) + noise
    loss += (1.0 - g) ** 2 + pull * g ** 2
    if weight.observe(loss, images, batch):
      log.append((images, g))
    g += 0.5 * (1.0 / (1.0 + pull) - g)  # half of the way to the minimum
  assert len(log) == int(weight.halvings) >= 8
  assert float(weight.value) == tune.lambda_t * 0.5 ** len(log)
  distances = [g ** 2 for _, g in log]
  assert distances == sorted(distances)
  assert distances[-1] > 1000 * distances[0]


def test_state_survives_a_checkpoint(tmp_path: pathlib.Path) -> None:
  straight, first, second = (
      weights.PlateauWeight(rule=_RULE) for _ in range(3))
  losses = [10.0, 9, 9, 9, 9, 9, 9, 8, 8, 8, 8, 8, 8, 8]
  expected = _feed(straight, losses)
  assert len(expected) == 2
  for cut in range(1, len(losses)):
    first = weights.PlateauWeight(rule=_RULE)
    before = _feed(first, losses[:cut])
    path = tf.train.Checkpoint(weights=[first]).write(str(tmp_path / 'c'))
    second = weights.PlateauWeight(rule=_RULE)
    tf.train.Checkpoint(weights=[second]).read(path).assert_consumed()
    assert float(second.value) == float(first.value)
    assert before + _feed(second, losses[cut:], cut) == expected, cut


def test_make_finds_the_weights_that_change() -> None:
  assert list(weights.make(fakes.stage('finetune'))) == [
      'finetune/weight_distance']
  assert not weights.make(fakes.stage('invert'))
