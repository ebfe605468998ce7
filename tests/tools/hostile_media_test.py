"""The tally of hostile files, on a few of them."""

from __future__ import annotations

import pytest

from earsr_tf.data import media
from tools import hostile_files
from tools import hostile_media


def test_a_folder_is_examined(tmp_path):
  (tmp_path / 'more').mkdir()
  (tmp_path / 'none').mkdir()
  (tmp_path / 'face.png').write_bytes(hostile_files.face())
  (tmp_path / 'voice.wav').write_bytes(hostile_files.voice())
  (tmp_path / 'more' / 'text\n.png').write_bytes(b'text')
  paths = hostile_media.files(str(tmp_path))
  assert len(paths) == 4 and str(tmp_path / 'none') in paths
  outcomes = [o for path in paths for o in hostile_media.examine(
      path, path.removeprefix(f'{tmp_path}/'))]
  assert [o.reason for o in outcomes if o.file == 'face.png'] == [
      '', 'is not a sound file (PNG)']
  assert all(o.is_clean and 1 << 20 < o.bytes < 1 << 30 for o in outcomes)
  lines = hostile_media.report(outcomes, 1).splitlines()
  assert '| **all** | 4 | 1 | 1 | 0 | 2 |' in lines
  assert '| more | 1 | 0 | 0 | 0 | 1 |' in lines
  assert any(line.startswith('8 readings, 6 refused; 0 ') for line in lines)
  assert '\n\n\n' not in '\n'.join(lines)


@pytest.mark.parametrize('error, reason', [
    (KeyError('x'), "KeyError: 'x'"), (SystemExit(3), 'SystemExit: 3')])
def test_what_is_no_refusal_is_not_clean(tmp_path, monkeypatch, error, reason):
  def read(path, seconds):
    del path, seconds
    raise error
  monkeypatch.setattr(media, 'read_voice', read)
  face, voice = hostile_media.examine(str(tmp_path), 'name')
  assert face.is_clean and (voice.is_clean, voice.reason) == (False, reason)
  assert ' 1 ended badly.' in hostile_media.report([face, voice], 0)


def test_a_crash_is_told(tmp_path, monkeypatch):
  monkeypatch.setattr(
      media, 'read_voice', lambda path, seconds: hostile_media.os._exit(9))
  outcome = hostile_media.examine(str(tmp_path), 'name')[1]
  assert (outcome.reason, outcome.is_clean) == ('the reader crashed', False)
