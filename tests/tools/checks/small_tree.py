"""A few files as a project of their own, for the checks to look at."""

from __future__ import annotations

import pathlib
from typing import Mapping


def write(root: pathlib.Path, files: Mapping[str, str]) -> pathlib.Path:
  """Writes path -> text below `root`, which is returned."""
  for path, text in files.items():
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text, encoding='utf-8')
  return root
