"""What a run shows of its networks: pictures, voices, weights."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from earsr_tf.data import keys
from earsr_tf.training.monitoring import observations
from earsr_tf.training.monitoring import summaries

# Of a network's weights, so many are enough for a histogram.
_MAX_WEIGHTS = 1 << 20


class Previews:
  """Shows a run in the same way every time."""

  def __init__(self, *, fixed: observations.Fixed):
    """Looks at networks that are as they were before the first step.

    Args:
      fixed: What to show.
    """
    self._fixed = fixed
    self._first: dict[str, tf.Tensor] = {}
    self._has_voices = keys.WAVEFORM in fixed.batch
    stage = fixed.stage
    if stage.first_previews:
      shown = self._shown(stage.phases[-1].resolution, 1.0)
      self._first = {name: shown[name] for name in stage.first_previews}

  def write(self, reporter: summaries.Reporter, images: int, resolution: int,
            alpha: float) -> None:
    """Writes all previews.

    Args:
      reporter: Where to.
      images: Images shown so far.
      resolution: Side of the images in training.
      alpha: How far it has faded in.
    """
    stage = self._fixed.stage
    for name in sorted({n for u in stage.updates for n in u.trains}):
      reporter.histogram(
          images, f'weights/{name}', sample(self._fixed.networks[name]))
    if stage.preview is None:
      return
    columns = {}
    for name, image in self._shown(resolution, alpha).items():
      if image.shape.rank == 5:
        reporter.picture(images, name, image.numpy())
        continue
      if name in self._first:
        columns[stage.first_previews[name]] = self._first[name]
      columns[name] = image
    if columns:
      reporter.preview(images, columns)
    if self._has_voices:  # they stay the same: once is enough
      reporter.voices(images, self._fixed.batch[keys.WAVEFORM].numpy())
      self._has_voices = False

  def _shown(self, resolution: int, alpha: float) -> dict[str, tf.Tensor]:
    return dict(self._fixed.stage.preview(
        self._fixed.networks, self._fixed.batch,
        self._fixed.clock(resolution, np.float32(alpha))))


def sample(network: tf.keras.Model, limit: int = _MAX_WEIGHTS) -> np.ndarray:
  """At most `limit` of a network's trainable weights, evenly spaced.

  Args:
    network: The network.
    limit: At least 1.

  Returns:
    [n] float32; all weights if they are no more than `limit`.
  """
  variables = network.trainable_variables
  stride = -(-sum(v.shape.num_elements() for v in variables) // limit)
  picked, skip = [], 0
  for variable in variables:
    flat = variable.numpy().reshape(-1)
    picked.append(flat[skip::stride])
    skip = (skip - flat.size) % stride
  return np.concatenate(picked)
