"""Tests of ops/spectrogram.py against float64 NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.io import wavfile
import tensorflow as tf

from earsr_tf.media import reader
from earsr_tf.ops import spectrogram
from tests import testing


def _reference(waveform: np.ndarray) -> np.ndarray:
  window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(512) / 512)
  frames = np.stack(
      [waveform[i * 248:i * 248 + 512] * window for i in range(257)])
  log_power = np.log(np.abs(np.fft.rfft(frames)) ** 2 + 1e-6)
  low, high = log_power.min(), log_power.max()
  return 2.0 * (log_power - low) / (high - low) - 1.0


def _voice(seed: int) -> np.ndarray:
  """A pulse train with two resonances, 16-bit quantised, and a silence."""
  random = np.random.RandomState(seed)
  time = np.arange(64000) / 16000.0
  phase = 2 * np.pi * np.cumsum(120 + 20 * np.sin(time)) / 16000.0
  voice = sum(np.sin(k * phase) / k for k in range(1, 25))
  voice *= 0.1 * (np.sin(5 * time) > -0.5)
  voice += 1e-3 * random.normal(size=64000)
  voice[20000:24000] = 0.0
  return np.rint(voice * 32767) / 32768.0


def test_equals_float64_numpy_within_2e_5():
  waves = np.stack([_voice(s) for s in range(3)])
  expected = np.stack([_reference(w) for w in waves])
  ours = spectrogram.log_spectrogram(tf.constant(waves, tf.float32))
  assert ours.shape == (3, 257, 257, 1)
  np.testing.assert_allclose(ours[..., 0], expected, atol=2e-5)


def test_equals_float64_numpy_on_real_voices():
  folder = testing.shared_dir() / 'data' / 'official_test7' / 'audio'
  waves = np.stack([
      wavfile.read(path)[1] / 32768.0 for path in sorted(
          folder.glob('*.wav'))])
  assert waves.shape == (7, 64000)
  expected = np.stack([_reference(w) for w in waves])
  ours = spectrogram.log_spectrogram(tf.constant(waves, tf.float32))
  np.testing.assert_allclose(ours[..., 0], expected, atol=2e-5)


def test_products_in_float32_come_near_the_transform():
  waves = np.stack([_voice(0), 0.01 * _voice(1), np.zeros(64000)])
  waves[1, :9] = [np.nan, np.inf, -np.inf, 1e30, 0, 0, 0, 0, 0]
  waves = tf.constant(waves, tf.float32)
  ours = spectrogram.log_spectrogram_of_products(waves).numpy()
  exact = spectrogram.log_spectrogram(waves).numpy()
  assert ours.shape == exact.shape and np.isfinite(ours).all()
  np.testing.assert_allclose(ours[0], exact[0], atol=1e-3)
  assert np.abs(ours[0] - exact[0]).mean() < 1e-5
  np.testing.assert_array_equal(ours[2], exact[2])


def test_rows_are_time_and_columns_frequency():
  time = np.arange(64000) / 16000.0
  tone = np.sin(2 * np.pi * 1000.0 * time) * (time > 2.0)
  image = spectrogram.log_spectrogram(
      tf.constant(tone[np.newaxis], tf.float32))[0, :, :, 0].numpy()
  # 1000 Hz is bin 32 of 16000 / 512 = 31.25 Hz; sound in the second half.
  assert image[200].argmax() == 32
  assert image[:120].max() == pytest.approx(-1.0, abs=1e-6)
  assert image[200, 32] == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize('value', [0.0, np.nan, np.inf])
def test_silence_and_broken_samples_give_minus_one(value):
  image = spectrogram.log_spectrogram(tf.fill([2, 64000], np.float32(value)))
  np.testing.assert_array_equal(image, np.full([2, 257, 257, 1], -1.0))


def test_huge_samples_stay_finite_and_in_range():
  waves = np.random.RandomState(0).normal(size=[1, 64000]) * 1e37
  image = spectrogram.log_spectrogram(
      tf.constant(waves, tf.float32)).numpy()
  assert np.isfinite(image).all()
  assert image.min() == -1.0 and image.max() == 1.0


def test_clips_of_a_batch_do_not_see_each_other():
  waves = tf.constant(np.stack([_voice(0), 0.01 * _voice(1)]), tf.float32)
  both = spectrogram.log_spectrogram(waves)
  alone = spectrogram.log_spectrogram(waves[1:])
  np.testing.assert_array_equal(both[1:], alone)


def test_unknown_batch_in_a_graph():
  traced = tf.function(
      spectrogram.log_spectrogram,
      input_signature=[tf.TensorSpec([None, 64000])])
  waves = tf.constant(_voice(0)[np.newaxis], tf.float32)
  np.testing.assert_allclose(
      traced(waves), spectrogram.log_spectrogram(waves), atol=2e-6)


def test_refuses_other_lengths_and_types():
  with pytest.raises(ValueError, match=r'\[any, 64000\]; got \[1, 48000\]'):
    spectrogram.log_spectrogram(tf.zeros([1, 48000]))
  with pytest.raises(ValueError, match='waveform must be floating point'):
    spectrogram.log_spectrogram(tf.zeros([1, 64000], tf.int16))


@pytest.mark.parametrize('batch', [0, 1, 5])
def test_any_batch(batch):
  waves = np.stack([_voice(i) for i in range(batch)]) if batch else (
      np.zeros([0, 64000]))
  image = spectrogram.log_spectrogram(tf.constant(waves, tf.float32))
  assert image.shape == (batch, 257, 257, 1)
  assert np.isfinite(image).all()


def test_silence_beside_a_voice_and_a_constant_offset():
  waves = np.stack([_voice(0), np.zeros(64000), _voice(1)])
  image = spectrogram.log_spectrogram(tf.constant(waves, tf.float32))
  np.testing.assert_array_equal(image[1], np.full([257, 257, 1], -1.0))
  for number in (0, 2):
    np.testing.assert_allclose(
        image[number, :, :, 0], _reference(waves[number]), atol=2e-5)


def test_gradients_are_finite_even_for_silence():
  waves = tf.constant(np.stack([_voice(0), np.zeros(64000)]), tf.float32)
  with tf.GradientTape() as tape:
    tape.watch(waves)
    total = tf.reduce_sum(spectrogram.log_spectrogram(waves))
  assert np.isfinite(tape.gradient(total, waves)).all()


def test_equals_float64_numpy_on_other_people_s_voices():
  """Speech of LibriSpeech beside the authors' seven."""
  folder = testing.shared_dir() / 'data' / 'librispeech_351'
  paths = sorted(folder.rglob('*.flac'))[:4] or sorted(
      folder.rglob('*.wav'))[:4]
  if not paths:
    pytest.skip(f'no sound in {folder}')
  waves = np.stack([np.resize(
      reader.read_audio(str(path), max_seconds=4.0), 64000) / 32768.0
                    for path in paths])
  ours = spectrogram.log_spectrogram(tf.constant(waves, tf.float32))
  np.testing.assert_allclose(
      ours[..., 0], np.stack([_reference(w) for w in waves]), atol=2e-5)


def test_statistics_are_means_and_deviations_of_bands() -> None:
  image = np.random.default_rng(0).normal(size=(2, 257, 257, 1))
  found = spectrogram.statistics(tf.constant(image)).numpy()
  assert found.shape == (2, 128)
  for band in (0, 63):
    values = image[:, :, 1 + 4 * band:5 + 4 * band, 0].mean(-1)
    np.testing.assert_allclose(found[:, band], values.mean(1))
    np.testing.assert_allclose(found[:, 64 + band], values.std(1))
