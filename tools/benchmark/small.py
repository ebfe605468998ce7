"""The small suite of tools/benchmark: steps at the sizes people try first."""

from __future__ import annotations

import dataclasses
from typing import Iterator

from tools.benchmark import measurement
from tools.benchmark import training

PARTS = ('demo', 'bench')


def measure(options: measurement.Options) -> Iterator[measurement.Row]:
  """Measures the training suite at the presets that are asked for.

  Args:
    options: How often; parts are presets, and `preset` does not count.
  """
  for preset in options.parts or PARTS:
    yield from training.measure(
        dataclasses.replace(options, parts=(), preset=preset))
