"""Chunks, markers and scans are counted before anything is decoded."""

from __future__ import annotations

import pytest

from earsr_tf.media import structure
from tools.hostile import corpus


@pytest.mark.parametrize('kind, options', [
    ('PNG', {}), ('JPEG', {}), ('JPEG', {'progressive': True})])
@pytest.mark.parametrize('side', [8, 64, 300])
def test_good_pictures_have_no_problem(kind, options, side):
  data = corpus.face(side, kind, **options)
  assert structure.problem(kind, data) == ''
  for cut in (0, 1, 3, 9, 20, len(data) // 2):
    assert structure.problem(kind, data[:cut]) == ''


def _scans(data: bytes, count: int) -> bytes:
  """Repeats the last scan."""
  start, end = data.rindex(b'\xff\xda'), data.rindex(b'\xff\xd9')
  return data[:end] + data[start:end] * count + data[end:]


def test_scans_are_counted_with_their_pixels(monkeypatch):
  small = corpus.face(64, 'JPEG', progressive=True)
  assert structure.problem('JPEG', _scans(small, 80)) == ''
  assert structure.problem('JPEG', _scans(small, 95)) == (
      'has more than 100 scans')
  # 4096 x 4096 may have 16 scans, as 64 x 64 may under this limit.
  monkeypatch.setattr(structure, '_MAX_SCANNED_PIXELS', 64 * 64 * 16)
  assert structure.problem('JPEG', small) == ''
  assert structure.problem('JPEG', _scans(small, 20)) == (
      'has 17 scans or more of 0.0 million pixels')


def test_chunks_and_markers_are_counted():
  png, jpeg = corpus.face(), corpus.face(64, 'JPEG')
  chunk = bytes(4) + b'teSt' + bytes(4)
  assert structure.problem('PNG', png[:33] + chunk * 19_000 + png[33:]) == ''
  assert 'chunks' in structure.problem(
      'PNG', png[:33] + chunk * 20_000 + png[33:])
  comment = b'\xff\xfe\0\2'
  assert structure.problem('JPEG', jpeg[:2] + comment * 1900 + jpeg[2:]) == ''
  assert 'markers' in structure.problem(
      'JPEG', jpeg[:2] + comment * 2000 + jpeg[2:])
  assert structure.problem('BMP', chunk * 30_000) == ''
