"""Faces and voices for the model: files of every kind, and arrays alike."""

from __future__ import annotations

import pathlib
import wave

import numpy as np
from PIL import Image
import pytest

from earsr_tf import cli
from earsr_tf import face_and_voice
from earsr_tf.media import reader
from tests.cli import media_files


def _reduced(path: str, notice: face_and_voice.Notice) -> np.ndarray:
  """The model's 8x8 input of a file."""
  return face_and_voice.reduce_picture(
      reader.read_image(path), 8, 128, notice, name=path)


def test_pictures_of_every_kind_are_reduced_alike(
    tmp_path: pathlib.Path) -> None:
  upright = Image.open(media_files.face(tmp_path / 'plain.png'))

  def reduced(path: str) -> np.ndarray:
    return _reduced(path, print).astype(int)
  plain = reduced(str(tmp_path / 'plain.png'))
  assert plain.shape == (8, 8, 3)
  exif = Image.Exif()
  exif[0x0112] = 6  # shown turned by 90 degrees to the right
  turned = media_files.face(tmp_path / 'turned.png',
                 upright.transpose(Image.Transpose.ROTATE_90), exif=exif)
  np.testing.assert_array_equal(reduced(turned), plain)
  rgba = media_files.face(tmp_path / 'rgba.png', upright.convert('RGBA'))
  np.testing.assert_array_equal(reduced(rgba), plain)
  grey = upright.convert('L')
  eight = reduced(media_files.face(tmp_path / 'grey.png', grey))
  assert (eight[..., 0] == eight[..., 2]).all()
  sixteen = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
  np.testing.assert_allclose(
      reduced(media_files.face(tmp_path / 'sixteen.png', sixteen)), eight,
      atol=1)


def test_an_8x8_picture_is_taken_as_it_is(tmp_path: pathlib.Path) -> None:
  tiny = np.random.default_rng(0).integers(
      0, 256, size=(8, 8, 3), dtype=np.uint8)
  path = media_files.face(tmp_path / 'tiny.png', Image.fromarray(tiny))
  np.testing.assert_array_equal(
      _reduced(path, print), tiny)


def test_a_wide_picture_is_cut_with_a_notice(tmp_path: pathlib.Path) -> None:
  notices = []
  wide = np.zeros([128, 256, 3], np.uint8)
  wide[:, 64:192] = 200
  path = media_files.face(tmp_path / 'wide.png', Image.fromarray(wide))
  result = _reduced(path, notices.append)
  assert (result == 200).all()
  assert len(notices) == 1 and '128x128, is used' in notices[0]


def test_a_short_voice_is_repeated_with_a_notice(
    tmp_path: pathlib.Path) -> None:
  notices = []
  path = media_files.voice(tmp_path / 'short.wav', seconds=1.5)
  waveform = face_and_voice.read_voice(path, 0.0, notices.append)
  assert waveform.shape == (64_000,) and waveform.dtype == np.float32
  np.testing.assert_array_equal(waveform[:24_000], waveform[24_000:48_000])
  assert 'has 1.50 s of sound, repeated' in notices[0]


def test_rates_and_channels_are_converted(tmp_path: pathlib.Path) -> None:
  notices = []
  plain = face_and_voice.read_voice(
      media_files.voice(tmp_path / 'plain.wav'), 0.0, notices.append)
  other = face_and_voice.read_voice(
      media_files.voice(tmp_path / 'other.wav', rate=44_100, channels=2), 0.0,
      notices.append)
  assert notices == []
  # Resampling differs at the ends only.
  assert np.abs(plain - other)[1000:-1000].max() < 0.01


