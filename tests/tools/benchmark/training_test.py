"""The training suites: what is counted, in which units, at which sizes."""

from __future__ import annotations

import pytest

from earsr_tf import config as config_lib
from tools.benchmark import measurement
from tools.benchmark import meters
from tools.benchmark import small
from tools.benchmark import training


def test_rows_of_a_stage_agree_with_each_other(monkeypatch) -> None:
  # Two steps a second, each of 2 images, beside a product of 100 GFLOP/s.
  monkeypatch.setattr(meters, '_MATRIX_SIDE', 64)
  counts = []

  def rounds(cases, count):
    counts.append(count)
    assert cases['step']() == images
    return {'step': measurement.Rate(2.0 * images, 1.0 * images),
            meters.MATRIX_PRODUCT: measurement.Rate(100.0, 50.0)}
  monkeypatch.setattr(measurement, 'rounds', rounds)
  from earsr_tf import presets
  images = presets.get('tiny').attributes.phases[-1].batch_size
  rows = training.stage_rows(
      'attributes', measurement.Options('', 3, (), 'tiny'))
  title = f'tiny, attributes, batch {images}: '
  found = {row.name.removeprefix(title): row for row in rows
           if row.unit != 'GFLOP a step'}
  assert counts == [3] and len(found) == len(rows) - 1
  gflop = rows[0].value
  assert 1e-5 < gflop < 10.0 and rows[0].unit == 'GFLOP a step'
  assert found['trained'].value == 2.0 * images
  assert found['operations'].value == pytest.approx(2.0 * gflop)
  assert found['operations'].per_core == pytest.approx(gflop)
  share = found['operations / matrix product']
  assert share.value == pytest.approx(2.0 * gflop / 100.0)
  assert share.per_core == pytest.approx(gflop / 50.0)
  assert share.target == '>= 0.50'
  assert 200 < found['peak memory'].value < 8000
  # The peak is of all this process has done; the estimate is of the stage, and
  # of Python and TensorFlow.
  estimate_mb = (found['peak memory'].value
                 / found['peak memory / estimate'].value)
  assert 0.7e9 / 2 ** 20 < estimate_mb < 1000


def test_the_small_suite_is_the_training_suite_at_small_sizes(
    monkeypatch) -> None:
  asked = []
  monkeypatch.setattr(
      measurement, 'alone',
      lambda function, *arguments: asked.append((function, *arguments)) or [])
  list(small.measure(measurement.Options('', 2, ('bench',), 'paper')))
  assert [(name, options.preset, options.rounds)
          for _, name, options in asked] == [
              (name, 'bench', 2) for name in config_lib.STAGES]
  assert {function for function, *_ in asked} == {training.stage_rows}
