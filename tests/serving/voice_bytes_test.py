"""WAV files in the graph: equal to what the command reads, or refused."""

from __future__ import annotations

import io
import pathlib
import struct
import wave

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf import face_and_voice
from earsr_tf.media import reader
from earsr_tf.media import voice_segment
from earsr_tf.serving import refusal
from earsr_tf.serving import voice_bytes

_GRAPH = tf.function(
    lambda encoded: voice_bytes.decode(encoded, tf.constant('audio')),
    input_signature=[tf.TensorSpec([], tf.string)])


def _decode(encoded: bytes) -> np.ndarray:
  return _GRAPH(tf.constant(encoded)).numpy()


def _samples(seconds: float, rate_hz: int = 16_000) -> np.ndarray:
  time = np.arange(round(seconds * rate_hz)) / rate_hz
  hum = sum(np.sin(2.0 * np.pi * f * time + f)
            for f in (150, 450, 1_100, 3_000))
  return np.round(4_000.0 * hum * (1.0 + 0.3 * np.sin(9.0 * time))).astype(
      np.int16)


def _wav(samples: np.ndarray, rate_hz: int = 16_000) -> bytes:
  """A file of [n] or [n, channels] int16."""
  stream = io.BytesIO()
  with wave.open(stream, 'wb') as file:
    file.setnchannels(1 if samples.ndim == 1 else samples.shape[1])
    file.setsampwidth(2)
    file.setframerate(rate_hz)
    file.writeframes(samples.astype('<i2').tobytes())
  return stream.getvalue()


def _read(encoded: bytes, folder: pathlib.Path) -> np.ndarray:
  """What `super_resolve` hears."""
  path = folder / 'voice.wav'
  path.write_bytes(encoded)
  return face_and_voice.read_voice(path, None, lambda text: None)


@pytest.mark.parametrize('seconds', [1.0, 2.7, 4.0])
def test_16_khz_is_what_the_command_hears(
    seconds: float, tmp_path: pathlib.Path) -> None:
  encoded = _wav(_samples(seconds))
  np.testing.assert_array_equal(_decode(encoded), _read(encoded, tmp_path))


@pytest.mark.parametrize(('silent_s', 'factor'), [
    (0.0, 1.0), (6.0, 1.0), (0.33, 0.01), (0.0, 6.0)])
def test_the_loudest_4_s_are_heard_at_the_level_of_the_training(
    silent_s: float, factor: float, tmp_path: pathlib.Path) -> None:
  samples = np.clip(_samples(6.7) * factor, -32_768, 32_767).astype(np.int16)
  encoded = _wav(np.concatenate(
      [np.zeros([round(16_000 * silent_s)], np.int16), samples]))
  got, expected = _decode(encoded), _read(encoded, tmp_path)
  np.testing.assert_allclose(got, expected, atol=1e-6)
  low, high = voice_segment.TRAINING_LEVELS_DB
  assert low - 0.01 < voice_segment.level_db(got) < high + 0.01


def test_channels_are_averaged(tmp_path: pathlib.Path) -> None:
  samples = _samples(4.0)
  encoded = _wav(np.stack([samples, samples[::-1]], axis=1))
  np.testing.assert_allclose(
      _decode(encoded), _read(encoded, tmp_path), atol=1.01 / 32768.0)


@pytest.mark.parametrize('rate_hz', [8_000, 22_050, 44_100, 48_000])
def test_other_rates_are_near_what_the_command_hears(
    rate_hz: int, tmp_path: pathlib.Path) -> None:
  encoded = _wav(_samples(4.5, rate_hz), rate_hz)
  got, expected = _decode(encoded), _read(encoded, tmp_path)
  assert got.shape == (64_000,)
  error = (got - expected)[500:-500]
  assert np.sqrt(np.mean(error ** 2)) < 0.02 * expected.std()


@pytest.mark.parametrize('length', [0, 0x7fffffff, 0xffffffff])
def test_a_file_from_a_pipe_is_valid_to_its_end(length: int) -> None:
  samples = _samples(4.0)
  encoded = _wav(samples)
  piped = (encoded[:4] + struct.pack('<I', length) + encoded[8:40]
           + struct.pack('<I', length) + encoded[44:])
  np.testing.assert_array_equal(_decode(piped), _decode(encoded))


def test_other_chunks_and_the_extensible_format_are_read() -> None:
  encoded = _wav(_samples(4.0))
  listed = b'LIST' + struct.pack('<I', 3) + b'abc\0'  # padded to even
  inner = struct.pack('<HI', 16, 0) + struct.pack('<H', 1) + bytes(14)
  extensible = (b'fmt ' + struct.pack('<I', 40) + struct.pack('<H', 0xfffe)
                + encoded[22:36] + struct.pack('<H', 22) + inner)
  for header in (listed + encoded[12:36], encoded[12:36] + listed, extensible):
    np.testing.assert_array_equal(
        _decode(encoded[:12] + header + encoded[36:]), _decode(encoded))


def _changed(place: int, form: str, value: int) -> bytes:
  """A good file with one field of its header replaced."""
  made = bytearray(_wav(_samples(4.0)))
  struct.pack_into(form, made, place, value)
  return bytes(made)


@pytest.mark.parametrize(('encoded', 'reason'), [
    (b'', 'is no WAV file'),
    (b'RIFF', 'is no WAV file'),
    (b'ID3' + bytes(100), 'is no WAV file'),
    (_wav(_samples(4.0))[:12] + bytes(200_000), 'no format or no data'),
    (b'RIFF\0\0\0\0WAVE' + b'junk\0\0\0\0' * 20_000, 'no format or no data'),
    (_changed(20, '<H', 3), 'not of 16-bit PCM'),
    (_changed(34, '<H', 8), 'not of 16-bit PCM'),
    (_changed(22, '<H', 0), 'has 0 channels; give 1 to 8'),
    (_changed(22, '<H', 9), 'has 9 channels; give 1 to 8'),
    (_changed(24, '<I', 0), 'has 0 samples a second'),
    (_changed(24, '<I', 16_001), 'has 16001 samples a second'),
    (_changed(24, '<I', 0xffffffff), 'has -1 samples a second'),
    (_wav(_samples(0.5)), 'has 0.50 s of sound; at least one second'),
    (_wav(np.zeros([64_000], np.int16)), 'is silent'),
    (_wav(np.full([64_000], 9_000, np.int16)), 'is silent'),
    (_wav(_samples(300.0)), 'has 9600044 bytes; give at most 8388608')])
def test_what_is_no_voice_is_refused_in_a_sentence(
    encoded: bytes, reason: str) -> None:
  with pytest.raises(tf.errors.InvalidArgumentError) as caught:
    _decode(encoded)
  text = refusal.sentence(caught.value)
  assert text.startswith('audio: ') and reason in text


def test_no_cut_of_a_file_does_harm() -> None:
  encoded = _wav(_samples(1.2) // 2)  # of the level of the training
  for length in (*range(0, 60), 10_000, 31_999, 32_043):
    with pytest.raises(tf.errors.InvalidArgumentError):
      _decode(encoded[:length])
  assert reader.MIN_SECONDS == 1.0
  np.testing.assert_array_equal(
      _decode(encoded[:32_044])[:16_000], _decode(encoded)[:16_000])
