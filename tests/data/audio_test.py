"""WAV decoding and cropping against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.data import audio
from earsr_tf.data import media


@pytest.mark.parametrize('count', [1, 16000, 64001])
def test_decode_wav_gives_the_samples(count):
  samples = np.random.default_rng(count).integers(
      -32768, 32768, count).astype(np.int16)
  decoded = audio.decode_wav(tf.constant(media.encode_wav(samples)))
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
