"""Training of the face descriptor: cosines with a margin, gender, age."""

from __future__ import annotations

import dataclasses
from typing import Callable

import numpy as np
import tensorflow as tf

from earsr_tf.models import face_descriptor
from earsr_tf.stages import attributes
from tools.pretrain_judge import stills as stills_lib

_BATCH = 64
_RATE, _DECAY, _WARM_STEPS = 2e-3, 2e-4, 100
_SHARPNESS, _MARGIN = 24.0, 0.2  # CosFace, Wang et al. 2018
_JITTER = 0.1
_SOFTENINGS = 4  # 1, 2, 4 and 8 times
_MOMENTUM = 0.95
_AGE_MEAN_YEARS, _AGE_SCALE_YEARS = 45.0, 15.0
_GALLERY_SHARE = 0.67  # of an unseen person's pictures


@dataclasses.dataclass(frozen=True)
class Seen:
  """Held-out figures at one moment; shares in [0, 1].

  Attributes:
    images: Seen so far, repetitions included.
    loss: Mean of the losses since the moment before.
    person: Unseen people named by the nearest mean of their other pictures.
    gender: Their gender told.
  """
  images: int
  loss: float
  person: float
  gender: float


def _convolution(
    x: tf.Tensor, width: int, stride: int, name: str) -> tf.Tensor:
  """A convolution with batch norm and ReLU."""
  layers = tf.keras.layers
  x = layers.Conv2D(
      width, 3, stride, 'same', use_bias=False, name=f'conv_{name}')(x)
  return layers.ReLU()(layers.BatchNormalization(
      momentum=_MOMENTUM, name=f'norm_{name}')(x))


def network() -> tf.keras.Model:
  """The descriptor while it learns, with heads of gender and age."""
  layers = tf.keras.layers
  side = face_descriptor.SIDE
  given = tf.keras.Input([side, side, 3])
  x = given
  for number, (width, stride) in enumerate(face_descriptor.CONVOLUTIONS):
    x = _convolution(x, width, stride, str(number))
  x = layers.Dense(
      face_descriptor.WIDTH, use_bias=False, name='conv_dense')(
          layers.Flatten()(x))
  x = layers.BatchNormalization(momentum=_MOMENTUM, name='norm_dense')(x)
  hidden = layers.ReLU()(x)
  return tf.keras.Model(given, [x, layers.Dense(1)(hidden),
                                layers.Dense(1)(hidden)])


def folded(model: tf.keras.Model) -> dict[str, np.ndarray]:
  """Weights of a `FaceDescriptor`, float16: each batch norm in its kernel."""
  weights = {}
  for name in [*map(str, range(len(face_descriptor.CONVOLUTIONS))), 'dense']:
    norm = model.get_layer(f'norm_{name}')
    gamma, beta, mean, variance = (
        value.numpy() for value in norm.weights)
    scale = gamma / np.sqrt(variance + norm.epsilon)
    kernel = model.get_layer(f'conv_{name}').kernel.numpy()
    weights[f'kernel_{name}'] = (kernel * scale).astype(np.float16)
    weights[f'bias_{name}'] = (beta - mean * scale).astype(np.float16)
  return weights


def _varied(pictures: tf.Tensor) -> tf.Tensor:
  """uint8 pictures softened, moved, coloured and mirrored at random."""
  count = tf.shape(pictures)[0]
  image = tf.cast(pictures, tf.float32) / 127.5 - 1.0
  level = tf.cast(
      tf.random.uniform([count]) ** 2 * _SOFTENINGS, tf.int32)
  image = tf.ensure_shape(
      attributes.soften(image, level, _SOFTENINGS),
      [None, stills_lib.SIDE, stills_lib.SIDE, 3])
  image = attributes.jitter(
      image, tf.random.uniform([count, 11], -1.0, 1.0), _JITTER,
      face_descriptor.SIDE)
  is_mirrored = tf.random.uniform([count, 1, 1, 1]) < 0.5
  return tf.where(is_mirrored, tf.reverse(image, [2]), image)


