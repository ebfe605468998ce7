"""The classifiers C_i, C_g and C_a of the evaluation (section 4.4).

The paper tunes VGG-Face and DEX; this is their offline default: one small
network with three heads, trained on D. It never meets the open set's people,
who are named by its features (`evaluation/judge.py`), and its features enter
no other loss. Unknown labels do not count, nor do held-out videos, by which the
training is watched. Narrow networks trained for minutes make soft faces, so
the classifiers of the small presets also learn from softened copies
(`attributes.max_softening`), moved and lit otherwise (`attributes.jitter`).
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf.data import keys
from earsr_tf.ops import resample
from earsr_tf.stages import networks as networks_lib
from earsr_tf.stages import phases
from earsr_tf.stages import stage as stage_lib

_AGE_UNIT_YEARS = 10.0
_WATCHED_IMAGES = 256
_OBSERVATIONS = 10
# Draws of an image: softening, scale, 2 shifts, contrast and brightness, and
# those of the 3 colours.
_DRAWS = 12


def _cross_entropy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
  """[B]; zero where the label is unknown (-1)."""
  loss = tf.nn.sparse_softmax_cross_entropy_with_logits(
      tf.maximum(labels, 0), logits)
  return tf.where(labels >= 0, loss, 0.0)


def softened(image_high: tf.Tensor, factor: int) -> tf.Tensor:
  """Reduces images by `factor`, by box, and enlarges them, bilinearly.

  Args:
    image_high: [B, S, S, 3] float32.
    factor: A divisor of S.

  Returns:
    [B, S, S, 3] float32.
  """
  return tf.image.resize(resample.downsample_box(image_high, factor),
                         image_high.shape[1:3], 'bilinear')


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
  levels = [image_high, *(
      softened(image_high, 2 ** number) for number in range(1, num_levels))]
  return tf.gather(tf.stack(levels, 1), level, batch_dims=1)


def jitter(image_high: tf.Tensor, draws: tf.Tensor, share: float, side: int
           ) -> tf.Tensor:
  """Moves, scales and colours images, and reduces them.

  Args:
    image_high: [B, S, S, 3] float32 in [-1, 1].
    draws: [B, 11] float32 in [-1, 1): scale, shifts x and y, contrast,
      brightness, and three of each by colour.
    share: Of the side, for scale and shifts; contrast and brightness change
      by twice, the colours' by once as much.
    side: Side of the result, S or S / 2^n.

  Returns:
    [B, side, side, 3] float32, somewhat outside [-1, 1].
  """
  if image_high.shape[1] > 2 * side:  # what is left is done by sampling
    image_high = resample.downsample_box(
        image_high, image_high.shape[1] // (2 * side))
  size = float(image_high.shape[1])
  scale = size / side * (1.0 + share * draws[:, 0])
  zero = tf.zeros_like(scale)
  shift = (0.5 * (size - 1.0) - scale * 0.5 * (side - 1.0))[:, tf.newaxis]
  shift += share * size * draws[:, 1:3]
  image = tf.raw_ops.ImageProjectiveTransformV3(
      images=image_high, output_shape=[side, side], interpolation='BILINEAR',
      fill_mode='NEAREST', fill_value=0.0, transforms=tf.stack([
          scale, zero, shift[:, 0], zero, scale, shift[:, 1], zero, zero], 1))
  tone = share * draws[:, tf.newaxis, tf.newaxis, :]
  gain = (1.0 + 2.0 * tone[..., 3:4]) * (1.0 + tone[..., 5:8])
  return image * gain + 2.0 * tone[..., 4:5] + tone[..., 8:11]


def _draws(batch: stage_lib.Batch, clock: stage_lib.Clock) -> tf.Tensor:
  """[B, 12] in [0, 1), drawn for the global batch, then this replica's rows."""
  drawn = tf.random.stateless_uniform([clock.batch_size, _DRAWS], clock.seed)
  return tf.gather(drawn, batch[keys.INDEX] - clock.images)


def _varied(batch: stage_lib.Batch, clock: stage_lib.Clock,
            config: config_lib.Config) -> tf.Tensor:
  """Images of a batch, softened and moved as the configuration says."""
  image = batch[keys.IMAGE_HIGH]
  num_levels = config.attributes.max_softening.bit_length()
  share = config.attributes.jitter
  if num_levels == 1 and not share:
    return image
  draws = _draws(batch, clock)
  if num_levels > 1:
    level = tf.cast(draws[:, 0] * num_levels, tf.int32)
    image = soften(image, level, num_levels)
  if share:
    image = jitter(image, 2.0 * draws[:, 1:] - 1.0, share,
                   config.model.classifier_side or config.model.image_size)
  return image


def _terms(config: config_lib.Config) -> stage_lib.TermsFunction:
  def terms(networks, batch, clock):
    """Cross-entropies of speaker and gender, L1 of age, [B] each."""
    output = networks['classifier'](_varied(batch, clock, config))
    age = batch[keys.AGE]
    is_known = tf.math.is_finite(age)
    error = tf.abs(output['age'] - tf.where(is_known, age, 0.0))
    found = {
        'speaker': _cross_entropy(
            batch[keys.SPEAKER], output['speaker_logits']),
        'gender': _cross_entropy(batch[keys.GENDER], output['gender_logits']),
        'age': tf.where(is_known, error / _AGE_UNIT_YEARS, 0.0)}
    return {name: tf.where(batch[keys.HELD_OUT], 0.0, term)
            for name, term in found.items()}
  return terms


def _observe(networks: stage_lib.Networks, batch: stage_lib.Batch,
             clock: stage_lib.Clock) -> dict[str, tf.Tensor]:
  """Accuracy on held-out videos of the training people; none, no scalars."""
  del clock
  rows = np.flatnonzero(np.asarray(batch[keys.HELD_OUT]))
  if not rows.size:
    return {}
  output = networks['classifier'](tf.gather(batch[keys.IMAGE_HIGH], rows))
  found = {}
  for name, key in (('speaker', keys.SPEAKER), ('gender', keys.GENDER)):
    said = tf.argmax(output[f'{name}_logits'], -1, output_type=tf.int32)
    found[f'held_out/{name}'] = tf.reduce_mean(tf.cast(
        tf.equal(said, tf.gather(batch[key], rows)), tf.float32))
  return found


def stage(config: config_lib.Config) -> stage_lib.Stage:
  """Cross entropies of speaker and gender, L1 of age in decades."""
  num_speakers = max(config.attributes.num_speakers, 1)
  return stage_lib.Stage(
      name='attributes',
      equation='section 4.4',
      inputs=(keys.IMAGE_HIGH, keys.SPEAKER, keys.GENDER, keys.AGE,
              keys.HELD_OUT),
      splits=('d_pre', 'd_rest'),
      build=lambda: {'classifier': networks_lib.classifier(
          config.model, num_speakers)},
      restores={},
      updates=(stage_lib.Update(
          'attributes', ('classifier',), _terms(config),
          {'speaker': 1.0, 'gender': 1.0, 'age': 1.0}),),
      phases=phases.make(config, 'attributes'),
      adam=phases.main_adam(config),
      outputs=('classifier',),
      decay=config.optimizer.decay,
      mirror=True,
      observe=_observe,
      watched_images=_WATCHED_IMAGES,
      observations=_OBSERVATIONS)
