"""The serving suite: signatures of an export of random weights, a server."""

from __future__ import annotations

import pytest

from tools import serve_soak
from tools.benchmark import inference
from tools.benchmark import measurement
from tools.benchmark import serving


def test_signatures_are_called_until_there_are_faces_enough() -> None:
  calls = []

  class Value:
    """Counts how often it is fetched."""

    def numpy(self) -> None:
      calls.append(1)
  assert serving._faces(lambda **given: {'image': Value()}, {}, 1) == 16
  assert serving._faces(lambda **given: {'image': Value()}, {}, 8) == 16
  assert len(calls) == 16 + 2


@pytest.mark.slow
def test_both_signatures_make_faces(tmp_path, monkeypatch) -> None:
  monkeypatch.setattr(serving, '_BATCHES', (2,))
  monkeypatch.setattr(serving, '_LEAST_FACES', 2)
  version = inference.export_random('tiny', str(tmp_path))
  rows = serving._signature_rows(
      version, measurement.Options('', 1, (), 'tiny'))
  assert [row.name for row in rows] == [
      'batch 2: super_resolve', 'batch 2: super_resolve_bytes',
      'peak memory of all of these']
  assert all(row.value > 0 for row in rows)
  assert {row.unit for row in rows} == {'faces/s', 'MB'}


def test_a_server_is_loaded_with_and_without_batches_in_turns(
    monkeypatch) -> None:
  asked = []

  def soak(folder: str, **options: object) -> serve_soak.Answers:
    asked.append(options['batches'])
    # 30, 10 and 20 answers in 10 s, for 2 s of processor time.
    count = (30, 30, 10, 10, 20, 20)[len(asked) - 1]
    return serve_soak.Answers([1.0] * count, {}, [100.0, 90.0], 10.0, 2.0)
  monkeypatch.setattr(serve_soak, 'soak', soak)
  rows = list(serving._server_rows(
      'folder', measurement.Options('', 3, (), 'tiny')))
  assert asked == [True, False] * 3
  assert (rows[0].value, rows[0].per_core) == (2.0, 10.0)
  assert rows[1].value == 100.0 and rows[2].value == 2.0
