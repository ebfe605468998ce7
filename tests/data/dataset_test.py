"""Splits: disjoint, by name alone, and stable under new clips."""

from __future__ import annotations

import collections
import dataclasses
import itertools

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import pytest

from earsr_tf.data import dataset
from earsr_tf.data import manifest
from earsr_tf.media import clip_files

_NAME = st.text('abcdefgh-_0123456789', min_size=1, max_size=6)
_VIDEOS = st.dictionaries(
    _NAME, st.sets(_NAME, min_size=1, max_size=3), min_size=1, max_size=8)


def _clips(speaker, videos, open_set=None):
  return [
      clip_files.Clip(speaker, video, clip, 'f', open_set=open_set)
      for video, clips in videos.items() for clip in clips]


def _splits(clips):
  return {c.key: split for split, c in dataset.assign_splits(clips)}


@settings(deadline=None)
@given(_NAME, _VIDEOS, st.sampled_from([None, True, False]))
def test_no_clip_is_lost_and_no_video_is_in_two_splits(speaker, videos, kind):
  clips = _clips(speaker, videos, kind)
  found = dataset.assign_splits(clips)
  assert collections.Counter(c for _, c in found) == collections.Counter(clips)
  by_video = collections.defaultdict(set)
  for split, clip in found:
    assert split in manifest.SPLITS
    by_video[clip.video].add(split)
  assert all(len(splits) == 1 for splits in by_video.values())


@settings(deadline=None)
@given(_NAME, _VIDEOS, st.sampled_from([None, True, False]))
def test_open_speakers_are_never_trained_on(speaker, videos, kind):
  clips = _clips(speaker, videos, kind)
  splits = {split for split, _ in dataset.assign_splits(clips)}
  if dataset.is_open(clips[0]):
    assert splits <= {'open_gallery', 'open_test'}
    assert 'open_test' in splits
    assert len(videos) == 1 or 'open_gallery' in splits
  else:
    assert splits <= {'d_pre', 'd_rest', 'closed_test'}
    assert 'd_pre' in splits
    assert len(videos) == 1 or 'closed_test' in splits


@settings(deadline=None)
@given(_NAME, _VIDEOS, _NAME, _NAME, st.booleans())
def test_a_new_clip_moves_no_other_but_first_and_last(
    speaker, videos, video, clip, opened):
  before = _clips(speaker, videos, opened)
  after = before + [clip_files.Clip(speaker, video, clip, 'f', open_set=opened)]
  if len({c.key for c in after}) != len(after):
    return
  old, new = _splits(before), _splits(after)
  by_hash = sorted(
      videos, key=lambda v: dataset.name_hash(f'video:{speaker}/{v}'))
  ends = {by_hash[0], by_hash[-1]}
  for key, split in old.items():
    if key.split('/')[1] not in ends:
      assert new[key] == split
  if video in videos:
    assert all(new[key] == split for key, split in old.items())


def test_order_does_not_matter():
  clips = _clips('s', {f'v{i}': {'a', 'b'} for i in range(9)})
  assert _splits(clips) == _splits(clips[::-1])


def test_known_answers():
  clips = _clips('id1', {f'v{i}': {'c'} for i in range(5)}, False)
  assert [split for split, _ in dataset.assign_splits(clips)] == KNOWN
  shares = [
      dataset.is_open(clip_files.Clip(f'id{i:05d}', 'v', 'c', 'f'))
      for i in range(4000)]
  assert 0.13 < sum(shares) / 4000 < 0.17


_WORLD = st.dictionaries(
    _NAME, st.tuples(_VIDEOS, st.sampled_from([None, True, False])),
    min_size=1, max_size=5)


@settings(deadline=None)
@given(_WORLD, st.randoms(use_true_random=False))
def test_no_video_and_no_open_speaker_is_on_both_sides(world, random):
  clips = [c for s, (videos, kind) in world.items()
           for c in _clips(s, videos, kind)]
  random.shuffle(clips)
  found = collections.defaultdict(set)
  for speaker in world:
    mine = [c for c in clips if c.speaker == speaker]
    for split, clip in dataset.assign_splits(mine, 0.3):
      found[split].add((clip.speaker, clip.video))
  for one, two in itertools.combinations(manifest.SPLITS, 2):
    assert not found[one] & found[two]
  closed = {s for split in ('d_pre', 'd_rest', 'closed_test')
            for s, _ in found[split]}
  opened = {s for split in ('open_gallery', 'open_test')
            for s, _ in found[split]}
  assert not closed & opened
  assert {s for s, _ in found['d_rest'] | found['closed_test']} <= {
      s for s, _ in found['d_pre']}


KNOWN = ['closed_test', 'd_pre', 'd_pre', 'd_pre', 'd_rest']


def test_contradictions_are_refused():
  one = clip_files.Clip('s', 'v', 'c', 'a.mp4')
  with pytest.raises(ValueError, match='two clips are called s/v/c'):
    dataset.assign_splits([one, dataclasses.replace(one, frames='b.mp4')])
  with pytest.raises(ValueError, match='one speaker'):
    dataset.assign_splits([one, clip_files.Clip('t', 'v', 'c', 'f')])


def test_get_finds_datasets_by_name():
  for name in ('voxceleb2', 'pairs', 'synthetic', 'faces'):
    assert dataset.get(name).name == name
  with pytest.raises(ValueError, match="'imagenet'; known: csv, faces, pairs"):
    dataset.get('imagenet')
