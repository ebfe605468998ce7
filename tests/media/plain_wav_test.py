"""WAV files without a decoder: the decoder's samples, or none."""

from __future__ import annotations

import pathlib
import struct

import numpy as np
import pytest

from earsr_tf.media import child
from earsr_tf.media import decoding
from earsr_tf.media import encoding
from earsr_tf.media import plain_wav
from earsr_tf.media import sound


def _voice(count: int = 20_001) -> np.ndarray:
  return np.random.default_rng(0).integers(
      -32768, 32768, count).astype(np.int16)


def _decoded(path: pathlib.Path, seconds: float) -> np.ndarray:
  """What ffmpeg makes of it."""
  return decoding.to_samples(path, decoding.decode(
      path, child.Input(str(path), seconds), decoding.sound_options(seconds),
      'no sound'))


@pytest.mark.parametrize('seconds', [20.0, 1.0, 0.30005, 1.2345678])
def test_samples_are_those_of_the_decoder(tmp_path, seconds):
  path = tmp_path / 'a.wav'
  path.write_bytes(encoding.encode_wav(_voice()))
  samples = plain_wav.read(path, seconds)
  assert samples.dtype == np.int16 and samples.flags.writeable
  np.testing.assert_array_equal(samples, _decoded(path, seconds))
  np.testing.assert_array_equal(sound.read_audio(path, seconds), samples)


def test_no_decoder_is_started(tmp_path, monkeypatch):
  path = tmp_path / 'a.wav'
  path.write_bytes(encoding.encode_wav(_voice()))

  def fail(*args: object, **options: object) -> None:
    raise AssertionError('a decoder was started')
  monkeypatch.setattr(child, 'run', fail)
  np.testing.assert_array_equal(sound.read_audio(path), _voice())


def test_all_others_are_left_to_the_decoder(tmp_path):
  whole = encoding.encode_wav(_voice(1000))

  def with_field(place: int, form: str, value: int) -> bytes:
    field = struct.pack(form, value)
    return whole[:place] + field + whole[place + len(field):]
  for number, data in enumerate((
      b'', whole[:20], whole[:43], whole[:44], whole[:-1], whole[:-2],
      whole + b'\0', whole + b'LIST\4\0\0\0abcd', b'RIFX' + whole[4:],
      whole[:36] + b'LIST\4\0\0\0abcd' + whole[36:],
      with_field(4, '<I', 0xffffffff),  # open, as from a pipe
      with_field(16, '<I', 18), with_field(20, '<H', 3),  # floating point
      with_field(22, '<H', 2), with_field(24, '<I', 8000),
      with_field(28, '<I', 1), with_field(32, '<H', 4),
      with_field(34, '<H', 8), with_field(40, '<I', 0),
      with_field(40, '<I', 1998), with_field(40, '<I', 2002),
      encoding.encode_wav(_voice(0)), encoding.encode_wav(_voice(10), 8000))):
    path = tmp_path / f'{number}.wav'
    path.write_bytes(data)
    assert plain_wav.read(path, 20.0) is None, number
