"""Sound as people have it: channels that cancel, files in memory."""

from __future__ import annotations

import pathlib
import subprocess
import wave

import imageio_ffmpeg
import numpy as np
import pytest

from earsr_tf.media import clip_files
from earsr_tf.media import reader
from earsr_tf.media import sound
from earsr_tf.media import talking_face


def _noise(count: int = 32_000, level: float = 3000.0) -> np.ndarray:
  return np.clip(np.random.default_rng(1).normal(0, level, count),
                 -32000, 32000).astype(np.int16)


def _wav(path: pathlib.Path, *channels: np.ndarray) -> str:
  with wave.open(str(path), 'wb') as file:
    file.setnchannels(len(channels))
    file.setsampwidth(2)
    file.setframerate(16_000)
    file.writeframes(np.stack(channels, 1).astype('<i2').tobytes())
  return str(path)


@pytest.mark.parametrize('left, right, word', [
    (1.0, -1.0, 'left'), (0.5, -0.51, 'right'), (-1.0, 0.99, 'left')])
def test_of_channels_that_cancel_the_louder_is_taken(
    tmp_path, left, right, word):
  channels = [(_noise() * gain).astype(np.int16) for gain in (left, right)]
  path, notices = _wav(tmp_path / 'a.wav', *channels), []
  samples = sound.read_audio(path, notice=notices.append)
  np.testing.assert_array_equal(samples, channels[word == 'right'])
  assert notices == [f'{path}: its channels cancel when they are mixed; the '
                     f'{word} one is used']
  np.testing.assert_array_equal(
      sound.read_audio(path, 0.5, 0.25), channels[word == 'right'][4000:12000])


def test_other_channels_are_mixed(tmp_path):
  quiet = _noise(level=30)  # looked at again, and mixed all the same
  for first, second in (
      (_noise(), 0 * _noise()), (quiet, quiet), (quiet, 0 * quiet),
      (_noise(), _noise()[::-1])):
    notices = []
    samples = sound.read_audio(
        _wav(tmp_path / 'a.wav', first, second), notice=notices.append)
    mean = (first.astype(float) + second) / 2
    assert np.abs(samples - mean).max() <= 1.0 and notices == []
  samples = sound.read_audio(_wav(tmp_path / 'm.wav', quiet))
  np.testing.assert_array_equal(samples, quiet)


def test_silence_is_still_silent(tmp_path):
  path = _wav(tmp_path / 'a.wav', *[np.zeros(32_000, np.int16)] * 2)
  with pytest.raises(reader.MediaError, match='is silent'):
    sound.read_voice(path)


def test_prepare_takes_the_louder_channel_too(tmp_path):
  subprocess.run(
      [imageio_ffmpeg.get_ffmpeg_exe(), '-nostdin', '-v', 'error', '-f',
       'lavfi', '-i', 'testsrc=s=64x64:r=25:d=2', str(tmp_path / 'v.mp4')],
      check=True)
  path = _wav(tmp_path / 'v.wav', _noise(), -_noise())
  _, voice = talking_face.read(
      clip_files.Clip('s', 'v', 'c', str(tmp_path / 'v.mp4'), path),
      talking_face.Wanted(2, 32))
  np.testing.assert_array_equal(voice, _noise())


def test_a_file_in_memory_is_called_by_its_name(tmp_path):
  path = pathlib.Path(_wav(tmp_path / 'a.wav', _noise(), -_noise()))
  notices = []
  samples = sound.read_audio_bytes(
      path.read_bytes(), name='body', notice=notices.append)
  np.testing.assert_array_equal(samples, _noise())
  assert notices[0].startswith('body: its channels cancel')
  for data, words in ((b'', 'body: is empty'),
                      (b'no sound', r'body: is not a sound file \(text\)')):
    with pytest.raises(reader.MediaError, match=words):
      sound.read_audio_bytes(data, name='body')
