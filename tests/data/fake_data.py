"""Small shards whose pictures and voices say which record they came from."""

from __future__ import annotations

import hashlib
import math
import pathlib

import numpy as np

from earsr_tf.data import manifest
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
