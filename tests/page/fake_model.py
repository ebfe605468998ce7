"""A model whose faces tell what they were made of."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
from PIL import Image

from earsr_tf import cli

SIDE, SMALL = 128, 8


class FakeModel:
  """Enlarges the small picture; its blue is 100 times strength times peak."""

  version = pathlib.Path('models', '7')
  facts = {'preset': 'tiny', 'dataset': 'synthetic',
           'date': '2026-11-28T00:00:00+00:00', 'signatures': ['audio_only']}

  def reduce(self, image: np.ndarray, notice: Any = None) -> np.ndarray:
    return np.asarray(Image.fromarray(image).resize(
        (SMALL, SMALL), Image.Resampling.BOX))

  def super_resolve(self, image: Any, audio: Any = None, *,
                    strength: float = 1.0, **unused: Any) -> np.ndarray:
    del unused
    if isinstance(image, list):
      return np.stack([
          self.super_resolve(low, voice, strength=strength)
          for low, voice in zip(image, audio, strict=True)])
    if strength > 1.5:
      raise cli.InputError('--strength: too much')
    made = np.repeat(np.repeat(image, SIDE // SMALL, 0), SIDE // SMALL, 1)
    blue = 0.0 if audio is None else 100.0 * strength * np.abs(audio).max()
    made[..., 2] = round(blue)
    return made

  @property
  def signatures(self) -> dict[str, Any]:
    return {'audio_only': lambda waveform: {'image_high': np.full(
        [1, SIDE, SIDE, 3], round(100.0 * np.abs(waveform).max()), np.uint8)}}
