"""Trees of still pictures whose every pixel says which one it is."""

from __future__ import annotations

import json
import pathlib
import zipfile

import numpy as np
from PIL import Image


def picture(level: int, side: int = 24) -> Image.Image:
  """Grey of a level, with a white square of 8 at (4, 2)."""
  pixels = np.full((side, side, 3), level, np.uint8)
  pixels[2:10, 4:12] = 255
  return Image.fromarray(pixels)


def write(root: pathlib.Path, levels: dict[str, int]) -> pathlib.Path:
  """Writes PNG files; `levels` has the grey of each by its path."""
  for name, level in levels.items():
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    picture(level).save(path)
  return root


def stylegan_zip(
    path: pathlib.Path, folder: pathlib.Path, levels: dict[str, int],
    classes: list[list[object]] | None) -> pathlib.Path:
  """Writes a zip file as StyleGAN's `dataset_tool` does."""
  write(folder, levels)
  with zipfile.ZipFile(path, 'w', zipfile.ZIP_STORED) as archive:
    for name in levels:
      archive.write(folder / name, name)
    archive.writestr('dataset.json', json.dumps({'labels': classes}))
  return path
