"""A hum and a gradient as files, for tests of what people hand in."""

from __future__ import annotations

import pathlib
import wave

import numpy as np
from PIL import Image

RATE_HZ = 16_000


def voice(path: pathlib.Path, *, seconds: float = 4.0, rate: int = RATE_HZ,
           channels: int = 1, level: float = 0.3) -> str:
  """Writes a 16-bit WAV file with a hum."""
  time = np.arange(round(seconds * rate)) / rate
  hum = level * np.sin(2.0 * np.pi * 150.0 * time)
  samples = np.repeat((hum * 32767).astype('<i2')[:, np.newaxis], channels, 1)
  with wave.open(str(path), 'wb') as file:
    file.setnchannels(channels)
    file.setsampwidth(2)
    file.setframerate(rate)
    file.writeframes(samples.tobytes())
  return str(path)


def face(path: pathlib.Path, image: Image.Image | None = None,
          **options: object) -> str:
  """Writes a picture; a gradient of 160x160 unless one is given."""
  if image is None:
    ramp = np.linspace(0, 255, 160, dtype=np.uint8)
    image = Image.fromarray(np.stack(
        [np.tile(ramp, (160, 1)), np.tile(ramp[:, None], (1, 160)),
         np.full([160, 160], 90, np.uint8)], axis=-1))
  image.save(path, **options)
  return str(path)
