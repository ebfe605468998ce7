"""Measures what SyntheticVox's 8x8 images, voices and sharp images tell.

    python -m tools.measure_synthetic --people=2000 --speakers=200

Small CNNs are trained for gender and age (tested on people they never saw)
and for identity (tested on videos they never saw), from each of the three
inputs alone. Frames and samples are taken before encoding. The figures go to
docs/synthetic.md (compare the paper's Table 1, C_g, C_a, C_i).
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import json
import multiprocessing
import os
import platform
import sys
import time
from typing import Any

from absl import flags
import numpy as np
from PIL import Image

from earsr_tf import cli
from earsr_tf.synthetic import people as people_lib
from earsr_tf.synthetic import portrait
from earsr_tf.synthetic import pose as pose_lib
from earsr_tf.synthetic import seeds
from earsr_tf.synthetic import speech
from earsr_tf.synthetic import voice as voice_lib

_PEOPLE = flags.DEFINE_integer(
    'people', 2000, 'People for gender and age; a fifth is for testing.')
_SPEAKERS = flags.DEFINE_integer(
    'speakers', 200, 'People for identity.')
_OTHERS = flags.DEFINE_integer(
    'others', 600, 'Further people the identity networks learn to tell '
    'apart, as recognisers are trained on more than the people they serve.')
_VIDEOS = flags.DEFINE_integer(
    'videos', 3, 'Videos per speaker for identity; the last is the test.')
_FRAMES = flags.DEFINE_integer(
    'frames', 3, 'Frames per video; all share the voice of their clip.')
_SEED = flags.DEFINE_integer('seed', 7, 'Seed of the world and the training.')
_EPOCHS = flags.DEFINE_integer('epochs', 16, 'Passes over the training data.')
_INPUTS = flags.DEFINE_list(
    'inputs', ['low', 'voice', 'high'], 'Which inputs to measure.')
_TASKS = flags.DEFINE_list(
    'tasks', ['attributes', 'identity'], 'What to predict.')
_WORKERS = flags.DEFINE_integer('workers', 2, 'Processes that render.')

_HIGH, _LOW, _BANDS, _STEPS = 128, 8, 48, 100
_CROP = 12
_FLOOR_DB = -80.0


@dataclasses.dataclass(frozen=True)
class Samples:
  """Rendered examples, rows aligned.

  Attributes:
    high: [n, 128, 128, 3] uint8.
    low: [n, 8, 8, 3] uint8, Pillow-bicubic of `high`.
    voice: [n, 100, 48] float32, log-mel-like, about zero mean.
    gender: [n] int32.
    age: [n] float32, years.
    person: [n] int32, index of the person.
    video: [n] int32, index of the video.
  """
  high: np.ndarray
  low: np.ndarray
  voice: np.ndarray
  gender: np.ndarray
  age: np.ndarray
  person: np.ndarray
  video: np.ndarray


def _spectrum(samples: np.ndarray) -> np.ndarray:
  """[100, 48] log energies of 4 s, 40 ms windows, bands as in hearing."""
  wave = samples[:64000].astype(np.float32) / 32768
  frames = np.lib.stride_tricks.sliding_window_view(wave, 640)[::640]
  power = np.abs(np.fft.rfft(frames * np.hanning(640), 1024)) ** 2
  edges_mel = np.linspace(0, 2595 * np.log10(1 + 7600 / 700), _BANDS + 2)
  edges = 700 * (10 ** (edges_mel / 2595) - 1) * (1024 / 16000)
  bins = np.arange(power.shape[1])[:, None]
  rise = (bins - edges[:-2]) / np.maximum(edges[1:-1] - edges[:-2], 0.5)
  fall = (edges[2:] - bins) / np.maximum(edges[2:] - edges[1:-1], 0.5)
  bank = np.clip(np.minimum(rise, fall), 0, None)
  level = 10 * np.log10(power @ bank + 1e-8)
  return (np.clip(level, _FLOOR_DB, 40) / 20).astype(np.float32)


def _render(
    person: people_lib.Person, videos: int, frames: int,
    kinds: tuple[str, ...]) -> list[tuple[Any, ...]]:
  """(high, low, voice) per frame; blank where not asked for."""
  rows = []
  for index in range(videos):
    names = (person.seed, person.speaker, f'measure{index}')
    rng = seeds.stream(*names, 'measure')
    spectrum = np.zeros((_STEPS, _BANDS), np.float32)
    if 'voice' in kinds:
      tracks = speech.make_tracks(person.voice, 840, rng)
      spectrum = _spectrum(voice_lib.make_voice(
          tracks, person.voice, 67200, seeds.stream(*names, 'sound')))
    if kinds == ('voice',):
      rows.append((
          np.zeros((1, 1, 3), np.uint8), np.zeros((1, 1, 3), np.uint8),
          spectrum))
      rows += rows[-1:] * (frames - 1)
      continue
    setting = portrait.make_setting(person.face, *names)
    for pose in pose_lib.draw_poses(rng, frames):
      still = portrait.still(setting, pose, float(rng.random()) ** 2)
      picture = Image.fromarray(still).resize((_HIGH, _HIGH), Image.BICUBIC)
      rows.append((
          np.asarray(picture),
          np.asarray(picture.resize((_LOW, _LOW), Image.BICUBIC)), spectrum))
  return rows


def render_all(
    count: int, videos: int, seed: int, workers: int) -> Samples:
  """Renders some frames of `videos` videos of each of `count` people."""
  population = people_lib.make_population(count, seed, 0.0)
  with concurrent.futures.ProcessPoolExecutor(
      workers, multiprocessing.get_context('spawn')) as pool:
    rendered = list(pool.map(
        _render, population, [videos] * count, [_FRAMES.value] * count,
        [tuple(_INPUTS.value)] * count, chunksize=8))
  flat = [row for rows in rendered for row in rows]
  rows = videos * _FRAMES.value
  return Samples(
      high=np.stack([row[0] for row in flat]),
      low=np.stack([row[1] for row in flat]),
      voice=np.stack([row[2] for row in flat]),
      gender=np.repeat(
          np.array([p.gender for p in population], np.int32), rows),
      age=np.repeat(
          np.array([p.age for p in population], np.float32), rows),
      person=np.repeat(np.arange(count, dtype=np.int32), rows),
      video=np.tile(np.repeat(
          np.arange(videos, dtype=np.int32), _FRAMES.value), count))


def _network(kind: str, outputs: int) -> Any:
  """A small CNN for one kind of input."""
  import tensorflow as tf
  layers = tf.keras.layers
  shape, widths = {
      'low': ((_LOW, _LOW, 3), ((48, 1), (64, 2), (96, 1))),
      'voice': ((_STEPS, _BANDS, 1), (
          (24, 1), (32, 2), (48, 2), (64, 2))),
      'high': ((_HIGH - 2 * _CROP, _HIGH - 2 * _CROP, 3), (
          (16, 2), (32, 2), (48, 2), (64, 2), (96, 2)))}[kind]
  stack = [layers.InputLayer(shape)]
  if kind == 'high':
    stack.append(layers.RandomTranslation(0.03, 0.03, 'nearest'))
  for width, stride in widths:
    stack += [
        layers.Conv2D(width, 3, stride, 'same', use_bias=False),
        layers.BatchNormalization(momentum=0.9), layers.ReLU()]
  if kind == 'voice':
    stack.append(layers.Lambda(lambda x: tf.reduce_mean(x, 1)))
  stack += [layers.Flatten(), layers.Dropout(0.3), layers.Dense(outputs)]
  return tf.keras.Sequential(stack)


def _inputs(samples: Samples, kind: str) -> np.ndarray:
  """Network inputs about zero mean and unit scale."""
  if kind == 'voice':
    values = samples.voice[..., None]
    return values - values.mean(axis=(1, 2, 3), keepdims=True)
  # As face recognisers do, without most of background and clothes.
  values = samples.low if kind == 'low' else samples.high[
      :, _CROP:-_CROP, _CROP:-_CROP]
  return values.astype(np.float32) / 64 - 2


def _fit(kind: str, outputs: int, x: np.ndarray, loss: Any,
         y: np.ndarray) -> Any:
  """Trains a network with a falling learning rate."""
  import tensorflow as tf
  tf.keras.utils.set_random_seed(_SEED.value)
  network = _network(kind, outputs)
  batch = 32
  steps = len(x) // batch * _EPOCHS.value
  rate = tf.keras.optimizers.schedules.CosineDecay(0.002, steps)
  network.compile(tf.keras.optimizers.Adam(rate), loss)
  network.fit(x, y, batch, _EPOCHS.value, verbose=0)
  return network


def measure_attributes(samples: Samples, kind: str) -> dict[str, float]:
  """Gender accuracy and mean age error on the last fifth of the people."""
  import tensorflow as tf
  x = _inputs(samples, kind)
  test = samples.person >= int(0.8 * (samples.person.max() + 1))
  target = np.stack([samples.gender, (samples.age - 45) / 15], 1)

  def loss(truth: tf.Tensor, guess: tf.Tensor) -> tf.Tensor:
    """Cross-entropy of gender plus L1 of the scaled age, [B]."""
    gender = tf.nn.sigmoid_cross_entropy_with_logits(
        truth[:, 0], guess[:, 0])
    return gender + tf.abs(truth[:, 1] - guess[:, 1])

  network = _fit(
      kind, 2, x[~test], loss, target[~test].astype(np.float32))
  guess = network.predict(x[test], batch_size=200, verbose=0)
  return {
      'gender_accuracy': float(np.mean(
          (guess[:, 0] > 0) == (samples.gender[test] > 0))),
      'age_error_years': float(np.mean(np.abs(
          guess[:, 1] * 15 + 45 - samples.age[test])))}


def measure_identity(
    samples: Samples, kind: str, speakers: int) -> float:
  """Accuracy among the first `speakers` people, on their last videos."""
  import tensorflow as tf
  x = _inputs(samples, kind)
  test = (samples.video == samples.video.max()) & (
      samples.person < speakers)
  count = int(samples.person.max()) + 1
  network = _fit(
      kind, count, x[~test],
      tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
      samples.person[~test])
  guess = network.predict(x[test], batch_size=200, verbose=0)
  guess = guess[:, :speakers]
  return float(np.mean(np.argmax(guess, 1) == samples.person[test]))


def main() -> None:
  """Renders, trains, prints one JSON line per figure."""
  os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
  start = time.monotonic()
  print(json.dumps({
      'command': ' '.join(sys.argv[1:]), 'date': time.strftime('%Y-%m-%d'),
      'machine': platform.machine(), 'cores': os.cpu_count()}))
  if 'attributes' in _TASKS.value:
    samples = render_all(
        _PEOPLE.value, 2, _SEED.value, _WORKERS.value)
    for kind in _INPUTS.value:
      figures = measure_attributes(samples, kind)
      print(json.dumps({'input': kind, **figures}), flush=True)
  if 'identity' in _TASKS.value:
    samples = render_all(
        _SPEAKERS.value + _OTHERS.value, _VIDEOS.value, _SEED.value + 1,
        _WORKERS.value)
    for kind in _INPUTS.value:
      print(json.dumps({
          'input': kind, 'identity_accuracy': measure_identity(
              samples, kind, _SPEAKERS.value)}), flush=True)
  print(json.dumps({'seconds': round(time.monotonic() - start)}))


if __name__ == '__main__':
  cli.run(main)
