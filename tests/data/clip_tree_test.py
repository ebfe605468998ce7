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
  return clip_tree.list_clips(str(root), files.LOCAL, {'a': 1})


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
