"""When a stage goes on and when it starts anew."""

from __future__ import annotations

import pathlib

import pytest

from earsr_tf import durable
from pipelines import executors
from pipelines import reporting


def test_an_interrupted_stage_goes_on(tmp_path: pathlib.Path) -> None:
  begun = tmp_path / executors.RUNS / 'invert' / 'checkpoints'
  assert not executors._trained_for('invert', tmp_path, 'key 1')
  begun.mkdir(parents=True)
  assert executors._trained_for('invert', tmp_path, 'key 1')
  assert begun.exists()


def test_a_stage_for_another_purpose_starts_anew(
    tmp_path: pathlib.Path) -> None:
  begun = tmp_path / executors.RUNS / 'invert' / 'checkpoints'
  executors._trained_for('invert', tmp_path, 'key 1')
  begun.mkdir(parents=True)
  assert not executors._trained_for('invert', tmp_path, 'key 2')
  assert not begun.exists()


def test_errors_carry_the_component(tmp_path: pathlib.Path) -> None:
  with pytest.raises(OSError) as error:
    with executors.step('Prepare', 'decoding'):
      raise OSError('first line\nsecond line')
  assert reporting.failed_component(error.value) == 'Prepare'
  assert reporting.failure(error.value, tmp_path) == (
      f'Prepare: first line second line; see {tmp_path}/log')


def test_time_table() -> None:
  class Step:
    def __init__(self, name: str, state: str, seconds: float):
      self.name, self.state, self.seconds = name, state, seconds
  table = reporting.time_table(
      [Step('Prepare', 'CACHED', 0.1), Step('Generator', 'COMPLETE', 20.0)],
      31.5)
  assert [line.split() for line in table.splitlines()] == [
      ['component', 'seconds'], ['Prepare', 'cached'], ['Generator', '20.0'],
      ['imports,', 'TFX', '11.5'], ['total', '31.5']]


def test_json_is_whole_or_absent(tmp_path: pathlib.Path) -> None:
  path = tmp_path / 'a' / 'b.json'
  durable.write_json(path, {'x': 1})
  with pytest.raises(TypeError):
    durable.write_json(path, {'x': object()})
  assert path.read_text() == '{\n  "x": 1\n}\n'
  assert [p.name for p in path.parent.iterdir()] == ['b.json']
