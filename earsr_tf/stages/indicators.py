"""Numbers that show whether a stage does what it is meant to.

They are functions of weights and of the fixed preview batch alone, so a run
that was interrupted records the same ones.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from earsr_tf.data import keys
from earsr_tf.stages import stage as stage_lib


def other_speakers(speaker: np.ndarray) -> np.ndarray | None:
  """For every row the next row, cyclically, of somebody else.

  Args:
    speaker: [B] who speaks.

  Returns:
    [B] int64 rows, or None if all rows are of one person.
  """
  count = len(speaker)
  if np.all(speaker == speaker[0]):
    return None
  return np.array([
      next(j % count for j in range(i + 1, i + count)
           if speaker[j % count] != speaker[i])
      for i in range(count)])


def shuffled_gap(update: stage_lib.Update) -> stage_lib.Observe:
  """What it costs to hear somebody else: > 0 if the voice is used.

  'shuffled_gap/<update>/<term>' is the mean of a term with the voice of
  another person minus that with the right one, 'total' the same of the
  weighted sum. Nothing is reported if all voices are of one person.

  Args:
    update: Its terms read `keys.WAVEFORM`; its weights are numbers.
  """
  def observe(networks, batch, clock):
    """Scalars by name; none if no voice can be swapped."""
    rows = other_speakers(np.asarray(batch[keys.SPEAKER]))
    if rows is None:
      return {}
    wrong = {**batch, keys.WAVEFORM: tf.gather(batch[keys.WAVEFORM], rows)}
    right_terms = update.terms(networks, batch, clock)
    wrong_terms = update.terms(networks, wrong, clock)
    gaps = {name: tf.reduce_mean(wrong_terms[name] - right_terms[name])
            for name in update.weights}
    gaps['total'] = tf.add_n([
        weight * gaps[name] for name, weight in update.weights.items()])
    return {f'shuffled_gap/{update.name}/{name}': value
            for name, value in gaps.items()}
  return observe


def delta_norms(generator: tf.keras.Model, anchor: tf.keras.Model
                ) -> dict[str, tf.Tensor]:
  """How far each part of G has moved: |G - G_init|_2.

  Args:
    generator: G.
    anchor: G_init, of the same form.

  Returns:
    'delta_norm/<part>' -> [] float32 for `mapping` (unless it is frozen),
    `style_layer_00` ..., `to_rgb`, and `base_in` if there is a linear base;
    the constant input is part of the first style layer. Their squares add up
    to |G_init - G|^2 of Eq. (2).
  """
  norms = {}
  anchors = _parts(anchor)
  for name, variables in _parts(generator).items():
    if variables:
      norms[f'delta_norm/{name}'] = tf.linalg.global_norm(
          [v - a for v, a in zip(variables, anchors[name], strict=True)])
  return norms


def _parts(generator: tf.keras.Model) -> dict[str, list[tf.Variable]]:
  """Part of G -> its variables that can be trained."""
  synthesis = generator.synthesis
  parts = {'mapping': generator.mapping.trainable_variables}
  for number, layer in enumerate(synthesis.styled_layers):
    first = [] if number else [synthesis.constant]
    parts[f'style_layer_{number:02d}'] = first + layer.trainable_variables
  parts['to_rgb'] = [
      v for layer in synthesis.to_rgbs for v in layer.trainable_variables]
  parts['base_in'] = [v for layer in synthesis.base_ins.values()
                      for v in layer.trainable_variables]
  return parts