def _make_step(
    model: tf.keras.Model, people: int, optimizer: tf.keras.optimizers.Optimizer
) -> Callable[..., tf.Tensor]:
  """A step of AdamW on all three heads."""
  directions = tf.Variable(tf.random.normal([face_descriptor.WIDTH, people]))

  @tf.function
  def step(
      pictures: tf.Tensor, person: tf.Tensor, gender: tf.Tensor,
      age: tf.Tensor) -> tf.Tensor:
    """[B, 128, 128, 3] uint8 and labels [B] to the loss."""
    image = _varied(pictures)
    with tf.GradientTape() as tape:
      code, man, years = model(image, training=True)
      cosines = tf.linalg.matmul(
          tf.math.l2_normalize(code, -1), tf.math.l2_normalize(directions, 0))
      cosines -= _MARGIN * tf.one_hot(person, people)
      loss = tf.reduce_mean(
          tf.nn.sparse_softmax_cross_entropy_with_logits(
              person, _SHARPNESS * cosines)
          + tf.nn.sigmoid_cross_entropy_with_logits(gender, man[:, 0])
          + tf.abs(age - years[:, 0]))
    weights = [*model.trainable_variables, directions]
    optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
    return loss

  return step


def _test(model: tf.keras.Model, unseen: stills_lib.Stills
          ) -> tuple[float, float]:
  """Shares of unseen people's later pictures that are named, and sexed."""
  people, videos = unseen.pictures.shape[:2]
  flat = unseen.pictures.reshape(-1, *unseen.pictures.shape[2:])
  found = []
  for pictures in np.array_split(flat, max(len(flat) // 200, 1)):
    image = tf.nn.avg_pool2d(
        tf.cast(pictures, tf.float32) / 127.5 - 1.0, 2, 2, 'VALID')
    code, man, _ = model(image, training=False)
    found.append(np.concatenate([code, man], 1))
  rows = np.concatenate(found).reshape(people, videos, -1)
  codes = rows[..., :-1]
  codes = codes / np.linalg.norm(codes, axis=-1, keepdims=True)
  gallery = round(_GALLERY_SHARE * videos)
  means = codes[:, :gallery].mean(1)
  means /= np.linalg.norm(means, axis=-1, keepdims=True)
  named = (codes[:, gallery:] @ means.T).argmax(-1) == np.arange(
      people)[:, np.newaxis]
  told = (rows[..., -1] > 0) == (unseen.gender[:, np.newaxis] == 1)
  return float(named.mean()), float(told.mean())


def train(
    stills: stills_lib.Stills, *, held_out: int, images: int, seed: int,
    report_every: int, report: Callable[[Seen], None]
) -> dict[str, np.ndarray]:
  """Trains a descriptor.

  Args:
    stills: The people; the last ones are not trained on.
    held_out: How many are not trained on.
    images: To show, repetitions included.
    seed: Of weights, order and variation.
    report_every: Images between two reports.
    report: Called with held-out figures.

  Returns:
    What a `FaceDescriptor` takes, float16.
  """
  tf.keras.utils.set_random_seed(seed)
  rng = np.random.default_rng(seed)
  people = len(stills.pictures) - held_out
  unseen = stills_lib.Stills(
      stills.pictures[people:], stills.gender[people:], stills.age[people:])
  model = network()
  steps = max(images // _BATCH, 1)
  optimizer = tf.keras.optimizers.AdamW(
      tf.keras.optimizers.schedules.CosineDecay(
          0.0, steps - _WARM_STEPS, warmup_target=_RATE,
          warmup_steps=_WARM_STEPS), weight_decay=_DECAY)
  step = _make_step(model, people, optimizer)
  order, losses = np.zeros(0, np.int64), []
  for number in range(steps):
    if order.size < _BATCH:
      order = rng.permutation(people * stills.pictures.shape[1])
    batch, order = order[:_BATCH], order[_BATCH:]
    person, video = np.divmod(batch, stills.pictures.shape[1])
    age = (stills.age[person] - _AGE_MEAN_YEARS) / _AGE_SCALE_YEARS
    losses.append(step(
        stills.pictures[person, video], person.astype(np.int32),
        stills.gender[person].astype(np.float32), age.astype(np.float32)))
    if (number + 1) % max(report_every // _BATCH, 1) == 0 or (
        number + 1 == steps):
      report(Seen((number + 1) * _BATCH, float(np.mean(losses)),
                  *_test(model, unseen)))
      losses = []
  return folded(model)
