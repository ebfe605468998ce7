"""The signatures: what they give, alone or in a batch, and refuse."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
from PIL import Image
import pytest
import tensorflow as tf

import earsr_tf
from earsr_tf.data import records
from earsr_tf.media import reader
from earsr_tf.serving import refusal
from earsr_tf.serving import saved_model
from earsr_tf.serving import signatures


@pytest.fixture(scope='module')
def functions(version: str) -> dict[str, Any]:
  """The signatures of the export."""
  return signatures.load_all(version)


def _files(count: int) -> tuple[list[bytes], list[bytes]]:
  """PNG and WAV files."""
  random = np.random.default_rng(2)
  pictures, voices = [], []
  for number in range(count):
    low = random.integers(0, 256, size=(8, 8, 3), dtype=np.uint8)
    high = Image.fromarray(low).resize((150 + number, 140), 3)
    pictures.append(reader.encode_png(np.asarray(high)))
    voices.append(reader.encode_wav(random.normal(
        scale=3_000.0, size=40_000 + 9_000 * number).astype(np.int16)))
  return pictures, voices


def _pixels(encoded: tf.Tensor) -> np.ndarray:
  """[N] PNG files -> [N, 128, 128, 3] int."""
  return np.stack(
      [tf.io.decode_png(e).numpy() for e in encoded]).astype(int)


def test_files_give_what_the_command_gives(
    functions: dict[str, Any], version: str, tmp_path: pathlib.Path) -> None:
  [picture], [voice] = _files(1)
  (tmp_path / 'face.png').write_bytes(picture)
  (tmp_path / 'voice.wav').write_bytes(voice)
  expected = earsr_tf.load(version).super_resolve(
      tmp_path / 'face.png', tmp_path / 'voice.wav', notice=lambda text: None)
  made = functions['super_resolve_bytes'](
      image_bytes=tf.constant([picture]), audio_bytes=tf.constant([voice]))
  np.testing.assert_array_equal(_pixels(made['image_bytes'])[0], expected)


def test_a_batch_gives_what_each_gives_alone(
    functions: dict[str, Any]) -> None:
  pictures, voices = _files(3)
  run = lambda p, v: _pixels(functions['super_resolve_bytes'](
      image_bytes=tf.constant(p), audio_bytes=tf.constant(v))['image_bytes'])
  together = run(pictures, voices)
  for row in range(3):
    alone = run(pictures[row:row + 1], voices[row:row + 1])
    assert np.abs(alone[0] - together[row]).max() <= 1
  assert np.abs(together[0] - together[1]).max() > 1


def test_a_record_of_prepared_data_is_an_example(
    functions: dict[str, Any]) -> None:
  pictures, voices = _files(2)
  examples = [records.encode(records.ClipRecord(
      speaker='a', video='b', clip='c', split='d', gender=1, age=30.0,
      frames=frames, voice=voice)) for frames, voice in zip(
          (pictures[:1], pictures[::-1]), voices)]
  got = functions['serving_default'](examples=tf.constant(examples))
  expected = functions['super_resolve_bytes'](
      image_bytes=tf.constant(pictures), audio_bytes=tf.constant(voices))
  assert np.abs(_pixels(got['image_bytes'])
                - _pixels(expected['image_bytes'])).max() <= 1


def test_one_input_alone(functions: dict[str, Any], run_root: str) -> None:
  random = np.random.default_rng(3)
  image_low = tf.constant(
      random.integers(0, 256, size=(2, 8, 8, 3), dtype=np.uint8))
  waveform = tf.constant(random.normal(size=(2, 64_000)), tf.float32)
  image = functions['image_only'](image_low=image_low)['image_high'].numpy()
  weak = functions['super_resolve_strength'](
      image_low=image_low, waveform=waveform, voice_strength=tf.zeros([2]))
  assert np.abs(image.astype(int) - weak['image_high'].numpy()).max() <= 1
  model, _ = saved_model.load(run_root)
  code = model.codes(tf.zeros([2, 8, 8, 3]), waveform)['audio']
  expected = np.clip(np.round((model.generator(code) + 1.0) * 127.5), 0, 255)
  voice = functions['audio_only'](waveform=waveform)['image_high'].numpy()
  assert np.abs(voice - expected).max() <= 1
  assert np.abs(voice.astype(int) - image).max() > 1


def test_codes_are_made_apart_from_pictures(functions: dict[str, Any]) -> None:
  random = np.random.default_rng(4)
  low = tf.constant(random.integers(0, 256, size=(3, 8, 8, 3), dtype=np.uint8))
  voice = tf.constant(random.normal(size=(1, 64_000)), tf.float32)
  strength = tf.constant([1.0, 0.5, 1.5])
  whole = functions['super_resolve_strength'](
      image_low=low, waveform=tf.repeat(voice, 3, axis=0),
      voice_strength=strength)['image_high'].numpy().astype(int)
  encode, render = functions['encode'], functions['render']
  code = encode(
      image_low=low, waveform=voice, voice_strength=strength)['code']
  assert code.shape[0] == 3 and code.shape.rank == 3
  made = render(code=code, image_low=low)['image_high'].numpy()
  assert np.abs(made - whole).max() <= 1
  assert 'give one, or as many' in _refused(
      encode, image_low=low, waveform=tf.repeat(voice, 2, axis=0),
      voice_strength=strength)
  assert 'between 0 and 1.5' in _refused(
      encode, image_low=low, waveform=voice,
      voice_strength=np.array([1, np.nan, 1], np.float32))
  assert 'code: has values that are NaN' in _refused(
      render, code=code * np.nan, image_low=low)


def _refused(function: Any, **inputs: Any) -> str:
  with pytest.raises(tf.errors.InvalidArgumentError) as caught:
    function(**{name: tf.constant(v) for name, v in inputs.items()})
  return refusal.sentence(caught.value)


@pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_refused(
    functions: dict[str, Any], value: float) -> None:
  waveform = np.zeros([2, 64_000], np.float32)
  waveform[1, 63_999] = value
  inputs = {'waveform': waveform, 'image_low': np.zeros([2, 8, 8, 3], np.uint8),
            'voice_strength': np.ones([2], np.float32)}
  for name in ('super_resolve', 'super_resolve_strength', 'audio_only'):
    function = functions[name]
    assert 'NaN or infinite' in _refused(function, **{
        key: inputs[key] for key in function.structured_input_signature[1]})


def test_empty_and_unequal_batches_are_refused(
    functions: dict[str, Any]) -> None:
  low, sound = np.zeros([3, 8, 8, 3], np.uint8), np.zeros([2, 64_000], 'f4')
  run = functions['super_resolve']
  assert 'give as many of each' in _refused(
      run, image_low=low, waveform=sound)
  assert 'give at least one' in _refused(
      run, image_low=low[:0], waveform=sound[:0])
  none = np.zeros([0], object)
  assert 'give at least one' in _refused(
      functions['super_resolve_bytes'],
      image_bytes=tf.constant(none, tf.string),
      audio_bytes=tf.constant(none, tf.string))
  assert 'give at least one' in _refused(
      functions['serving_default'], examples=tf.constant(none, tf.string))


def test_the_row_that_is_bad_is_named(functions: dict[str, Any]) -> None:
  pictures, voices = _files(2)
  run = functions['super_resolve_bytes']
  assert _refused(run, image_bytes=[pictures[0], b'x'], audio_bytes=voices) == (
      'image_bytes (row 1): is no PNG or JPEG file')
  assert _refused(run, image_bytes=pictures, audio_bytes=[b'y', voices[1]]) == (
      'audio_bytes (row 0): is no WAV file')


def test_what_is_no_example_is_refused(functions: dict[str, Any]) -> None:
  for example in (b'junk', tf.train.Example().SerializeToString()):
    assert 'tf.Example with `frames`' in _refused(
        functions['serving_default'], examples=[example])
  _, [voice] = _files(1)
  example = tf.train.Example()
  example.features.feature['voice'].bytes_list.value.append(voice)
  assert 'no picture in `frames`' in _refused(
      functions['serving_default'], examples=[example.SerializeToString()])
