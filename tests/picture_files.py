"""Pictures that the tests of `media` write and read."""

from __future__ import annotations

import pathlib

import numpy as np
from PIL import Image


def save(path: pathlib.Path, array: np.ndarray, **options) -> str:
  """Writes [H, W] or [H, W, C] uint8 with Pillow's options; the path."""
  Image.fromarray(array).save(path, **options)
  return str(path)


def ramps(height: int = 48, width: int = 64) -> np.ndarray:
  """[height, width, 3] uint8: red grows to the right, green downwards."""
  y, x = np.mgrid[:height, :width]
  return np.stack([x * 255 // (width - 1), y * 255 // (height - 1),
                   np.full_like(x, 90)], -1).astype(np.uint8)
