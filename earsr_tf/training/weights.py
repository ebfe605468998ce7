"""Weights of loss terms that change while training: lambda_t of Eq. (2)."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from earsr_tf.stages import stage as stage_lib


class PlateauWeight(tf.Module):
  """lambda_t: halved when the smoothed loss stops improving.

  All state is in variables, so that a checkpoint carries it.

  Attributes:
    value: [] float32, lambda_t now.
    halvings: [] int64, how often it was halved.
  """

  def __init__(self, *, rule: stage_lib.HalveOnPlateau):
    """Starts at `rule.initial`."""
    super().__init__(name='plateau_weight')
    self._rule = rule
    self.value = tf.Variable(float(rule.initial), trainable=False)
    self.halvings = tf.Variable(0, dtype=tf.int64, trainable=False)
    self._smooth = tf.Variable(-1.0, trainable=False)
    self._best = tf.Variable(-1.0, trainable=False)
    self._best_images = tf.Variable(0, dtype=tf.int64, trainable=False)

  def observe(self, loss: float, images: int, batch_size: int) -> bool:
    """Takes the overall loss of a step.

    Args:
      loss: Total loss of the step, finite.
      images: Images shown so far.
      batch_size: Images of the step.

    Returns:
      Whether lambda_t was halved.
    """
    smooth = float(self._smooth)
    share = min(1.0, batch_size / (
        self._rule.smoothing * self._rule.window_images))
    smooth = loss if smooth < 0 else smooth + share * (loss - smooth)
    # NumPy's numbers: TensorFlow keeps every Python number that it converts.
    self._smooth.assign(np.float32(smooth))
    best = float(self._best)
    if best < 0 or smooth < best * (1.0 - self._rule.tolerance):
      self._best.assign(np.float32(smooth))
      self._best_images.assign(np.int64(images))
      return False
    if images - int(self._best_images) < self._rule.window_images:
      return False
    self.value.assign(self.value / 2.0)
    self.halvings.assign_add(1)
    # The loss has a new scale now: the search for its minimum starts again.
    self._best.assign(np.float32(smooth))
    self._best_images.assign(np.int64(images))
    return True

  def describe(self, images: int, term: float) -> str:
    """One line for the log about the latest halving.

    Args:
      images: Images shown so far.
      term: The unweighted term, such as |G - G_init|^2.
    """
    rule = self._rule
    return (f'{rule.symbol} halved to {float(self.value):.3g} (halving '
            f'{int(self.halvings)}) at {images} images, '
            f'{rule.term_symbol} = {term:.4g}')


def make(stage: stage_lib.Stage) -> dict[str, PlateauWeight]:
  """'<update>/<term>' -> PlateauWeight, for the weights that change."""
  return {
      f'{update.name}/{term}': PlateauWeight(rule=weight)
      for update in stage.updates
      for term, weight in update.weights.items()
      if isinstance(weight, stage_lib.HalveOnPlateau)}
