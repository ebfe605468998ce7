"""Tests of earsr_tf.training.prediction: what is tried, and what follows."""

from __future__ import annotations

import pytest

from earsr_tf import presets
from earsr_tf.training import memory
from earsr_tf.training import prediction
from earsr_tf.training import trial_step


def _trial(batch_size: int, seconds: float) -> prediction.Trial:
  return prediction.Trial(batch_size, seconds, 2.0 * seconds, 2e9, 3e9)


@pytest.mark.parametrize('batch_size, flop, sizes', [
    (16, 5e11, (16,)),  # short enough
    (2, 9e12, (2,)),  # nothing smaller would show a line
    (32, 16e12, (1, 2)),
    (64, 6e12, (2, 4)),
    (256, 4.8e12, (8, 16))])
def test_batches_that_would_take_minutes_are_tried_smaller(
    batch_size: int, flop: float, sizes: tuple[int, ...]) -> None:
  assert prediction.tried_sizes(batch_size, flop) == sizes


def test_a_line_goes_through_two_trials() -> None:
  # A step costs 1 s, and half a second an image.
  found = prediction.extrapolated([_trial(2, 2.0), _trial(4, 3.0)], 10, 8e9)
  assert found.seconds == pytest.approx(6.0)
  assert found.processor_seconds == pytest.approx(12.0)
  # The count was a third too low.
  assert found.peak_bytes == pytest.approx(12e9)
  shown = found.to_json()
  assert shown['images_per_second'] == pytest.approx(10 / 6, abs=1e-3)
  assert shown['tried_batches'] == [2, 4] and shown['peak_memory_gb'] == 12.0


def test_noise_does_not_make_images_free() -> None:
  found = prediction.extrapolated([_trial(2, 3.0), _trial(4, 2.0)], 8, 2e9)
  assert found.seconds == pytest.approx(3.0)  # 2 s, and a quarter for each


def test_one_trial_of_the_whole_batch_is_the_prediction() -> None:
  found = prediction.extrapolated([_trial(8, 2.5)], 8, 2e9)
  assert (found.seconds, found.peak_bytes) == (2.5, 3e9)


def test_steps_are_taken_and_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
  step = trial_step.TrialStep(
      name='attributes', config=prediction.without_files(presets.get('tiny')))
  taken, take = [], trial_step.TrialStep.take
  monkeypatch.setattr(
      trial_step.TrialStep, 'take',
      lambda made: taken.append(made.cost.phase.batch_size) or take(made))
  # Half of the operations are too many: two smaller batches.
  whole = step.cost.phase.batch_size
  monkeypatch.setattr(
      prediction, '_TRIED_FLOP', sum(step.cost.flop.values()) * 2.1 / whole)
  found = prediction.predict(step, 2)
  assert found.batch_size == whole and found.tried == (1, 2)
  assert taken == [1] * 4 + [2] * 4
  assert 0.0 < found.seconds < 60.0
  assert 1e8 < found.peak_bytes < 1e11


def test_too_little_memory_is_said_before_anything_is_allocated(
    monkeypatch: pytest.MonkeyPatch) -> None:
  step = trial_step.TrialStep(
      name='attributes', config=prediction.without_files(presets.get('tiny')))
  monkeypatch.setattr(memory, 'available_bytes', lambda: 1e8)
  monkeypatch.setattr(
      trial_step.TrialStep, 'take', lambda made: pytest.fail('a step'))
  with pytest.raises(memory.OutOfMemoryError) as caught:
    prediction.predict(step, 1)
  assert '0.1 GB are free' in str(caught.value)
  assert '--trial_steps=0' in str(caught.value)