def test_offset_chooses_the_segment(tmp_path: pathlib.Path) -> None:
  time = np.arange(8 * media_files.RATE_HZ)
  path = tmp_path / 'ramp.wav'
  with wave.open(str(path), 'wb') as file:
    file.setnchannels(1)
    file.setsampwidth(2)
    file.setframerate(media_files.RATE_HZ)
    file.writeframes((time // 8).astype('<i2').tobytes())
  notices = []
  waveform = face_and_voice.read_voice(str(path), 2.0, notices.append)
  assert waveform[0] == 2 * media_files.RATE_HZ // 8 / 32768
  assert 'longer than 4 s' in notices[0]


def test_an_array_of_a_picture_is_checked() -> None:
  picture = np.full([20, 30, 3], 7, np.uint8)
  assert face_and_voice.read_picture(picture) is picture
  for bad, words in (
      (picture[..., 0], r'\[20, 30\] uint8; give a file'),
      (picture.astype(np.float32), r'\[20, 30, 3\] float32'),
      (picture[..., :2], r'\[20, 30, 2\] uint8'),
      (picture[:0], r'is 30 x 0 pixels'),
      (np.zeros([1, 17000, 3], np.uint8), r'is 17000 x 1 pixels')):
    with pytest.raises(cli.InputError, match=r'^faces\[3\]: .*' + words):
      face_and_voice.read_picture(bad, 'faces[3]')


@pytest.mark.parametrize('rate', [16_000, 44_100])
@pytest.mark.parametrize('kind', [np.int16, np.float32, np.float64])
def test_an_array_of_a_sound_gives_what_its_file_gives(
    tmp_path: pathlib.Path, rate: int, kind: type) -> None:
  path = media_files.voice(tmp_path / 'voice.wav', seconds=2.5, rate=rate)
  with wave.open(path) as file:
    samples = np.frombuffer(file.readframes(10**6), '<i2').astype(np.int16)
  if kind is not np.int16:
    samples = (samples / 32768).astype(kind)
  notices = []
  expected = face_and_voice.read_voice(path, 0.5, notices.append)
  got = face_and_voice.read_voice(
      samples, 0.5, notices.append, sample_rate_hz=rate, name='audio[1]')
  np.testing.assert_array_equal(got, expected)
  assert got.dtype == np.float32
  assert [n.removeprefix(path).removeprefix('audio[1]') for n in notices] == [
      ': has 2.00 s of sound, repeated to fill 4 s'] * 2


@pytest.mark.parametrize('sound, rate, words', [
    (np.zeros([2, 16000], np.int16), 16000, r'is \[2, 16000\] int16'),
    (np.zeros([16000], np.int32), 16000, r'is \[16000\] int32'),
    (np.zeros([16000], np.int16), 16000, 'is silent'),
    (np.zeros([0], np.float32), 16000, 'has 0.00 s'),
    (np.zeros([0], np.float32), 8000, 'has 0.00 s'),
    (np.ones([7000], np.int16), 8000, 'has 0.8[78] s'),
    (np.array([1.0, np.nan] * 16000), 16000, 'that are no numbers'),
    (np.array([1.0, np.inf] * 16000), 16000, 'that are no numbers'),
    (np.array([9000.0, 0.0] * 16000), 16000, r'beyond \[-1, 1\]'),
    (np.ones([16000], np.int16), 3, 'sample_rate_hz=3: must lie between'),
    (np.ones([16000], np.int16), float('nan'), 'sample_rate_hz=nan')])
def test_unusable_arrays_of_sounds_are_refused(
    sound: np.ndarray, rate: float, words: str) -> None:
  with pytest.raises(cli.InputError, match=words):
    face_and_voice.read_voice(sound, 0.0, print, sample_rate_hz=rate)


def test_an_overshoot_is_cut() -> None:
  sound = np.array([1.01, -1.01] * 32000)
  got = face_and_voice.read_voice(sound, 0.0, print, loudness='as_is')
  np.testing.assert_array_equal(got, np.array([1, -1] * 32000, np.float32))


def test_without_an_offset_the_loudest_seconds_are_used(
    tmp_path: pathlib.Path) -> None:
  hum = 0.1 * np.sin(2 * np.pi * 150 * np.arange(64_000) / 16_000)
  sound = np.concatenate([np.zeros(48_000), hum, hum / 10])
  notices = []
  got = face_and_voice.read_voice(sound, None, notices.append, name='voice')
  np.testing.assert_array_equal(got, hum.astype(np.float32))
  assert notices == [
      'voice: is longer than 4 s; the loudest 4 s, from 3 s on, are used '
      '(--offset chooses others)']
  with pytest.raises(cli.InputError, match='voice: is silent; give a'):
    face_and_voice.read_voice(np.zeros(10**5), None, print, name='voice')


def test_a_quiet_voice_is_brought_to_the_training_unless_told_not_to() -> None:
  loud = 0.1 * np.sin(2 * np.pi * 150 * np.arange(64_000) / 16_000)
  quiet, notices = loud / 100, []
  got = face_and_voice.read_voice(quiet, None, notices.append, name='voice')
  np.testing.assert_allclose(
      got.std(), 10 ** (-26 / 20), rtol=1e-4)
  assert np.corrcoef(got, loud)[0, 1] > 0.999999
  assert notices == [
      'voice: is quieter than the voices of the training and is changed by '
      '+37 dB (--loudness=as_is leaves it)']
  for sound, loudness in ((quiet, 'as_is'), (loud, 'training')):
    got = face_and_voice.read_voice(
        sound, None, notices.append, loudness=loudness)
    np.testing.assert_array_equal(got, sound.astype(np.float32))
  assert len(notices) == 1
  with pytest.raises(cli.InputError, match='--loudness=loud: must be one of'):
    face_and_voice.read_voice(loud, None, print, loudness='loud')
