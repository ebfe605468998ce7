"""The training suites: what is counted, in which units, at which sizes."""

from __future__ import annotations

import pytest

from earsr_tf import config as config_lib
from earsr_tf.training import prediction
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
  # Half the time that a step takes here, and 1 GB.
  rows = training.stage_rows(
      'attributes', measurement.Options('', 3, (), 'tiny'),
      prediction.Prediction(images, (images,), 0.25, 0.5, 2.0 ** 30))
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
  predicted = found['step / predicted']
  assert (predicted.value, predicted.per_core) == pytest.approx((2.0, 2.0))
  assert found['predicted'].value == pytest.approx(4.0 * images)
  assert found['peak memory / predicted'].value == pytest.approx(
      found['peak memory'].value / 1024)


def test_the_small_suite_is_the_training_suite_at_small_sizes(
    monkeypatch) -> None:
  asked = []
  monkeypatch.setattr(
      measurement, 'alone',
      lambda function, *arguments: asked.append((function, *arguments)) or [])
  list(small.measure(measurement.Options('', 2, ('bench',), 'paper')))
  assert [(name, options.preset, options.rounds)
          for _, name, options, *_ in asked] == [
              (name, 'bench', 2) for name in config_lib.STAGES
              for _ in range(2)]
  # What is predicted goes to what is measured.
  assert [function for function, *_ in asked[:2]] == [
      training.predicted_step, training.stage_rows]
  assert asked[1][3] == []
