"""A small CNN that names people and tells gender, trained to its end.

One network, two heads: the names of the known people and the gender. Its
held-out curve is part of the answer: a network that still climbs has not told
what its input tells.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import tensorflow as tf

_BATCH = 32
_RATE = 2e-3
_POINTS = 12  # of the curve
_JITTER = 0.06  # of the whole side: random crops
_SHARPNESS, _MARGIN = 16.0, 0.2  # of the cosines that name people
_WIDTHS = {
    8: ((64, 1), (96, 2), (128, 1)),
    16: ((48, 1), (64, 2), (96, 2), (128, 1)),
    64: ((32, 2), (64, 2), (96, 2), (128, 2), (128, 1)),
    128: ((24, 2), (48, 2), (64, 2), (96, 2), (128, 2), (128, 1))}


@dataclasses.dataclass(frozen=True)
class Curve:
  """Accuracies in [0, 1] on the test rows, from pass to pass.

  Attributes:
    people: Known people in unseen videos.
    gender: Unseen people.
    passes: After how many passes each was measured.
  """
  people: list[float]
  gender: list[float]
  passes: list[int]


@dataclasses.dataclass(frozen=True)
class Task:
  """What is learned from one input; rows aligned.

  Attributes:
    inputs: [n, h, w, c] uint8 pictures or float32 spectra.
    people: [n] number of the person among the known, -1 unknown.
    gender: [n] 0, 1 or -1 unknown.
    train: [n] bool.
    closed: [n] bool, tests of known people.
    open_: [n] bool, tests of unseen people.
  """
  inputs: np.ndarray
  people: np.ndarray
  gender: np.ndarray
  train: np.ndarray
  closed: np.ndarray
  open_: np.ndarray


def _network(shape: tuple[int, ...], people: int) -> tf.keras.Model:
  """Convolutions, an embedding and two heads.

  People are named by the cosine between embedding and weights (CosFace, Wang et
  al., 2018), which few pictures a person are enough for.
  """
  layers = tf.keras.layers
  is_picture = shape[-1] == 3
  widths = _WIDTHS[min(_WIDTHS, key=lambda size: abs(size - shape[0]))] if (
      is_picture) else ((24, 1), (32, 2), (48, 2), (64, 2))
  given = tf.keras.Input(shape)
  x = given
  for width, stride in widths:
    x = layers.Conv2D(width, 3, stride, 'same', use_bias=False)(x)
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
  if not is_picture:  # Means and deviations over time.
    mean, variance = tf.nn.moments(x, [1])
    x = tf.concat([mean, tf.sqrt(variance + 1e-4)], -1)
  x = layers.Dropout(0.4)(layers.Flatten()(x))
  x = layers.BatchNormalization(momentum=0.9)(layers.Dense(256)(x))
  names = layers.Dense(
      people, use_bias=False,
      kernel_constraint=tf.keras.constraints.UnitNorm(0))(
          layers.UnitNormalization()(x))
  return tf.keras.Model(given, [names, layers.Dense(1)(layers.ReLU()(x))])


class _Feeder:
  """Batches of inputs about zero mean and unit scale."""

  def __init__(self, *, task: Task, rng: np.random.Generator):
    self._task = task
    self._rng = rng
    side = task.inputs.shape[1]
    self._is_picture = task.inputs.shape[-1] == 3
    # At 8x8 there is nothing to crop.
    self._slack = int(round(side * _JITTER)) * 2 if (
        self._is_picture and side > 16) else 0

  def train(self, rows: np.ndarray) -> np.ndarray:
    """Random crops, mirrored, in random colours; or spectra of any level."""
    batch = self._task.inputs[rows].astype(np.float32)
    if not self._is_picture:
      return batch / 20 + self._rng.normal(
          0, 0.1, [len(rows), 1, 1, 1]).astype(np.float32)
    batch *= self._rng.normal(
        1, 0.08, [len(rows), 1, 1, 1]).astype(np.float32)
    batch *= self._rng.normal(
        1, 0.04, [len(rows), 1, 1, 3]).astype(np.float32)
    side = batch.shape[1] - self._slack
    at = self._rng.integers(0, self._slack + 1, [len(rows), 2])
    mirrored = self._rng.integers(0, 2, len(rows)) * 2 - 1
    return np.stack([
        picture[y:y + side, x:x + side][:, ::turn]
        for picture, (y, x), turn in zip(batch, at, mirrored)]) / 64 - 2

  def test(self, rows: np.ndarray) -> np.ndarray:
    """The middle of each row."""
    batch = self._task.inputs[rows].astype(np.float32)
    if not self._is_picture:
      return batch / 20
    edge = self._slack // 2
    side = batch.shape[1] - self._slack
    return batch[:, edge:edge + side, edge:edge + side] / 64 - 2

  def answer(
      self, network: tf.keras.Model, rows: np.ndarray) -> list[np.ndarray]:
    """Both heads on each row, averaged with a picture's mirror image."""
    inputs = self.test(rows)
    views = [inputs, inputs[:, :, ::-1]] if self._is_picture else [inputs]
    heads = zip(*(network(view, training=False) for view in views))
    return [np.mean([part.numpy() for part in head], 0) for head in heads]


