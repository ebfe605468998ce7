"""AIFF and CAF from pipes: read to the bit; what is cut stays refused."""

from __future__ import annotations

import io
import pathlib
import subprocess

import imageio_ffmpeg
import numpy as np
import pytest

from earsr_tf.media import encoding
from earsr_tf.media import reader
from earsr_tf.media import streamed_iff


def _voice() -> np.ndarray:
  return np.random.default_rng(0).integers(
      -9000, 9000, 30_001).astype(np.int16)


def _piped(folder: pathlib.Path, *options: str) -> bytes:
  """What ffmpeg writes of a voice into a pipe."""
  (folder / 'a.wav').write_bytes(encoding.encode_wav(_voice()))
  return subprocess.run(
      [imageio_ffmpeg.get_ffmpeg_exe(), '-nostdin', '-v', 'error', '-i',
       str(folder / 'a.wav'), *options, 'pipe:1'], check=True,
      capture_output=True, timeout=60).stdout


@pytest.mark.parametrize('options', [
    ('-f', 'aiff'), ('-f', 'aiff', '-c:a', 'pcm_s16le'),
    ('-f', 'aiff', '-c:a', 'pcm_s24be'), ('-f', 'caf'),
    ('-f', 'caf', '-c:a', 'pcm_s16be')])
def test_what_is_piped_is_read_to_the_bit(
    tmp_path: pathlib.Path, options: tuple) -> None:
  data = _piped(tmp_path, *options)
  path = tmp_path / 'pipe'
  for extra in (b'', b'\7'):  # half a sample: the writer was killed
    path.write_bytes(data + extra)
    assert streamed_iff.find(io.BytesIO(data + extra))
    np.testing.assert_array_equal(reader.read_audio(path), _voice())
    assert path.read_bytes() == data + extra


@pytest.mark.parametrize('form', ['aiff', 'caf'])
def test_whole_and_cut_files_are_left_as_they_are(
    tmp_path: pathlib.Path, form: str) -> None:
  path = tmp_path / 'whole'
  subprocess.run(
      [imageio_ffmpeg.get_ffmpeg_exe(), '-nostdin', '-v', 'error', '-f',
       's16le', '-ar', '16000', '-i', 'pipe:0', '-f', form, str(path)],
      check=True, input=_voice().tobytes(), timeout=60)
  data = path.read_bytes()
  for part in (data, data[:30_000], data[:40], data[:9], b''):
    assert streamed_iff.find(io.BytesIO(part)) == {}
  if form == 'aiff':  # ffmpeg takes it for what is left of it
    return
  path.write_bytes(data[:30_000])
  with pytest.raises(reader.MediaError, match='cannot be decoded'):
    reader.read_audio(path)


def test_hostile_headers_mend_nothing() -> None:
  for data in (
      b'FORM\0\0\0\0AIFFSSND\0\0\0\0' + bytes(40),  # no COMM
      b'FORM\0\0\0\0AIFFCOMM\0\0\0\x12\0\0' + bytes(60),  # no channels
      b'FORM\0\0\0\0AIFFCOMM\0\0\0\x12\0', b'caff\0\1\0\0desc' + bytes(9),
      b'caff\0\1\0\0data' + b'\xff' * 8 + bytes(40),  # no desc
      b'caff\0\1\0\0desc' + b'\xff' * 8 + bytes(40)):
    assert streamed_iff.find(io.BytesIO(data)) == {}
