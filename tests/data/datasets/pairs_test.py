"""Folders of face + voice pairs."""

from __future__ import annotations

import collections

import pytest

from earsr_tf.data import dataset
from earsr_tf.data import manifest
from earsr_tf.data.datasets import pairs
from tests import testing

HEADER = 'file\taudio\tspeaker_id\tgender\tmedia\n'


def _list(folder, text):
  (folder / 'MANIFEST.tsv').write_text(text)
  return pairs.list_clips(str(folder))


def test_reads_pairs_videos_and_folders(tmp_path):
  clips = _list(tmp_path, HEADER + (
      'a/1.jpg\ta/1.wav\tp:1\tf\tpair\n'
      'v/2.mp4\t(muxed)\tp/2\tm\ttalking-face video+audio\n'
      'v/3.mp4\t\tp3\tmm\t\n'
      'b/*.jpg\tb.flac\tp4\tm\tframes\n'))
  assert [(c.key, c.gender) for c in clips] == [
      ('p3/3/3', -1), ('p4/b/b', 1), ('p:1/1/1', 0), ('p_2/2/2', 1)]
  assert clips[0].audio == '' and clips[0].frames == str(tmp_path / 'v/3.mp4')
  assert clips[1].frames == str(tmp_path / 'b')
  assert clips[2].audio == str(tmp_path / 'a/1.wav')


def test_skips_what_is_no_pair(tmp_path):
  clips = _list(tmp_path, HEADER + (
      'a.jpg\t\tp\tf\tface\n'
      'a.flac\t\tp\tf\tspeech\n'
      'a.jpg\ta.wav\t\tf\tpair\n'
      'good.png\tgood.wav\tp\tf\tpair\n'))
  assert [c.clip for c in clips] == ['good']


def test_talking_heads_need_boxes(tmp_path):
  rows = HEADER + ''.join(
      f'{n}.mpg\t(muxed)\tp\tf\ttalking-head video\n' for n in 'ab')
  (tmp_path / 'b.txt').write_text('FRAME X Y W H\n')
  one, two = _list(tmp_path, rows)
  assert 'FRAME X Y W H' in one.refused and not one.boxes
  assert not two.refused and two.boxes == str(tmp_path / 'b.txt')


def test_a_folder_below_the_manifest_takes_its_rows(tmp_path):
  (tmp_path / 'in').mkdir()
  _list(tmp_path, HEADER + (
      'in/1.mp4\t\tp\tf\t\nin2/2.mp4\t\tp\tf\t\n'))
  clips = pairs.list_clips(str(tmp_path / 'in'))
  assert [c.frames for c in clips] == [str(tmp_path / 'in/1.mp4')]


def test_one_youtube_video_is_one_video(tmp_path):
  row = 'F/0012Kel_Mitchell_{0}.jpg\tW/0012Kel_Mitchell_{0}.wav\tp\tm\t\n'
  clips = _list(tmp_path, HEADER + ''.join(row.format(n) for n in (
      'FnnoLeOEHuk_0000002', 'FnnoLeOEHuk_0000006', '4Irz-onb_Ps_0000002')))
  assert collections.Counter(c.video for c in clips) == {
      'FnnoLeOEHuk': 2, '4Irz-onb_Ps': 1}


def test_the_short_form_needs_four_columns(tmp_path):
  clips = _list(tmp_path, 'gender\tspeaker_id\taudio\tfile\nf\tp\ta.wav\tb.bmp')
  assert clips[0].frames.endswith('b.bmp') and clips[0].gender == 0
  with pytest.raises(manifest.DataError, match="column 'speaker_id'"):
    _list(tmp_path, 'file\taudio\tgender\n')
  with pytest.raises(manifest.MissingDataError, match='no face'):
    _list(tmp_path, HEADER)
  (tmp_path / 'MANIFEST.tsv').unlink()
  with pytest.raises(manifest.MissingDataError, match='no such file'):
    pairs.list_clips(str(tmp_path))


def test_the_shared_pairs_are_understood():
  root = testing.shared_dir() / 'data'
  clips = pairs.list_clips(str(root))
  folders = collections.Counter(
      c.frames.removeprefix(f'{root}/').split('/')[0] for c in clips)
  assert folders['s2f_voxceleb'] == 82
  assert folders['s2f_avspeech'] == 48
  assert folders['official_test7'] == 7
  assert folders['vox2_clips'] == 9
  speakers = collections.defaultdict(list)
  for clip in clips:
    speakers[clip.speaker].append(clip)
  splits = collections.Counter(
      split for group in speakers.values()
      for split, _ in dataset.assign_splits(group))
  assert all(splits[name] for name in manifest.SPLITS)
