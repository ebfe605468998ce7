"""Records -> examples: parse, draw a frame and a segment, keyed by position.

A record comes from its shard, or out of all that are decoded in memory; the
examples are the same. A frame's targets (`target_files`) come with the frame.
"""

from __future__ import annotations

import dataclasses
from typing import Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from earsr_tf.data import audio
from earsr_tf.data import image
from earsr_tf.data import keys
from earsr_tf.data import mixture as mixture_lib
from earsr_tf.data import records
from earsr_tf.data import stream
from earsr_tf.data import target_files as targets_lib

_COUNT = 'count'  # number of frames of a clip; the rest is padding
_OF_FRAMES = (records.FRAMES, *keys.TARGETS)  # entries with a row per frame

Entries = Mapping[str, tf.Tensor]


@dataclasses.dataclass(frozen=True)
class Wanted:
  """What to take from the records.

  Attributes:
    data: The data.
    inputs: Batch entries, names from `keys`.
    targets: Where those of them that are targets are kept.
  """
  data: mixture_lib.Mixture
  inputs: tuple[str, ...]
  targets: tuple[targets_lib.Targets, ...] = ()

  def __post_init__(self) -> None:
    """Raises ValueError for an unknown input, DataError for absent voices."""
    known = (*keys.ALL, *(t.name for t in self.targets))
    for name in self.inputs:
      if name not in known:
        raise ValueError(
            f'unknown input {name!r}; data provide {", ".join(known)}')
    if keys.WAVEFORM in self.inputs:
      for manifest in self.data.manifests:
        manifest.check_voices('this')

  def bytes_in_memory(self, splits: Sequence[str]) -> int:
    """What decoded frames, encoded voices and targets would take."""
    total = 0
    for manifest in self.data.manifests:
      shards = manifest.shards(splits)
      frames = manifest.frames_per_clip * sum(s.records for s in shards)
      total += frames * sum(t.frame_bytes for t in self.targets)
      if keys.IMAGE_HIGH in self.inputs:
        total += frames * manifest.image_size**2 * 3
      if keys.WAVEFORM in self.inputs:
        total += sum(s.bytes for s in shards)
    return total


@dataclasses.dataclass(frozen=True)
class Picked:
  """A record on its way into a batch.

  Attributes:
    entries: Those of the whole clip.
    count: [] int32, frames of the clip; 0 if none are wanted.
    of_frame: Batch entry -> how to get that of frame n.
  """
  entries: dict[str, tf.Tensor]
  count: tf.Tensor
  of_frame: Mapping[str, Callable[[tf.Tensor], tf.Tensor]]


def parse(parts: Sequence[tf.Tensor], wanted: Wanted) -> dict[str, tf.Tensor]:
  """Parses a record and what is kept beside it.

  Args:
    parts: [] string each: the record, then one of each of `wanted.targets`.
    wanted: What to take.

  Returns:
    Entries as of `records.parse`, but the speaker is a number, and targets
    [n, *shape] by name.
  """
  kept = {target.name for target in wanted.targets}
  found = records.parse(
      parts[0], [name for name in wanted.inputs if name not in kept])
  if keys.SPEAKER in found:
    same = tf.equal(np.array(wanted.data.all_speakers), found[keys.SPEAKER])
    found[keys.SPEAKER] = tf.argmax(same, output_type=tf.int32)
  for part, target in zip(parts[1:], wanted.targets):
    found[target.name] = targets_lib.decode(part, target.shape)
  return found


def load(parts: Sequence[tf.Tensor], wanted: Wanted) -> dict[str, tf.Tensor]:
  """What is kept in memory of a record: as `parse`, with decoded frames."""
  entries = parse(parts, wanted)
  count = _count(entries)
  if records.FRAMES in entries:
    entries[records.FRAMES] = tf.map_fn(
        lambda f: image.decode_frame(f, wanted.data.image_size),
        entries[records.FRAMES], fn_output_signature=tf.uint8)
  return {**entries, _COUNT: count}


def kept(entries: Entries, row: tf.Tensor) -> Picked:
  """One record out of all that `load` made, [records, ...] each."""
  row = tf.cast(row, tf.int32)
  return Picked(
      {k: v[row] for k, v in entries.items()
       if k not in (*_OF_FRAMES, _COUNT)},
      entries[_COUNT][row],
      # One frame is gathered: v[row] would copy all of them.
      {_entry(k): lambda n, v=v: tf.gather_nd(v, [row, n])
       for k, v in entries.items() if k in _OF_FRAMES})


def stored(entries: Entries, image_size: int) -> Picked:
  """One record as `parse` made it."""
  of_frame = {k: lambda n, v=v: v[n] for k, v in entries.items()
              if k in keys.TARGETS}
  if records.FRAMES in entries:
    frames = entries[records.FRAMES]
    of_frame[keys.IMAGE_HIGH] = lambda n: image.decode_frame(
        frames[n], image_size)
  return Picked({k: v for k, v in entries.items() if k not in _OF_FRAMES},
                _count(entries), of_frame)


def draw(
    picked: Picked,
    *,
    index: tf.Tensor,
    seed: int,
    mirror: bool = False,
    per_clip: int = 1) -> dict[str, tf.Tensor]:
  """Draws a frame and a segment; they stay integers until they are batched.

  Args:
    picked: The record.
    index: [] int64, position in the stream.
    seed: Draws follow from (seed, index).
    mirror: Flips the image left to right with probability 1/2.
    per_clip: How often the clip occurs in a row; its frames are spread.

  Returns:
    Batch entries of one example.
  """
  example = {keys.INDEX: index, **picked.entries}
  if picked.of_frame:
    count = picked.count
    drawn = _uniform(stream.key(seed, stream.FRAME, index // per_clip), count)
    step = tf.maximum(count // per_clip, 1)
    turn = tf.cast(index % per_clip, tf.int32)
    number = (drawn + turn * step) % count
    example.update({k: get(number) for k, get in picked.of_frame.items()})
  if mirror and keys.IMAGE_HIGH in example:
    flip = _uniform(stream.key(seed, stream.MIRROR, index), 2) > 0
    picture = example[keys.IMAGE_HIGH]
    # Both `tf.where` and a slice of step -1 cost ten times this.
    example[keys.IMAGE_HIGH] = tf.cond(
        flip, lambda: tf.reverse(picture, [1]), lambda: picture)
  if records.VOICE in example:
    example[keys.WAVEFORM] = audio.draw_voice(
        example.pop(records.VOICE), stream.key(seed, stream.SEGMENT, index))
  return example


def _entry(name: str) -> str:
  """The batch entry that a frame's row of `name` becomes."""
  return keys.IMAGE_HIGH if name == records.FRAMES else name


def _count(entries: Entries) -> tf.Tensor:
  """[] int32: frames of a clip; each must have one of each target."""
  counts = [tf.shape(entries[k])[0] for k in _OF_FRAMES if k in entries]
  if not counts:
    return tf.constant(0)
  for other in counts[1:]:
    tf.debugging.assert_equal(
        counts[0], other, 'targets are not of the frames of this clip')
  return counts[0]


def _uniform(key: tf.Tensor, bound: tf.Tensor | int) -> tf.Tensor:
  """[] int32 in [0, bound)."""
  return tf.random.stateless_uniform(
      [], key, minval=0, maxval=bound, dtype=tf.int32)
