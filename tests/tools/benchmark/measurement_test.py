"""Benchmarks measure what they say; nothing here depends on the clock."""

from __future__ import annotations

from tools.benchmark import measurement


def test_rounds_are_medians_of_turns(monkeypatch):
  times = iter(range(100))
  monkeypatch.setattr(measurement.time, 'perf_counter', lambda: next(times))
  busy = iter(range(0, 1000, 2))
  monkeypatch.setattr(measurement, 'processor_seconds', lambda: next(busy))
  order = []

  def case(name, units):
    order.append(name)
    return units
  rates = measurement.rounds({
      'a': lambda: case('a', 5), 'b': lambda: case('b', 7)}, 3)
  assert rates == {
      'a': measurement.Rate(5.0, 2.5), 'b': measurement.Rate(7.0, 3.5)}
  assert order == list('ababab')


def test_the_table_has_a_row_each():
  rows = [measurement.Row('one', 1234.5, 'clips/s', '>= 2', 617.2),
          measurement.Row('two', 0.8123, 'x')]
  assert measurement.table(rows).splitlines()[2:] == [
      '| one | 1234 clips/s | 617 | >= 2 |', '| two | 0.81 x |  |  |']
  assert measurement.machine()['cores'] >= 1
  assert measurement.peak_memory() > 1


def test_a_peak_begins_again():
  measurement.restart_peak_memory()  # of what tests before this one needed
  block = b'x' * (1 << 27)
  high = measurement.peak_memory()
  del block
  measurement.restart_peak_memory()
  assert 1 < measurement.peak_memory() < high - 32
