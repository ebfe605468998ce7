"""The page counts what is there and shows names as text."""

from __future__ import annotations

import json
import pathlib
import re

import pytest

from earsr_tf.data import manifest as manifest_lib
from tests import run_folder
from tools import data_card

EVIL = '<script>alert("x")</script>'


@pytest.fixture(name='data')
def _data(tmp_path: pathlib.Path) -> str:
  people = (*run_folder.PEOPLE, (
      EVIL.replace('/', '|'), -1, float('nan'), ('d_rest', 'd_pre')))
  return run_folder.write_data(tmp_path / 'data', people)


def test_counts_and_escapes(data):
  pathlib.Path(data, 'rejects-0.jsonl').write_text(
      json.dumps({'reason': f'has 0.50 s of sound {EVIL}'}) + '\n{\n'
      + json.dumps({'reason': f'has 0.73 s of sound {EVIL}'}) + '\n')
  manifest = manifest_lib.read_manifest(data)
  splits, samples = data_card.survey(manifest, 100, 4)
  by_name = {s.name: s for s in splits}
  d_pre = by_name['d_pre']
  assert (d_pre.records, d_pre.seen, d_pre.frames) == (3, 3, 6)
  assert d_pre.genders() == {'female': 1, 'male': 1, 'unknown': 1}
  assert d_pre.seconds == [5.0, 5.0, 5.0] and d_pre.ages == [30.0, 40.0]
  assert len(samples) == 4
  page = data_card.render(manifest, splits, samples)
  assert '<script' not in page and '&lt;script&gt;' in page
  assert page.count('data:image/png;base64,') == 4
  assert not re.search(r'(src|href)="(?!data:)', page)
  assert data_card.rejects(data) == [
      (f'has # s of sound {EVIL}', 2), ('unreadable line', 1)]


def test_a_share_of_each_shard_is_looked_at(data):
  manifest = manifest_lib.read_manifest(data)
  splits, _ = data_card.survey(manifest, 5, 0)
  assert [s.seen for s in splits] == [2, 1, 1, 1, 1]
  page = data_card.render(manifest, splits, [])
  assert 'in the 6 clips looked at' in page


def test_histogram():
  bars = data_card.histogram([20.0, 24.0, 25.0, 41.0], bins=5)
  assert [(b['label'], b['count'], b['share']) for b in bars] == [
      ('20', 2, 100.0), ('25', 1, 50.0), ('30', 0, 0.0), ('35', 0, 0.0),
      ('40', 1, 50.0)]
  assert [b['label'] for b in data_card.histogram([4.3, 4.45], bins=2)] == [
      '4.3', '4.4']
  assert data_card.histogram([]) == []
  assert [b['count'] for b in data_card.histogram([3.0, 3.0])] == [2]
