"""Foreign media: what is read, and the one line when it cannot be."""

from __future__ import annotations

import contextlib
import io
import os
import pathlib
import pickle
import subprocess
import time
from unittest import mock
import wave

import imageio_ffmpeg
import numpy as np
from PIL import Image
import pytest

from earsr_tf.media import child
from earsr_tf.media import decoding
from earsr_tf.media import reader


def _ffmpeg(*arguments: str) -> None:
  subprocess.run(
      [imageio_ffmpeg.get_ffmpeg_exe(), '-nostdin', '-v', 'error', '-y',
       *arguments], check=True)


def _save(path: pathlib.Path, array: np.ndarray, **options) -> str:
  Image.fromarray(array).save(path, **options)
  return str(path)


def _wav(path, samples, rate=16000, channels=1) -> str:
  with wave.open(str(path), 'wb') as f:
    f.setnchannels(channels)
    f.setsampwidth(2)
    f.setframerate(rate)
    f.writeframes(np.asarray(samples, '<i2').tobytes())
  return str(path)


def _tone(seconds, rate=16000, hertz=440.0):
  return (8000 * np.sin(
      2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)).astype('<i2')


def test_voice_at_16_khz_is_read_to_the_bit(tmp_path):
  tone = _tone(1.5)
  samples = reader.read_audio(_wav(tmp_path / 'a.wav', tone))
  assert samples.dtype == np.int16
  np.testing.assert_array_equal(samples, tone)
  np.testing.assert_array_equal(
      reader.read_audio(tmp_path / 'a.wav', max_seconds=0.5), tone[:8000])
  with wave.open(io.BytesIO(reader.encode_wav(samples))) as f:
    assert (f.getframerate(), f.getnchannels(), f.getsampwidth()) == (
        16000, 1, 2)
    np.testing.assert_array_equal(
        np.frombuffer(f.readframes(24000), '<i2'), tone)


@pytest.mark.parametrize('rate, channels', [(44100, 2), (8000, 1), (48000, 6)])
def test_other_rates_and_channels_are_converted(tmp_path, rate, channels):
  tone = np.repeat(_tone(2, rate), channels)
  samples = reader.read_voice(_wav(tmp_path / 'a.wav', tone, rate, channels))
  assert abs(samples.size - 32000) <= 32
  spectrum = np.abs(np.fft.rfft(samples[:16000].astype(float)))
  assert np.argmax(spectrum) == 440


@pytest.mark.parametrize('name', [
    'v.flac', 'v.ogg', 'v.opus', 'v.mp3', 'v.m4a', 'v.aac', 'v.aiff', 'v.wma',
    'v.au', 'v.caf', 'v.amr', 'v.mka', 'v.webm', 'v.avi', 'v.mov'])
def test_formats_of_sound(tmp_path, name):
  how = {'v.ogg': ('-c:a', 'libvorbis'), 'v.amr': ('-ar', '8000')}
  _ffmpeg('-i', _wav(tmp_path / 'a.wav', _tone(2, 48000), 48000),
          *how.get(name, ()), str(tmp_path / name))
  samples = reader.read_voice(tmp_path / name)
  assert abs(samples.size - 32000) <= 3200
  spectrum = np.abs(np.fft.rfft(samples[8000:24000].astype(float)))
  assert np.argmax(spectrum) == 440


def test_short_silent_and_missing_sound_is_refused(tmp_path):
  with pytest.raises(reader.MediaError, match='has 0.40 s of sound; at least'):
    reader.read_voice(_wav(tmp_path / 'short.wav', _tone(0.4)))
  with pytest.raises(reader.MediaError, match='is silent'):
    reader.read_voice(_wav(tmp_path / 'silent.wav', np.zeros(32000)))
  with pytest.raises(reader.MediaError, match='no sound'):
    reader.read_audio(_wav(tmp_path / 'none.wav', []))
  _ffmpeg('-f', 'lavfi', '-i', 'testsrc=s=64x64:d=1', str(tmp_path / 'm.mp4'))
  with pytest.raises(reader.MediaError, match='m.mp4: has no sound in it'):
    reader.read_audio(tmp_path / 'm.mp4')


def test_frames_are_spread_over_a_video(tmp_path):
  _ffmpeg(  # brightness grows with time; wider than high
      '-f', 'lavfi', '-i', "color=black:s=96x64:r=25:d=4,format=gray,"
      "geq=lum='20+N*2'", '-c:v', 'libx264', '-qp', '0',
      str(tmp_path / 'v.mp4'))
  frames = reader.read_video_frames(tmp_path / 'v.mp4', 4, 32)
  assert frames.shape == (4, 32, 32, 3) and frames.dtype == np.uint8
  steps = np.diff(frames.mean(axis=(1, 2, 3)))
  assert np.all(steps > 30) and steps.max() / steps.min() < 1.3
  np.testing.assert_array_equal(
      frames, reader.read_video_frames(tmp_path / 'v.mp4', 4, 32))


def test_a_short_video_gives_what_it_has(tmp_path):
  _ffmpeg('-f', 'lavfi', '-i', 'testsrc=s=64x64:r=25:d=0.2',
          str(tmp_path / 'v.mp4'))
  assert len(reader.read_video_frames(tmp_path / 'v.mp4', 4, 16)) == 4
  assert len(reader.read_video_frames(tmp_path / 'v.mp4', 8, 16)) == 5


