"""Hostile media end soon, with success or one line; a sample of each kind."""

from __future__ import annotations

import collections
import csv
import time

import numpy as np
import pytest

from earsr_tf.media import reader
from tests import testing

LIMIT_S = 10
SAMPLE = 40


def _files(sample: int | None) -> list:
  """Paths of robustness/, spread over folders; the hang/ files first."""
  root = testing.shared_dir() / 'data'
  with open(root / 'ROBUSTNESS.tsv', encoding='utf-8', newline='') as f:
    rows = list(csv.DictReader(f, delimiter='\t', quoting=csv.QUOTE_NONE))
  folders = collections.defaultdict(list)
  for row in rows:
    folders[row['file'].split('/')[0]].append(root / 'robustness' / row['file'])
  found = sorted((root / 'robustness' / 'hang').iterdir())
  if sample is None:
    return found + [p for paths in folders.values() for p in paths]
  share = -(-(sample - len(found)) // len(folders))
  for paths in folders.values():
    found += [paths[i] for i in reader.spread(len(paths), share)]
  return found


def _readings(path) -> int:
  """Reads a file in all three ways, asserts how each ends, counts successes."""
  successes = 0
  for read in (lambda p: reader.read_image(p, 8), reader.read_audio,
               lambda p: reader.read_video_frames(p, 2, 8)):
    start = time.monotonic()
    try:
      array = read(path)
    except reader.MediaError as e:
      assert '\n' not in str(e) and str(e).startswith(str(path))
      assert e.reason and e.exit_code == 65
    else:
      assert array.size and array.dtype in (np.uint8, np.int16)
      successes += 1
    assert time.monotonic() - start < LIMIT_S, path
  return successes


def test_forty_hostile_files():
  files = _files(SAMPLE)
  assert len(files) >= SAMPLE
  assert 10 <= sum(bool(_readings(path)) for path in files) < len(files)


@pytest.mark.slow
def test_all_hostile_files():
  assert 150 <= sum(bool(_readings(p)) for p in _files(None)) <= 341
