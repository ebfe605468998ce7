"""Small shards whose pictures and voices say which record they came from."""

from __future__ import annotations

import hashlib
import math
import pathlib
from typing import Any, Mapping, Sequence

import numpy as np

from earsr_tf.data import batching
from earsr_tf.data import keys
from earsr_tf.data import manifest
from earsr_tf.data import mixture
from earsr_tf.data import records
from earsr_tf.media import reader

SIZE = 16


def record(
    split: str, number: int, frames: int, samples: int) -> records.ClipRecord:
  """A record: frame k is (number, k, ramp), the voice counts up from number."""
  pictures = []
  for k in range(frames):
    picture = np.zeros((SIZE, SIZE, 3), np.uint8)
    picture[..., 0] = number
    picture[..., 1] = k
    picture[..., 2] = np.arange(SIZE) * 10  # tells left from right
    pictures.append(reader.encode_png(picture))
  voice = (np.arange(samples) + 100 * number) % 30000 + 1
  return records.ClipRecord(
      speaker=f's{number % 3}', video=f'v{number}', clip='c', split=split,
      gender=number % 2, age=20.0 + number if number % 4 else math.nan,
      frames=pictures, voice=reader.encode_wav(voice.astype(np.int16)))


def write(
    folder: pathlib.Path, sizes: dict[str, list[int]], *,
    samples: int = 70000, first: int = 0) -> manifest.Manifest:
  """Writes shards; `sizes` has the number of records of each, by split.

  Args:
    folder: Where.
    sizes: Records of each shard.
    samples: Length of the shortest voice.
    first: Number of the first record.
  """
  import tensorflow as tf
  folder.mkdir(parents=True, exist_ok=True)
  splits, number = {}, first
  for split, counts in sizes.items():
    splits[split] = []
    for shard, count in enumerate(counts):
      name = f'{split}-{shard:05d}-of-{len(counts):05d}.tfrecord'
      with tf.io.TFRecordWriter(str(folder / name)) as writer:
        for _ in range(count):
          writer.write(records.encode(record(
              split, number, 2 + number % 2, samples + 7 * number)))
          number += 1
      data = (folder / name).read_bytes()
      splits[split].append({
          'file': name, 'records': count, 'bytes': len(data),
          'sha256': hashlib.sha256(data).hexdigest()})
  manifest.write_manifest(str(folder), {
      'dataset': 'fake', 'preprocess': 'sha1:0', 'image_size': SIZE,
      'frames_per_clip': 3, 'splits': splits, 'speakers': {},
      'all_speakers': ['s0', 's1', 's2'], 'rejected': 0})
  return manifest.read_manifest(str(folder))


def batches(
    data: mixture.Data, count: int, **changes: Any
) -> list[dict[str, np.ndarray]]:
  """The first batches of four of D, as NumPy; `changes` of the options."""
  options = {'splits': ('d_pre', 'd_rest'), 'inputs': keys.ALL,
             'batch_size': 4, 'seed': 7} | changes
  dataset = batching.make_dataset(data, **options)
  return [{k: v.numpy() for k, v in b.items()} for b in dataset.take(count)]


def numbers(made: Sequence[Mapping[str, np.ndarray]]) -> np.ndarray:
  """Which record each image came from, in order."""
  levels = np.concatenate([b[keys.IMAGE_HIGH][:, 0, 0, 0] for b in made])
  return np.round((levels + 1) * 127.5).astype(int)


def assert_equal(one: Sequence[Mapping[str, np.ndarray]],
                 two: Sequence[Mapping[str, np.ndarray]]) -> None:
  """Asserts that batches are equal, entry by entry."""
  assert len(one) == len(two)
  for a, b in zip(one, two):
    assert set(a) == set(b)
    for name in a:
      np.testing.assert_array_equal(a[name], b[name], name)


def assert_resumes(data: mixture.Data, count: int, consumed: int,
                   memory_bytes: int) -> None:
  """Asserts that `count` batches go on after `consumed` images."""
  straight = batches(data, count, mirror=True)
  resumed = batches(
      data, count - consumed // 4, mirror=True, start_images=consumed,
      memory_bytes=memory_bytes)
  assert_equal(straight[consumed // 4:], resumed)
