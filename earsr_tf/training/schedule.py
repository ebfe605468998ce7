"""Where a stage stands in its phases: batches, fading, resets of Adam.

StyleGAN v1's rule (Karras et al. 2018; training_loop.py): Adam's state starts
anew whenever floor or ceil of the level of detail changes, which is when a
resolution begins to fade in and again when it has faded in. Boundaries are
numbers of images from the stage's beginning; each takes effect at the first
whole batch.
"""

from __future__ import annotations

import dataclasses
from typing import Sequence

from earsr_tf.stages import stage as stage_lib


@dataclasses.dataclass(frozen=True)
class Span:
  """The steps of one phase.

  Attributes:
    phase: The phase.
    begin: Images at which it should begin; the fade counts from here.
    first: Images before its first step: `begin` or up to a batch more.
    last: Images after its last step.
    changes: Images before the steps at which the resolutions in use change.
  """
  phase: stage_lib.Phase
  begin: int
  first: int
  last: int
  changes: frozenset[int]

  def alpha(self, images: int) -> float:
    """How far the resolution has faded in after `images`, in [0, 1]."""
    if not self.phase.fade_images:
      return 1.0
    return min(1.0, max(images - self.begin, 0) / self.phase.fade_images)


def _next(position: int, boundary: int, batch_size: int) -> int:
  """Images at the first step that begins at the boundary or after it."""
  steps = -(-(boundary - position) // batch_size)
  return position + max(steps, 0) * batch_size


def spans(phases: Sequence[stage_lib.Phase]) -> list[Span]:
  """The steps of every phase, in order.

  Args:
    phases: A stage's schedule.

  Returns:
    One span per phase; a phase that whole batches skip is empty.
  """
  made, begin, first, before = [], 0, 0, None
  for phase in phases:
    side, batch_size = phase.resolution, phase.batch_size
    last = _next(first, begin + phase.images, batch_size)
    faded = _next(first, begin + phase.fade_images, batch_size)
    changes = set()
    for position, end, sides in (
        (first, faded, (side // 2, side)), (faded, last, (side, side))):
      if position < end:
        if before not in (None, sides):
          changes.add(position)
        before = sides
    made.append(Span(phase, begin, first, last, frozenset(changes)))
    begin, first = begin + phase.images, last
  return made
