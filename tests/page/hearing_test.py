"""The picture of a voice shows when it is loud and at which frequencies."""

from __future__ import annotations

import numpy as np

from earsr_tf.page import hearing


def test_loud_halves_and_tones_are_where_they_belong():
  time = np.arange(64_000) / 16_000
  voice = (0.8 * np.sin(2 * np.pi * 1000.0 * time)).astype(np.float32)
  voice[32_000:] = 0.0
  voice[::2] += 1e-4  # no silence, of which there is no spectrum
  shown = hearing.drawn(voice)
  assert shown.shape == (340, 600, 3) and shown.dtype == np.uint8
  rows = shown.astype(int)
  blue = (rows[..., 2] - rows[..., 0] > 80) & (rows[..., 1] > 90)
  waves = blue[:110].sum(0)  # dots of the wave in each column
  assert waves[120:300].min() > 20 and waves[360:560].max() < 6
  # 1 kHz of 8: the brightest line lies an eighth above the lower edge.
  spectrum = rows[130:290, 120:300].sum(axis=(1, 2))
  place = np.argmax(spectrum) / len(spectrum)
  assert 0.75 < place < 0.95
