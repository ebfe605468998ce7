"""WAV files from pipes: read to their end; what is damaged stays damaged."""

from __future__ import annotations

import pathlib
import struct
import subprocess

import imageio_ffmpeg
import numpy as np
import pytest

from earsr_tf.media import clip_files
from earsr_tf.media import encoding
from earsr_tf.media import reader
from earsr_tf.media import streamed_wav
from earsr_tf.media import talking_face

# ffmpeg, GStreamer, sox, arecord.
_OPEN = (0xffffffff, 0, 0x7ffff000, 0x80000000)


def _voice(count: int = 30_001) -> np.ndarray:
  return np.random.default_rng(0).integers(
      -9000, 9000, count).astype(np.int16)


def _stated(data: bytes, size: int, riff: int | None = None) -> bytes:
  """A WAV file of ours that states another length."""
  riff = size if riff is None else riff
  return data[:4] + struct.pack('<I', riff) + data[8:40] + struct.pack(
      '<I', size) + data[44:]


@pytest.mark.parametrize('size', _OPEN)
def test_open_lengths_are_filled_in(tmp_path: pathlib.Path, size: int):
  whole = encoding.encode_wav(_voice())
  for extra in (b'', b'\7'):  # half a sample: the writer was killed
    data = _stated(whole, size) + extra
    assert streamed_wav.complete(data) == whole
    path = tmp_path / 'pipe.wav'
    path.write_bytes(data)
    np.testing.assert_array_equal(reader.read_audio(path), _voice())
    np.testing.assert_array_equal(reader.read_audio_bytes(data), _voice())
    assert path.read_bytes() == data


def test_what_ffmpeg_pipes_is_read_to_the_bit(tmp_path: pathlib.Path):
  (tmp_path / 'a.wav').write_bytes(encoding.encode_wav(_voice()))
  for codec in ('pcm_s16le', 'pcm_s24le', 'pcm_f32le'):
    data = subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), '-nostdin', '-v', 'error', '-i',
         str(tmp_path / 'a.wav'), '-c:a', codec, '-f', 'wav', 'pipe:1'],
        check=True, stdout=subprocess.PIPE).stdout
    assert data[4:8] == b'\xff' * 4
    np.testing.assert_array_equal(reader.read_audio_bytes(data), _voice())


def test_complete_and_empty_files_are_left_alone(tmp_path: pathlib.Path):
  whole = encoding.encode_wav(_voice())
  tags = b'LIST' + struct.pack('<I', 4) + b'INFO'
  empty = encoding.encode_wav(_voice(0))
  for data in (whole, whole + tags, empty, empty + tags, b'RIFF', b'', tags,
               whole[:44], _stated(whole, 1 << 20)):
    assert streamed_wav.complete(data) is data
  path = tmp_path / 'a.wav'
  path.write_bytes(whole)
  with streamed_wav.completed(path) as same:
    assert same == str(path)


def test_a_chunk_before_the_samples_is_passed(tmp_path: pathlib.Path):
  whole = encoding.encode_wav(_voice())
  odd = b'LIST' + struct.pack('<I', 5) + b'INFO\1\0'
  data = _stated(whole, 0)
  path = tmp_path / 'pipe.wav'
  path.write_bytes(data[:36] + odd + data[36:])
  np.testing.assert_array_equal(reader.read_audio(path), _voice())


def test_files_that_were_cut_stay_refused(tmp_path: pathlib.Path):
  path = tmp_path / 'cut'
  path.write_bytes(encoding.encode_wav(_voice())[:40_001])
  with pytest.raises(reader.MediaError, match='cannot be decoded'):
    reader.read_audio(path)
  (tmp_path / 'a.wav').write_bytes(encoding.encode_wav(_voice()))
  for name in ('a.flac', 'a.m4a'):
    subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), '-nostdin', '-v', 'error', '-i',
         str(tmp_path / 'a.wav'), str(tmp_path / name)], check=True)
    data = (tmp_path / name).read_bytes()
    with pytest.raises(reader.MediaError, match='voice.x: '):
      reader.read_audio_bytes(data[:len(data) * 2 // 3 + 1], name='voice.x')


def test_prepare_reads_a_voice_from_a_pipe(tmp_path: pathlib.Path):
  subprocess.run(
      [imageio_ffmpeg.get_ffmpeg_exe(), '-nostdin', '-v', 'error', '-f',
       'lavfi', '-i', 'testsrc=s=64x64:r=25:d=2', str(tmp_path / 'v.mp4')],
      check=True)
  (tmp_path / 'v.wav').write_bytes(
      _stated(encoding.encode_wav(_voice()), 0xffffffff))
  _, voice = talking_face.read(
      clip_files.Clip('s', 'v', 'c', str(tmp_path / 'v.mp4'),
                      str(tmp_path / 'v.wav')), talking_face.Wanted(2, 32))
  np.testing.assert_array_equal(voice, _voice())
