"""Pictures of people whom no data set holds: single frames as JPEG files."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import functools
import io
import multiprocessing

import numpy as np
from PIL import Image

from earsr_tf.synthetic import people
from earsr_tf.synthetic import portrait
from earsr_tf.synthetic import pose as pose_lib
from earsr_tf.synthetic import seeds

SIDE = 128
_QUALITY = (50, 95)  # of JPEG


@dataclasses.dataclass(frozen=True)
class Stills:
  """Pictures of N people, V of each, every one of another video.

  Attributes:
    pictures: [N, V, 128, 128, 3] uint8.
    gender: [N] 0 female, 1 male.
    age: [N] years.
  """
  pictures: np.ndarray
  gender: np.ndarray
  age: np.ndarray


def _of_person(person: people.Person, count: int) -> np.ndarray:
  """[count, 128, 128, 3]: a person in as many videos."""
  rows = []
  for video in range(count):
    names = (person.seed, person.speaker, f'still{video}')
    rng = seeds.stream(*names, 'still')
    frame = portrait.still(
        portrait.make_setting(person.face, *names),
        pose_lib.draw_poses(rng, 1)[0], float(rng.random()) ** 2)
    file = io.BytesIO()
    Image.fromarray(frame).save(
        file, 'JPEG', quality=int(rng.integers(*_QUALITY)))
    with Image.open(file) as image:
      rows.append(np.asarray(image.resize(
          (SIDE, SIDE), Image.Resampling.BICUBIC)))
  return np.stack(rows)


def draw(*, speakers: int, videos: int, seed: int, workers: int) -> Stills:
  """Draws a world of single frames.

  Args:
    speakers: N.
    videos: V.
    seed: Of the world; its people are not those of another seed.
    workers: Processes.

  Returns:
    The same pictures whatever the number of workers.
  """
  population = people.make_population(speakers, seed, 0.0)
  # Forked processes would inherit TensorFlow's threads.
  with concurrent.futures.ProcessPoolExecutor(
      workers, multiprocessing.get_context('spawn')) as pool:
    pictures = list(pool.map(
        functools.partial(_of_person, count=videos), population, chunksize=8))
  return Stills(
      np.stack(pictures), np.array([p.gender for p in population], np.int32),
      np.array([p.age for p in population], np.float32))
