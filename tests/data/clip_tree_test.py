"""Trees of clips, in whatever kinds they come."""

from __future__ import annotations

import os
import pathlib

import pytest

from earsr_tf.data import clip_tree
from earsr_tf.data import files
from earsr_tf.data import manifest


def _tree(root: pathlib.Path, *names: str) -> None:
  for name in names:
    path = root / os.fsdecode(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def _list(root):
  return list(clip_tree.list_clips(str(root), files.LOCAL, {'a': 1}))


def test_kinds_find_each_other(tmp_path):
  _tree(
      tmp_path, 'dev/mp4/a/v/1.mp4', 'dev/aac/a/v/1.m4a', 'dev/txt/a/v/1.txt',
      'dev/frames/a/v/2/0.jpg', 'dev/frames/a/v/2/1.jpg', 'dev/wav/a/v/2.wav',
      'mp4/b/v/3/0.PNG', 'mp4/b/v/3.flac',  # a folder, its sound beside it
      'test/mp4/c/v/4.mp4', 'dev/frames/a/v/5/0.jpg', 'dev/wav/a/v/6.wav')
  found = {c.clip: c for c in _list(tmp_path)}
  assert sorted(found) == ['1', '2', '3', '4']
  base = str(tmp_path)
  assert (found['1'].frames, found['1'].audio, found['1'].boxes) == tuple(
      f'{base}/dev/{name}' for name in (
          'mp4/a/v/1.mp4', 'aac/a/v/1.m4a', 'txt/a/v/1.txt'))
  assert found['2'].frames == f'{base}/dev/frames/a/v/2'
  assert found['2'].audio == f'{base}/dev/wav/a/v/2.wav'
  assert found['3'].frames == f'{base}/mp4/b/v/3'
  assert [found[n].fps for n in '1234'] == [25, 0, 0, 25]
  assert [found[n].open_set for n in '1234'] == [None, None, None, True]
  assert [found[n].gender for n in '1234'] == [1, 1, -1, -1]


def test_voices_without_pictures_are_counted(tmp_path):
  _tree(tmp_path, 'wav/a/v/1.wav', 'wav/a/v/2.wav')
  with pytest.raises(manifest.MissingDataError, match='beside 2 voices'):
    _list(tmp_path)


def test_odd_names_links_and_loops(tmp_path):
  _tree(tmp_path, 'elsewhere/v/1.mp4')
  (tmp_path / 'mp4').mkdir()
  (tmp_path / 'mp4' / 'a').symlink_to(tmp_path / 'elsewhere')
  (tmp_path / 'mp4' / 'self').symlink_to(tmp_path / 'mp4')
  (tmp_path / 'mp4' / 'a' / 'v' / 'gone.mp4').symlink_to('nowhere')
  (tmp_path / 'mp4' / 'a' / 'v' / os.fsdecode(b'\xff.mp4')).touch()
  keys = [c.key for c in _list(tmp_path) if c.speaker == 'a']
  assert keys == ['a/v/1', 'a/v/\\udcff', 'a/v/gone']
  for key in keys:
    key.encode()


def test_speakers_come_one_after_the_other(tmp_path):
  """`a-b` is between `a` and `a/...` for those who compare whole paths."""
  _tree(tmp_path, 'dev/mp4/a/v/1.mp4', 'dev/mp4/a-b/v/2.mp4',
        'test/mp4/a/v/3.mp4', 'dev/aac/a/v/1.m4a', 'mp4/b/v/4.mp4',
        'dev/aac/b/v/4.m4a', 'dev/mp4/a/u/5.mp4')
  found = _list(tmp_path)
  assert [c.key for c in found] == [
      'a/u/5', 'a/v/1', 'a/v/3', 'a-b/v/2', 'b/v/4']
  assert found[1].audio == f'{tmp_path}/dev/aac/a/v/1.m4a'
  assert [c.open_set for c in found] == [None, None, True, None, None]


def test_one_speaker_is_listed_at_a_time(tmp_path):
  _tree(tmp_path, *(f'mp4/s{i}/v/{i}.mp4' for i in range(9)))
  opened = []

  class Files(files.LocalFiles):
    """Notes the folders that are listed."""

    def walk(self, folder, depth):
      opened.append(os.path.basename(folder))
      return super().walk(folder, depth)

  clips = clip_tree.list_clips(str(tmp_path), Files(), {})
  assert next(clips).speaker == 's0'
  assert 's8' not in opened
  assert [c.speaker for c in clips] == [f's{i}' for i in range(1, 9)]
  assert 's8' in opened
