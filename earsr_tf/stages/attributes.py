"""The classifiers C_i, C_g and C_a of the evaluation (section 4.4).

The paper tunes VGG-Face and DEX; this is their offline default: one small
network with three heads, trained on D and on the gallery videos of the
open-set speakers (never on a test video). Unknown labels do not count.
Narrow networks trained for minutes make soft faces, so the classifiers of the
small presets also learn from softened copies (`attributes.max_softening`).
"""

from __future__ import annotations

import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf.data import keys
from earsr_tf.ops import resample
from earsr_tf.stages import networks as networks_lib
from earsr_tf.stages import phases
from earsr_tf.stages import stage as stage_lib

_AGE_UNIT_YEARS = 10.0


def _cross_entropy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
  """[B]; zero where the label is unknown (-1)."""
  loss = tf.nn.sparse_softmax_cross_entropy_with_logits(
      tf.maximum(labels, 0), logits)
  return tf.where(labels >= 0, loss, 0.0)


def soften(image_high: tf.Tensor, level: tf.Tensor, num_levels: int
           ) -> tf.Tensor:
  """Reduces each image by 2^level and enlarges it again.

  Args:
    image_high: [B, S, S, 3] float32.
    level: [B] int32 in [0, num_levels); 0 leaves the image as it is.
    num_levels: Static bound of `level`.

  Returns:
    [B, S, S, 3] float32.
  """
  size = image_high.shape[1:3]
  softened = image_high
  for number in range(1, num_levels):
    reduced = resample.downsample_box(image_high, 2 ** number)
    softened = tf.where(
        tf.equal(level, number)[:, tf.newaxis, tf.newaxis, tf.newaxis],
        tf.image.resize(reduced, size, 'bilinear'), softened)
  return softened


def _levels(batch: stage_lib.Batch, clock: stage_lib.Clock, num_levels: int
            ) -> tf.Tensor:
  """Levels [B] drawn for the global batch, picked by this replica's rows."""
  drawn = tf.random.stateless_uniform(
      [clock.batch_size], clock.seed, maxval=num_levels, dtype=tf.int32)
  return tf.gather(drawn, batch[keys.INDEX] - clock.images)


def _terms(max_softening: int) -> stage_lib.TermsFunction:
  num_levels = max_softening.bit_length()

  def terms(networks, batch, clock):
    """Cross-entropies of speaker and gender, L1 of age, [B] each."""
    image = batch[keys.IMAGE_HIGH]
    if num_levels > 1:
      image = soften(image, _levels(batch, clock, num_levels), num_levels)
    output = networks['classifier'](image)
    age = batch[keys.AGE]
    is_known = tf.math.is_finite(age)
    error = tf.abs(output['age'] - tf.where(is_known, age, 0.0))
    return {
        'speaker': _cross_entropy(
            batch[keys.SPEAKER], output['speaker_logits']),
        'gender': _cross_entropy(batch[keys.GENDER], output['gender_logits']),
        'age': tf.where(is_known, error / _AGE_UNIT_YEARS, 0.0)}
  return terms


def stage(config: config_lib.Config) -> stage_lib.Stage:
  """Cross entropies of speaker and gender, L1 of age in decades."""
  num_speakers = max(config.attributes.num_speakers, 1)
  return stage_lib.Stage(
      name='attributes',
      equation='section 4.4',
      inputs=(keys.IMAGE_HIGH, keys.SPEAKER, keys.GENDER, keys.AGE),
      splits=('d_pre', 'd_rest', 'open_gallery'),
      build=lambda: {'classifier': networks_lib.classifier(
          config.model, num_speakers)},
      restores={},
      updates=(stage_lib.Update(
          'attributes', ('classifier',),
          _terms(config.attributes.max_softening),
          {'speaker': 1.0, 'gender': 1.0, 'age': 1.0}),),
      phases=phases.make(config, 'attributes'),
      adam=phases.main_adam(config),
      outputs=('classifier',),
      decay=config.optimizer.decay,
      mirror=True)
