"""Files as people have them: each gives the right voice or picture."""

from __future__ import annotations

import numpy as np
import pytest

from earsr_tf import face_and_voice
from earsr_tf.media import reader
from tests import testing


@pytest.fixture(name='folder')
def _folder():
  folder = testing.shared_dir() / 'data' / 'own_files'
  if not folder.is_dir():
    pytest.skip('no own_files in the shared data')
  return folder


# All hold one voice; that of the flac begins after 30 s.
@pytest.mark.parametrize('name, words', [
    ('streamed_lengths_ffffffff.wav', []), ('streamed_length_0.wav', []),
    ('opposite_phase_stereo.wav', ['the left one is used']),
    ('leading_silence_30s.flac', ['the loudest 4 s, from 30 s on'])])
def test_each_file_gives_the_voice(folder, name, words):
  raw = (folder / 'streamed_length_0.wav').read_bytes()[44:]
  expected = np.frombuffer(raw, '<i2').astype(np.float32) / 32768
  notices = []
  voice = face_and_voice.read_voice(folder / name, None, notices.append)
  np.testing.assert_array_equal(voice, expected)
  assert len(notices) == len(words)
  assert all(w in n and name in n for w, n in zip(words, notices))
  samples = reader.read_audio_bytes((folder / name).read_bytes(), 60.0)
  np.testing.assert_array_equal(samples[-64_000:] / 32768, expected)


def test_linear_light_gives_the_picture(folder):
  made = reader.read_image(folder / 'face_gama_1.0_16bit.png').astype(int)
  assert np.abs(made - reader.read_image(folder / 'face.png')).max() <= 1
