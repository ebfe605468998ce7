"""The classifiers C_i, C_g and C_a of the evaluation (section 4.4).

The paper tunes VGG-Face and DEX; this is their offline default: one small
network with three heads, trained on D and on the gallery videos of the
open-set speakers (never on a test video). Unknown labels do not count.
"""

from __future__ import annotations

import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf.data import keys
from earsr_tf.stages import networks as networks_lib
from earsr_tf.stages import phases
from earsr_tf.stages import stage as stage_lib

_AGE_UNIT_YEARS = 10.0


def _cross_entropy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
  """[B]; zero where the label is unknown (-1)."""
  loss = tf.nn.sparse_softmax_cross_entropy_with_logits(
      tf.maximum(labels, 0), logits)
  return tf.where(labels >= 0, loss, 0.0)


def _terms(networks: stage_lib.Networks, batch: stage_lib.Batch,
           clock: stage_lib.Clock) -> stage_lib.Terms:
  del clock
  output = networks['classifier'](batch[keys.IMAGE_HIGH])
  age = batch[keys.AGE]
  is_known = tf.math.is_finite(age)
  error = tf.abs(output['age'] - tf.where(is_known, age, 0.0))
  return {
      'speaker': _cross_entropy(
          batch[keys.SPEAKER], output['speaker_logits']),
      'gender': _cross_entropy(batch[keys.GENDER], output['gender_logits']),
      'age': tf.where(is_known, error / _AGE_UNIT_YEARS, 0.0)}


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
          'attributes', ('classifier',), _terms,
          {'speaker': 1.0, 'gender': 1.0, 'age': 1.0}),),
      phases=phases.make(config, 'attributes'),
      adam=phases.main_adam(config),
      outputs=('classifier',),
      decay=config.optimizer.decay,
      mirror=True)
