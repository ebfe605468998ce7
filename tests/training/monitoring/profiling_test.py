"""Tests of earsr_tf.training.monitoring.profiling."""

from __future__ import annotations

import pathlib

import pytest
import tensorflow as tf

from earsr_tf.training.monitoring import profiling


@pytest.fixture(name='calls')
def _calls(monkeypatch: pytest.MonkeyPatch) -> list[object]:
  """What the profiler is told, in order."""
  calls: list[object] = []
  monkeypatch.setattr(
      tf.profiler.experimental, 'start', lambda folder: calls.append('start'))
  monkeypatch.setattr(
      tf.profiler.experimental, 'stop', lambda: calls.append('stop'))
  return calls


@pytest.mark.parametrize('steps, trained, expected', [
    ((1, 2), range(5), [0, 'start', 1, 2, 'stop', 3, 4]),
    ((3, 3), range(5), [0, 1, 2, 'start', 3, 'stop', 4]),
    ((0, 9), range(2), ['start', 0, 1, 'stop']),  # ends before its last step
    ((1, 3), range(2, 5), ['start', 2, 3, 'stop', 4]),  # goes on amid it
    ((7, 9), range(2), [0, 1]),
    (None, range(2), [0, 1])])
def test_the_steps_asked_for_are_recorded(
    tmp_path: pathlib.Path, calls: list[object],
    steps: tuple[int, int] | None, trained: range, expected: list[object]
    ) -> None:
  profile = profiling.Profile(steps=steps, folder=tmp_path)
  for number in trained:
    with profile.step(number):
      calls.append(number)
  profile.close()
  assert calls == expected


def test_an_error_within_a_step_passes_and_ends_the_profile(
    tmp_path: pathlib.Path, calls: list[object]) -> None:
  profile = profiling.Profile(steps=(0, 5), folder=tmp_path)
  with pytest.raises(StopIteration):
    with profile.step(0):
      raise StopIteration
  profile.close()
  assert calls == ['start', 'stop']


def test_steps_that_never_came_are_told(
    tmp_path: pathlib.Path, calls: list[object],
    caplog: pytest.LogCaptureFixture) -> None:
  profile = profiling.Profile(steps=(7, 9), folder=tmp_path)
  profile.close()
  assert not calls
  assert 'no step from 7 to 9 was trained' in caplog.text


def test_tensorboard_finds_the_files(tmp_path: pathlib.Path) -> None:
  profile = profiling.Profile(steps=(0, 0), folder=tmp_path)
  with profile.step(0):
    tf.reduce_sum(tf.ones([64, 64]) @ tf.ones([64, 64]))
  profile.close()
  found = list((tmp_path / 'plugins' / 'profile').glob('*/*.xplane.pb'))
  assert len(found) == 1 and found[0].stat().st_size > 100
