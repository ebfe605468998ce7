"""A stretch of a stage's schedule, for all sections of a configuration."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class PhaseConfig:
  """A stretch of training with constant shapes.

  Attributes:
    images: Length in images (real images shown).
    batch_size: Global batch.
    resolution: Side of the generated images; 0 means `model.image_size`.
    fade_images: Images at the start during which the resolution fades in.
    learning_rate: Adam's step; 0 means `optimizer.learning_rate`.
  """
  images: int
  batch_size: int
  resolution: int = 0
  fade_images: int = 0
  learning_rate: float = 0.0
