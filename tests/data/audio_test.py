"""WAV decoding and cropping against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.data import audio
from earsr_tf.media import reader


@pytest.mark.parametrize('count', [1, 16000, 64001])
def test_decode_wav_gives_the_samples(count):
  samples = np.random.default_rng(count).integers(
      -32768, 32768, count).astype(np.int16)
  decoded = audio.decode_wav(tf.constant(reader.encode_wav(samples)))
  assert decoded.dtype == tf.int16
  np.testing.assert_array_equal(decoded.numpy(), samples)


def test_to_float_maps_the_full_range():
  given = tf.constant([-32768, 0, 16384, 32767], tf.int16)
  assert audio.to_float(given).numpy().tolist() == [
      -1.0, 0.0, 0.5, 32767 / 32768]


@pytest.mark.parametrize('count, start', [
    (16000, 0), (63999, 0), (64000, 0), (64001, 1), (100000, 36000)])
def test_crop_loops_or_cuts(count, start):
  samples = np.arange(count, dtype=np.int32)
  expected = np.tile(samples, 5)[start:start + 64000]
  cut = tf.function(audio.crop)(tf.constant(samples), tf.constant(start))
  assert cut.shape == [64000]
  np.testing.assert_array_equal(cut.numpy(), expected)


def _key(number: int) -> tf.Tensor:
  return tf.constant([5, number], tf.int32)


def _start(key: tf.Tensor, bound: int) -> int:
  return int(tf.random.stateless_uniform(
      [], key, minval=0, maxval=bound, dtype=tf.int32))


def test_a_silent_segment_is_drawn_again_from_the_key_alone():
  samples = np.full([160_000], 3, np.int16)
  samples[100_000:] = np.random.RandomState(0).randint(-99, 99, 60_000)
  redrawn = 0
  for number in range(30):
    key = _key(number)
    keys = [key] + [tf.random.experimental.stateless_fold_in(key, draw)
                    for draw in range(1, audio.MAX_DRAWS)]
    starts = [_start(k, 96_001) for k in keys]
    # A segment is silent when it ends before the sound begins.
    good = next(i for i, s in enumerate(starts) if s + 64_000 > 100_050)
    drawn = audio.draw_segment(tf.constant(samples), key)
    np.testing.assert_array_equal(
        drawn, samples[starts[good]:starts[good] + 64_000])
    redrawn += good > 0
  assert redrawn > 5


def test_a_silent_voice_is_drawn_a_bounded_number_of_times():
  samples = tf.constant(np.arange(70_000) % 2, tf.int16)
  key = _key(1)
  last = tf.random.experimental.stateless_fold_in(key, audio.MAX_DRAWS - 1)
  start = _start(last, 6_001)
  np.testing.assert_array_equal(
      audio.draw_segment(samples, key), samples[start:start + 64_000])


@pytest.mark.parametrize('peak, offset, silent', [
    (0, 0, True), (9, 0, True), (9, 20_000, True), (10, 0, False),
    (300, -5, False)])
def test_silence_is_no_sound_around_the_mean(peak, offset, silent):
  samples = offset + peak * np.array([0, 1, 0, -1] * 20)
  assert bool(audio.is_silent(tf.constant(samples, tf.int16))) == silent


@pytest.mark.parametrize('count', [16000, 63999, 64000, 64001, 200_000])
def test_a_voice_is_drawn_as_if_all_of_it_were_decoded(count):
  samples = np.random.default_rng(count).integers(
      -3000, 3000, count).astype(np.int16)
  samples[:count // 2] //= 1000  # silent
  encoded = tf.constant(reader.encode_wav(samples))
  draw = tf.function(audio.draw_voice)
  for number in range(8):
    np.testing.assert_array_equal(
        draw(encoded, _key(number)),
        audio.draw_segment(tf.constant(samples), _key(number)))


def test_a_voice_with_another_header_is_decoded_whole():
  plain = reader.encode_wav(
      np.random.default_rng(1).integers(-99, 99, 70_000).astype(np.int16))
  more = plain[:36] + b'LIST\4\0\0\0abcd' + plain[36:]
  np.testing.assert_array_equal(
      audio.draw_voice(tf.constant(more), _key(2)),
      audio.draw_voice(tf.constant(plain), _key(2)))