def test_a_video_is_read_as_it_is_shown(tmp_path):
  # A white square in the middle of 64x64, turned or with pixels 2 wide.
  source = "color=black:s=64x64:r=25:d=0.4,drawbox=16:8:32:48:white:fill"
  for name, filters in (('plain', 'null'), ('narrow', 'scale=32:64,setsar=2'),
                        ('flat', 'scale=64:32,setsar=1/2')):
    _ffmpeg('-f', 'lavfi', '-i', source, '-vf', filters, '-c:v', 'libx264',
            '-qp', '0', str(tmp_path / f'{name}.mp4'))
  _ffmpeg('-display_rotation', '90', '-i', str(tmp_path / 'plain.mp4'), '-c',
          'copy', str(tmp_path / 'turned.mp4'))
  plain = reader.read_video_frames(tmp_path / 'plain.mp4', 1, 32)[0]
  assert (plain[..., 0] > 127).sum() == 16 * 24
  for name in ('narrow', 'flat'):
    made = reader.read_video_frames(tmp_path / f'{name}.mp4', 1, 32)[0]
    assert np.abs(made.astype(int) - plain).mean() < 4
  turned = reader.read_video_frames(tmp_path / 'turned.mp4', 1, 32)[0]
  assert np.abs(turned.astype(int) - np.rot90(plain)).mean() < 4


def test_read_frames_takes_images_and_folders(tmp_path):
  for level in range(10):
    _save(tmp_path / f'{level}.png', np.full((20, 20, 3), level, np.uint8))
  (tmp_path / 'notes.txt').write_text('x')
  frames = reader.read_frames(tmp_path, 5, 16)
  assert frames[:, 0, 0, 0].tolist() == [1, 3, 5, 7, 9]
  assert reader.read_frames(tmp_path / '3.png', 5, 16).shape == (1, 16, 16, 3)
  (tmp_path / 'empty').mkdir()
  with pytest.raises(reader.MediaError, match='no images'):
    reader.read_frames(tmp_path / 'empty', 2)


@pytest.mark.parametrize('total, count, expected', [
    (1, 8, [0]), (3, 8, [0, 1, 2]), (8, 8, list(range(8))),
    (22, 4, [2, 8, 13, 19]), (100, 1, [50])])
def test_spread(total, count, expected):
  assert reader.spread(total, count) == expected


def test_bad_files_are_named_in_one_line(tmp_path):
  text = tmp_path / 'face.png'
  text.write_text('I am text,\nnot a picture.\n')
  with pytest.raises(reader.MediaError) as e:
    reader.read_image(text)
  assert str(e.value) == (
      f'{text}: is not an image (text); give a PNG, JPEG, WebP, AVIF, '
      'HEIC, TIFF, GIF or BMP file')
  for read in (reader.read_audio, lambda p: reader.read_video_frames(p, 1)):
    with pytest.raises(reader.MediaError, match=r'\(text\)'):
      read(text)
  with pytest.raises(reader.MediaError, match='no such file') as e:
    reader.read_audio(tmp_path / 'none.wav')
  assert e.value.exit_code == 66
  os.mkfifo(tmp_path / 'pipe.wav')
  (tmp_path / 'loop.wav').symlink_to('loop.wav')
  (tmp_path / 'empty.wav').touch()
  for name, reason in (
      ('pipe.wav', 'not a regular file'), ('loop.wav', 'cannot be read'),
      ('empty.wav', 'is empty'), ('.', 'not a regular file')):
    with pytest.raises(reader.MediaError, match=reason):
      reader.read_audio(tmp_path / name)
  odd = tmp_path / 'a\nb.png'
  odd.write_text('x')
  with pytest.raises(reader.MediaError) as e:
    reader.read_image(odd)
  assert '\n' not in str(e.value)
  assert str(pickle.loads(pickle.dumps(e.value))) == str(e.value)


def test_a_flood_is_read_without_pauses(tmp_path, monkeypatch):
  _ffmpeg('-f', 'lavfi', '-i', 'color=s=2048x2048:r=25:d=0.2',
          str(tmp_path / 'v.avi'))
  pauses = []

  def poll(milliseconds: float) -> None:
    pauses.append(milliseconds)
    time.sleep(milliseconds / 1000)

  monkeypatch.setattr(child, '_ended', lambda _: contextlib.nullcontext(
      mock.Mock(poll=poll)))
  raw = child.decode(
      str(tmp_path / 'v.avi'), seconds=1.0,
      output=decoding.picture_options('null', 5))
  assert len(raw) == 5 * 2048 * 2048 * 3
  # In 240 pieces: a pause after each would take 2.4 s.
  assert len(pauses) < 120


def test_a_child_that_takes_too_long_is_killed(tmp_path):
  _ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=640x480:r=25:d=20', '-preset',
          'ultrafast', str(tmp_path / 'v.mp4'))
  with pytest.raises(child.ChildError, match='stopped after 0.05 s'):
    child.decode(
        str(tmp_path / 'v.mp4'), seconds=20, timeout=0.05,
        output=('-vf', 'scale=1024:1024', '-f', 'null'))


def test_playlists_and_other_protocols_are_refused(tmp_path):
  _wav(tmp_path / 'good.wav', _tone(1.5))
  lists = tmp_path / 'list.wav'
  lists.write_text(f"ffconcat version 1.0\nfile '{tmp_path}/good.wav'\n")
  with pytest.raises(child.ChildError):
    child.decode(str(lists), seconds=1, output=('-f', 's16le'))
  with pytest.raises(reader.MediaError):
    reader.read_audio('concat:' + str(tmp_path / 'good.wav'))
