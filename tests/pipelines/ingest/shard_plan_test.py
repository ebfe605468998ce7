"""The plan: slices that come back, digests that tell what changed."""

from __future__ import annotations

import dataclasses
import math

import pytest

from earsr_tf.data import dataset
from earsr_tf.media import clip_files
from pipelines.ingest import shard_plan


def _jobs(count):
  return [((('d_pre', 'd_rest')[i % 2], i % 3), clip_files.Clip(
      f's{i % 5}', 'v', str(i), f'/in/mp4/{i}.mp4', audio='gs://b/1.wav',
      boxes='/other/b.txt', age=math.nan if i % 2 else 40.5, fps=25.0,
      refused='no' if i == 7 else '')) for i in range(count)]


def _write(jobs, path, **changes):
  drafted = shard_plan.draft(jobs, changes.pop('base', '/in'))
  return shard_plan.write(
      drafted, str(path), **{'shards': 3, 'fingerprint': 'f', **changes})


def test_slices_hold_the_clips_in_order_of_hash(tmp_path):
  jobs = _jobs(40)
  parts = _write(jobs[::-1], tmp_path / 'p')
  assert [p.file for p in parts] == [
      f'{split}-{n:05d}-of-00003.tfrecord'
      for split in ('d_pre', 'd_rest') for n in range(3)]
  assert shard_plan.total(parts) == 40
  for part in parts:
    clips = list(shard_plan.read(str(tmp_path / 'p'), part, '/in'))
    assert len(clips) == part.clips
    wanted = [clip for (split, n), clip in jobs
              if part.file.startswith(f'{split}-{n:05d}')]
    wanted.sort(key=lambda c: dataset.name_hash(c.key))
    assert [repr(c) for c in clips] == [repr(c) for c in wanted]


def test_a_digest_is_that_of_its_own_clips(tmp_path):
  jobs = _jobs(40)
  before = _write(jobs, tmp_path / 'p')
  more = [*jobs, (('d_rest', 2), clip_files.Clip('s', 'v', 'new', '/in/n.mp4'))]
  after = _write(more, tmp_path / 'q')
  assert [a.digest == b.digest for a, b in zip(before, after)] == [
      True] * 5 + [False]
  other = _write(jobs, tmp_path / 'r', fingerprint='g')
  assert not {p.digest for p in before} & {p.digest for p in other}
  moved = [(place, dataclasses.replace(
      c, frames=c.frames.replace('/in', '/on'))) for place, c in jobs]
  there = _write(moved, tmp_path / 's', base='/on')
  assert [p.digest for p in there] == [p.digest for p in before]


def test_a_full_disk_is_named(tmp_path):
  drafted = shard_plan.draft(_jobs(3), '/in')
  drafted.execute('DROP TABLE lines')  # any error of the database
  with pytest.raises(OSError, match='temporary file.*SQLITE_TMPDIR'):
    shard_plan.write(drafted, str(tmp_path / 'p'), shards=3, fingerprint='f')
  assert not list(tmp_path.iterdir())


def test_errors_of_the_list_pass():
  def jobs():
    yield from _jobs(2)
    raise KeyError('of mine')
  with pytest.raises(KeyError, match='of mine'):
    shard_plan.draft(jobs(), '/in')
