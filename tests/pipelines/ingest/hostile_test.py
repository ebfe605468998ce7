"""Prepare's decode on hostile files: a record, or one line."""

from __future__ import annotations

import pathlib

import pytest

from earsr_tf.data import records
from earsr_tf.media import clip_files
from earsr_tf.media import reader
from pipelines.ingest import shard
from tests import testing
from tools.hostile import corpus

_OPTIONS = shard.Options(frames_per_clip=2, image_size=16)


def _decoded(paths: list[pathlib.Path], scratch: pathlib.Path
             ) -> tuple[int, int]:
  """How many files made a record as a face, and as a voice."""
  (scratch / 'voice.wav').write_bytes(corpus.voice())
  (scratch / 'face.png').write_bytes(corpus.face())
  counts = []
  for clips in (
      [(path, scratch / 'voice.wav') for path in paths],
      [(scratch / 'face.png', path) for path in paths]):
    count = 0
    for frames, audio in clips:
      clip = clip_files.Clip(
          's', 'v', 'c', frames=str(frames), audio=str(audio))
      try:
        record = records.decode(shard.decode(clip, 'd_pre', _OPTIONS))
      except reader.MediaError as e:
        assert e.reason and str(e).isprintable()
      else:
        assert record.frames and len(record.voice) > 32000
        count += 1
    counts.append(count)
  return counts[0], counts[1]


@pytest.mark.slow
def test_made_files(tmp_path):
  paths = corpus.write(tmp_path / 'made')
  faces, voices = _decoded(paths, tmp_path)
  assert 8 <= faces <= 40 and 6 <= voices <= 40


@pytest.mark.slow
def test_all_hostile_files(tmp_path):
  root = testing.shared_dir() / 'data' / 'robustness'
  paths = sorted(p for p in root.rglob('*') if p.is_file())
  assert len(paths) == 341
  faces, voices = _decoded(paths, tmp_path)
  assert 100 <= faces <= 279 and 5 <= voices <= 110
