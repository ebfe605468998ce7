"""The tally of hostile files, on a few of them."""

from __future__ import annotations

from concurrent import futures
import multiprocessing
import os
import pathlib

import pytest

from earsr_tf.media import talking_face
from tools.hostile import corpus
from tools.hostile import reading
from tools.hostile import tally


@pytest.fixture(name='voice')
def _voice(tmp_path: pathlib.Path) -> str:
  path = tmp_path / 'voice.wav'
  path.write_bytes(corpus.voice())
  return str(path)


def test_a_folder_is_examined(tmp_path, voice):
  (tmp_path / 'more').mkdir()
  (tmp_path / 'none').mkdir()
  (tmp_path / 'face.png').write_bytes(corpus.face())
  (tmp_path / 'more' / 'text\n.png').write_bytes(b'text')
  paths = reading.files(str(tmp_path))
  assert len(paths) == 4 and str(tmp_path / 'none') in paths
  # In a new process: this one may hold gigabytes, which would be counted.
  with futures.ProcessPoolExecutor(
      1, multiprocessing.get_context('spawn')) as pool:
    outcomes = [o for path in paths for o in pool.submit(
        reading.examine, path, path.removeprefix(f'{tmp_path}/'),
        voice).result()]
  assert [o.reason for o in outcomes if o.file == 'face.png'] == [
      '', 'is not a sound file (PNG)']
  assert all(o.is_clean and 1 << 20 < o.bytes < 1 << 30 for o in outcomes)
  lines = tally.report(outcomes, 1).splitlines()
  assert '| **all** | 4 | 1 | 1 | 0 | 2 |' in lines
  assert '| more | 1 | 0 | 0 | 0 | 1 |' in lines
  assert any(line.startswith('8 readings, 6 refused; 0 ') for line in lines)


@pytest.mark.parametrize('error, reason', [
    (KeyError('x'), "KeyError: 'x'"), (SystemExit(3), 'SystemExit: 3')])
def test_what_is_no_refusal_is_not_clean(
    tmp_path, voice, monkeypatch, error, reason):
  def read(clip, wanted):
    del clip, wanted
    raise error
  monkeypatch.setattr(talking_face, 'read', read)
  found = reading.examine(str(tmp_path), 'name', voice)
  assert [(o.is_clean, o.reason) for o in found] == [
      (False, reason), (True, 'is not a regular file')]
  assert ' 1 ended badly.' in tally.report(found, 0)


def test_a_crash_is_told(tmp_path, voice, monkeypatch):
  monkeypatch.setattr(talking_face, 'read', lambda clip, wanted: os._exit(9))
  outcome = reading.examine(str(tmp_path), 'name', voice)[0]
  assert (outcome.reason, outcome.is_clean) == ('the reader crashed', False)
