"""Tests of earsr_tf.training.weights: lambda_t of Eq. (2)."""

from __future__ import annotations

import pathlib

import pytest
import tensorflow as tf

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
  # pylint: disable=protected-access
  assert float(weight._smooth) == pytest.approx(95.0)
  assert float(weight._best) == pytest.approx(95.0)


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