def learn(task: Task, *, passes: int, seed: int) -> Curve:
  """Trains with a falling rate; measures some twelve times on the way.

  Args:
    task: The data.
    passes: Passes over the training rows.
    seed: Of weights and order.

  Returns:
    The curve on the test rows.
  """
  tf.keras.utils.set_random_seed(seed)
  rng = np.random.default_rng(seed)
  feeder = _Feeder(task=task, rng=rng)
  rows = np.flatnonzero(task.train)
  network = _network(
      feeder.test(rows[:1]).shape[1:], int(task.people.max()) + 1)
  steps = max(len(rows) // _BATCH, 1)
  optimizer = tf.keras.optimizers.AdamW(
      tf.keras.optimizers.schedules.CosineDecay(_RATE, steps * passes),
      weight_decay=1e-3)

  @tf.function(reduce_retracing=True)
  def step(inputs: tf.Tensor, people: tf.Tensor, gender: tf.Tensor) -> None:
    """A step of AdamW on both heads: [B, d] inputs, [B] labels."""
    with tf.GradientTape() as tape:
      names, man = network(inputs, training=True)
      known = tf.cast(gender >= 0, tf.float32)
      names -= _MARGIN * tf.one_hot(people, names.shape[-1])
      loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(
          people, _SHARPNESS * names))
      loss += tf.reduce_mean(
          known * tf.nn.sigmoid_cross_entropy_with_logits(
              tf.abs(tf.cast(gender, tf.float32)), man[:, 0]))
    weights = network.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))

  curve = Curve([], [], [])
  for number in range(passes):
    order = rng.permutation(rows)
    for batch in np.array_split(order, steps):
      step(feeder.train(batch), task.people[batch], task.gender[batch])
    if (number + 1) % max(passes // _POINTS, 1) == 0 or number + 1 == passes:
      curve.passes.append(number + 1)
      _test(network, feeder, task, curve)
  return curve


def _test(
    network: tf.keras.Model, feeder: _Feeder, task: Task,
    curve: Curve) -> None:
  """Adds the accuracies of this moment to the curve."""
  answers = {}
  for name, mask in (('closed', task.closed), ('open', task.open_)):
    rows = np.flatnonzero(mask)
    parts = [
        feeder.answer(network, batch)
        for batch in np.array_split(rows, max(len(rows) // 200, 1))
        if batch.size]
    answers[name] = [np.concatenate(part) for part in zip(*parts)] or [
        np.zeros([0, 1]), np.zeros([0, 1])]
  named = answers['closed'][0].argmax(1) == task.people[task.closed]
  known = task.gender[task.open_] >= 0
  told = (answers['open'][1][:, 0] > 0) == (task.gender[task.open_] > 0)
  curve.people.append(float(named.mean()) if named.size else float('nan'))
  curve.gender.append(
      float(told[known].mean()) if known.any() else float('nan'))
