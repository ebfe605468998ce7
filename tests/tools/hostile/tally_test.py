"""The tally counts limits and shows the worst."""

from __future__ import annotations

from tools.hostile import reading
from tools.hostile import tally


def test_limits_are_counted() -> None:
  outcomes = [
      reading.Outcome('a/x', 'face', '', 0.5, 64 << 20),
      reading.Outcome('a/x', 'voice', 'is empty', 2.0, 32 << 20),
      reading.Outcome('b/y', 'face', '', 10.0, 16 << 20),
      reading.Outcome('b/y', 'voice', '', 1.0, 1 << 30),
      reading.Outcome('z\n', 'face', 'KeyError', 0.1, 0, is_clean=False)]
  assert [o.is_broken for o in outcomes] == [False, False, True, True, True]
  lines = tally.report(outcomes, 1).splitlines()
  assert '| a | 1 | 1 | 0 | 0 | 0 |' in lines
  assert '| b | 1 | 0 | 0 | 1 | 0 |' in lines
  assert '| files | 1 | 0 | 0 | 0 | 1 |' in lines
  assert lines[-4:] == [
      '5 readings, 2 refused; 1 refusals took 2 s or more, 1 readings 10 s or '
      'more, 1 needed 1 GB, 1 ended badly.', '',
      '- slowest: `b/y` as face: 10.0 s, 16 MB, used',
      '- largest: `b/y` as voice: 1.0 s, 1024 MB, used']
