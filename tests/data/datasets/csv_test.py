"""A table of clips."""

from __future__ import annotations

import math

import pytest

from earsr_tf.data import manifest
from earsr_tf.data.datasets import csv as table


def _list(tmp_path, text):
  (tmp_path / 't.csv').write_text(text)
  return table.list_clips(str(tmp_path / 't.csv'))


@pytest.mark.parametrize('sep', [',', ';', '\t'])
def test_reads_rows(tmp_path, sep):
  text = (
      '\ufeffSpeaker ,video,clip,video_file,audio_file,gender,age,open_set,'
      'boxes_file,more\n'
      'a/b,v,2,v/2.mp4,,M,41.5,1,v/2.txt,x\n\n'
      'a,v,1,/abs/1.jpg,gs://b/1.wav,,,,,\n')
  one, two = _list(tmp_path, text.replace(',', sep))
  assert (one.key, one.frames, one.audio) == (
      'a/v/1', '/abs/1.jpg', 'gs://b/1.wav')
  assert (one.gender, one.open_set) == (-1, None) and math.isnan(one.age)
  assert (two.key, two.frames, two.boxes) == (
      'a_b/v/2', f'{tmp_path}/v/2.mp4', f'{tmp_path}/v/2.txt')
  assert (two.gender, two.age, two.open_set, two.audio) == (1, 41.5, True, '')


@pytest.mark.parametrize('text, kind, reason', [
    ('', manifest.DataError, "column 'speaker' is missing"),
    ('speaker,video,clip\n', manifest.DataError, "'video_file' is missing"),
    ('speaker,video,clip,video_file\n', manifest.MissingDataError, 'no row'),
    ('speaker,video,clip,video_file\na,b,c\n', manifest.DataError,
     'line 2: video_file is empty'),
    ('speaker,video,clip,video_file,age\na,b,c,d,old\n', manifest.DataError,
     "line 2: age 'old' is not a number"),
    ('speaker,video,clip,video_file,gender\na,b,c,d,x\n', manifest.DataError,
     "line 2: gender 'x'")])
def test_says_what_is_wrong(tmp_path, text, kind, reason):
  with pytest.raises(kind, match=reason):
    _list(tmp_path, text)


def test_a_missing_table_is_named(tmp_path):
  with pytest.raises(manifest.MissingDataError, match='none.csv'):
    table.list_clips(str(tmp_path / 'none.csv'))
