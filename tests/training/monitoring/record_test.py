"""Tests of training.monitoring.record: lines are whole, or the run stops."""

from __future__ import annotations

import json
import pathlib

import pytest

from earsr_tf.training import store
from earsr_tf.training.monitoring import record


def _lines(folder: pathlib.Path) -> list[dict[str, float]]:
  text = (folder / 'metrics.jsonl').read_text(encoding='utf-8')
  return [json.loads(line) for line in text.splitlines()]


def test_lines_beyond_the_checkpoint_and_torn_ones_are_forgotten(
    tmp_path: pathlib.Path) -> None:
  lines = record.Record(folder=tmp_path, images=0)
  for images in (4, 8, 12):
    lines.write({'images': images, 'loss/x': images / 8})
  lines.sync()
  lines.close()
  with open(tmp_path / 'metrics.jsonl', 'a', encoding='utf-8') as file:
    file.write('{"images": 16, "lo')
  lines = record.Record(folder=tmp_path, images=8)
  assert [x['images'] for x in _lines(tmp_path)] == [4, 8]
  lines.write({'images': 12, 'loss/x': 7.0})
  lines.rewind(4)
  lines.write({'images': 8, 'loss/x': 9.0})
  lines.close()
  assert _lines(tmp_path) == [
      {'images': 4, 'loss/x': 0.5}, {'images': 8, 'loss/x': 9.0}]
  assert [p.name for p in tmp_path.iterdir()] == ['metrics.jsonl']


def test_every_line_is_there_without_closing(tmp_path: pathlib.Path) -> None:
  lines = record.Record(folder=tmp_path, images=0)
  lines.write({'images': 4, 'loss/x': 0.1})
  assert _lines(tmp_path) == [{'images': 4, 'loss/x': 0.1}]
  lines.close()


def test_lines_are_strict_json(tmp_path: pathlib.Path) -> None:
  lines = record.Record(folder=tmp_path, images=0)
  lines.write({'images': 4, 'a': float('nan'), 'b': float('-inf'), 'c': 1.0})
  lines.close()
  assert _lines(tmp_path) == [{'images': 4, 'a': None, 'b': None, 'c': 1.0}]


def test_a_full_disk_is_a_sentence_with_the_path(
    tmp_path: pathlib.Path) -> None:
  (tmp_path / 'metrics.jsonl').symlink_to('/dev/full')
  lines = record.Record(folder=tmp_path, images=0)
  with pytest.raises(store.StorageError) as error:
    lines.write({'images': 4})
  assert f'{tmp_path}/metrics.jsonl: 14 bytes cannot be written' in str(
      error.value)
  assert error.value.exit_code == 74
