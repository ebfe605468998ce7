"""Figures of prepared data against what was written."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from earsr_tf.data import figures
from earsr_tf.data import manifest as manifest_lib
from earsr_tf.data import records
from earsr_tf.media import reader
from tests import run_folder


def test_summary(tmp_path) -> None:
  data = run_folder.write_data(tmp_path / 'data')
  manifest = manifest_lib.read_manifest(data)
  found = figures.summary(manifest, figures.count(manifest, 100))
  assert found['clips'] == {
      'd_pre': 2, 'd_rest': 0, 'closed_test': 2, 'open_gallery': 2,
      'open_test': 2}
  assert found['speakers'] == {'female': 2, 'male': 2, 'unknown': 0}
  assert (found['women'], found['refused'], found['seen']) == (0.5, 0, 8)
  assert found['sides'] == {'128': 16} and found['seconds'] == 5.0
  assert found['silent'] == 0.0 and found['sha256'] == manifest.sha256
  assert found['hours'] == pytest.approx(8 * 5 / 3600)


@pytest.mark.parametrize('amplitude, level_db', [
    (0, -120.0), (100, -53.32), (16384, -9.03), (32767, -3.01)])
def test_level_of_a_sine(amplitude: int, level_db: float) -> None:
  sine = np.sin(2 * np.pi * 200 * np.arange(16000) / 16000)
  split = figures.Split('d_pre', 1)
  figures._add(split, records.ClipRecord(
      's', 'v', 'c', 'd_pre', 0, math.nan,
      [reader.encode_png(np.zeros([8, 8, 3], np.uint8))],
      reader.encode_wav(np.round(amplitude * sine).astype(np.int16))))
  assert split.loudness_db == [pytest.approx(level_db, abs=0.05)]
  assert split.sides == {8: 1} and split.seconds == [1.0] and not split.ages


def test_splits_are_counted_alone() -> None:
  one, two = figures.Split('a', 1), figures.Split('b', 2)
  one.seconds.append(1.0)
  one.sides[8] += 1
  assert two.seconds == [] and not two.sides
  assert dataclasses.asdict(two)['records'] == 2
