"""The record of a clip as a tf.train.Example: encode and decode.

A record is one clip (design, section 4): who, which video and clip, gender,
age, a few square frames as PNG and the whole voice as 16 kHz mono WAV. Only
bytes that this project encoded itself are stored, so nothing foreign reaches
TensorFlow's decoders.
"""

from __future__ import annotations

import dataclasses
from typing import Sequence

import tensorflow as tf

from earsr_tf.data import keys

# Part of this module's interface: errors and the manifest of the records.
from earsr_tf.data.manifest import DataError
from earsr_tf.data.manifest import Manifest
from earsr_tf.data.manifest import MissingDataError
from earsr_tf.data.manifest import read_manifest

__all__ = (
    'ClipRecord', 'DataError', 'FRAMES', 'Manifest', 'MissingDataError',
    'VOICE', 'decode', 'encode', 'parse', 'read_manifest')

FRAMES = 'frames'  # parsed entry: [n] string, PNG
VOICE = 'voice'    # parsed entry: [] string, WAV
_HELD_OUT_SHARE = 16  # one video in so many

_FEATURES = {
    keys.IMAGE_HIGH: {FRAMES: tf.io.RaggedFeature(tf.string)},
    keys.WAVEFORM: {VOICE: tf.io.FixedLenFeature([], tf.string)},
    keys.SPEAKER: {'speaker': tf.io.FixedLenFeature([], tf.string)},
    keys.GENDER: {'gender': tf.io.FixedLenFeature([], tf.int64)},
    keys.AGE: {'age': tf.io.FixedLenFeature([], tf.float32)},
    keys.CLIP: {
        name: tf.io.FixedLenFeature([], tf.string)
        for name in ('speaker', 'video', 'clip')},
    keys.INDEX: {},
    keys.HELD_OUT: {
        name: tf.io.FixedLenFeature([], tf.string)
        for name in ('speaker', 'video')},
}


@dataclasses.dataclass(frozen=True)
class ClipRecord:
  """One clip as it is stored.

  Attributes:
    speaker: Name of the speaker.
    video: Name of the video; splits never cut through one.
    clip: Name of the clip inside the video.
    split: One of `manifest.SPLITS`.
    gender: 0 female, 1 male, -1 unknown.
    age: Years; NaN unknown.
    frames: PNG files, square RGB, all of one size; at least one.
    voice: WAV file, 16 kHz, mono, 16 bit, at least one second; empty of a
      picture that nobody is heard with, which is stored without one.
  """
  speaker: str
  video: str
  clip: str
  split: str
  gender: int
  age: float
  frames: Sequence[bytes]
  voice: bytes


def encode(record: ClipRecord) -> bytes:
  """Serialises a record; the same record gives the same bytes.

  Raises:
    ValueError: If there is no frame.
  """
  if not record.frames:
    raise ValueError('a record needs at least one frame')
  example = tf.train.Example(features=tf.train.Features(feature={
      'speaker': _bytes(record.speaker.encode()),
      'video': _bytes(record.video.encode()),
      'clip': _bytes(record.clip.encode()),
      'split': _bytes(record.split.encode()),
      'gender': tf.train.Feature(
          int64_list=tf.train.Int64List(value=[record.gender])),
      'age': tf.train.Feature(
          float_list=tf.train.FloatList(value=[record.age])),
      FRAMES: _bytes(*record.frames),
      **({VOICE: _bytes(record.voice)} if record.voice else {}),
  }))
  # Map entries are sorted, or the bytes would differ from run to run.
  return example.SerializeToString(deterministic=True)


def decode(serialized: bytes) -> ClipRecord:
  """The inverse of `encode`, outside a graph: for tools and tests."""
  feature = tf.train.Example.FromString(serialized).features.feature

  def text(name: str) -> str:
    """The only string of a feature."""
    return feature[name].bytes_list.value[0].decode()

  return ClipRecord(
      speaker=text('speaker'), video=text('video'), clip=text('clip'),
      split=text('split'), gender=feature['gender'].int64_list.value[0],
      age=feature['age'].float_list.value[0],
      frames=tuple(feature[FRAMES].bytes_list.value),
      voice=b''.join(feature[VOICE].bytes_list.value))


def parse(
    serialized: tf.Tensor, inputs: Sequence[str]) -> dict[str, tf.Tensor]:
  """Parses what the batch entries `inputs` need, and nothing else.

  Args:
    serialized: [] string, one record.
    inputs: Names from `keys`.

  Returns:
    For IMAGE_HIGH the entry `FRAMES` [n] string, for WAVEFORM `VOICE` []
    string, for SPEAKER the name [] string, GENDER [] int32, AGE [] float32,
    CLIP [] string '<speaker>/<video>/<clip>', HELD_OUT [] bool.

  Raises:
    ValueError: If an input is unknown.
  """
  spec = {}
  for name in inputs:
    if name not in _FEATURES:
      raise ValueError(
          f'unknown input {name!r}; a record provides {", ".join(keys.ALL)}')
    spec.update(_FEATURES[name])
  if not spec:
    return {}
  parsed = tf.io.parse_single_example(serialized, spec)
  found = {k: parsed[k] for k in (FRAMES, VOICE) if k in parsed}
  if keys.SPEAKER in inputs:
    found[keys.SPEAKER] = parsed['speaker']
  if keys.GENDER in inputs:
    found[keys.GENDER] = tf.cast(parsed['gender'], tf.int32)
  if keys.AGE in inputs:
    found[keys.AGE] = parsed['age']
  if keys.CLIP in inputs:
    found[keys.CLIP] = tf.strings.join(
        [parsed['speaker'], parsed['video'], parsed['clip']], separator='/')
  if keys.HELD_OUT in inputs:
    video = tf.strings.join([parsed['speaker'], parsed['video']], separator='/')
    found[keys.HELD_OUT] = tf.equal(
        tf.strings.to_hash_bucket_fast(video, _HELD_OUT_SHARE), 0)
  return found


def _bytes(*values: bytes) -> tf.train.Feature:
  """A feature that lists byte strings."""
  return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
