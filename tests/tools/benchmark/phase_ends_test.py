"""The suite of ends of phases: how many, and of what they are the longest."""

from __future__ import annotations

import pytest

from tools.benchmark import measurement
from tools.benchmark import phase_ends


def test_the_longest_end_is_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
  asked = []
  monkeypatch.setattr(
      measurement, 'alone',
      lambda *arguments: asked.append(arguments) or [0.5, 2.0, 0.25])
  rows = list(phase_ends.measure(
      measurement.Options('', 1, ('replicas_2',))))
  assert [arguments[:3] for arguments in asked] == [
      (phase_ends.seconds_of_ends, 2, 10)]
  assert [(row.name, row.value) for row in rows] == [
      ('replicas_2: longest of 3 ends', 2.0), ('replicas_2: all ends', 2.75)]
  assert rows[0].target == '<= 1'


def test_every_phase_has_an_end() -> None:
  ends = phase_ends.seconds_of_ends(2, 2, 0.0)
  assert len(ends) == 2 and min(ends) >= 0.0
