"""What prepared data hold, in figures: the data card's, and Validate's."""

from __future__ import annotations

import collections
import dataclasses
import math
import pathlib
from typing import Any, Callable, Iterator

import numpy as np
import tensorflow as tf

from earsr_tf.data import manifest as manifest_lib
from earsr_tf.data import records
from earsr_tf.data import stream

GENDERS = {0: 'female', 1: 'male', -1: 'unknown'}
SILENCE_DB = -60.0  # of full scale; a voice below is none
_FLOOR_DB = -120.0  # of voices that are zero throughout
_WAV_HEADER_BYTES = 44  # of ours; a voice is cut without parsing it
_PNG_WIDTH = slice(16, 20)  # of IHDR, which comes first


@dataclasses.dataclass
class Split:
  """What is in one split.

  Attributes:
    name: Of the split.
    records: Clips, from the manifest.
    seen: Clips that were looked at; what follows counts these.
    speakers: Gender of each speaker.
    videos: (speaker, video) of the clips.
    frames: Stored frames.
    sides: Frames by side in pixels.
    seconds: Length of each voice.
    loudness_db: Level of each voice: its RMS in dB of full scale.
    ages: Of the clips whose speaker's age is known.
  """
  name: str
  records: int
  seen: int = 0
  speakers: dict[str, int] = dataclasses.field(default_factory=dict)
  videos: set[tuple[str, str]] = dataclasses.field(default_factory=set)
  frames: int = 0
  sides: collections.Counter[int] = dataclasses.field(
      default_factory=collections.Counter)
  seconds: list[float] = dataclasses.field(default_factory=list)
  loudness_db: list[float] = dataclasses.field(default_factory=list)
  ages: list[float] = dataclasses.field(default_factory=list)

  def genders(self) -> dict[str, int]:
    """Speakers by gender."""
    return _by_gender(self.speakers)


def count(
    manifest: manifest_lib.Manifest, max_records: int,
    also: Callable[[Split, records.ClipRecord], None] = lambda *_: None
) -> list[Split]:
  """Looks at records.

  Args:
    manifest: The data.
    max_records: At most about so many; a share of each shard.
    also: Told each record with its split.

  Returns:
    The splits.

  Raises:
    DataError: If a record is damaged.
  """
  total = sum(s.records for split in manifest.splits.values() for s in split)
  share = min(1.0, max_records / max(total, 1))
  splits = []
  for name, shards in manifest.splits.items():
    split = Split(name, sum(s.records for s in shards))
    splits.append(split)
    for shard in shards:
      for record in _read(manifest, shard, math.ceil(share * shard.records)):
        _add(split, record)
        also(split, record)
  return splits


def summary(
    manifest: manifest_lib.Manifest, splits: list[Split]) -> dict[str, Any]:
  """The splits in a few figures.

  Args:
    manifest: The data.
    splits: What `count` returned.

  Returns:
    JSON-ready: `clips` by split, `refused` clips, `speakers` by gender, the
    share of `women` among those whose gender is known (None: of nobody),
    `sides` (frames by side), means of `seconds` and `loudness_db` of a voice,
    the share of `silent` voices, `hours` of those that were looked at, their
    number `seen`, and the manifest's `sha256`.
  """
  loudness = [db for split in splits for db in split.loudness_db]
  seconds = [s for split in splits for s in split.seconds]
  genders = _by_gender({
      name: gender for split in splits
      for name, gender in split.speakers.items()})
  known = genders['female'] + genders['male']
  sides = sum((split.sides for split in splits), collections.Counter())
  return {
      'clips': {split.name: split.records for split in splits},
      'refused': manifest.rejected,
      'speakers': genders,
      'women': genders['female'] / known if known else None,
      'sides': {str(side): sides[side] for side in sorted(sides)},
      'seconds': float(np.mean(seconds)) if seconds else None,
      'loudness_db': float(np.mean(loudness)) if loudness else None,
      'silent': (sum(db < SILENCE_DB for db in loudness) / len(loudness)
                 if loudness else None),
      'hours': sum(seconds) / 3600,
      'seen': sum(split.seen for split in splits),
      'sha256': manifest.sha256}


def _by_gender(speakers: dict[str, int]) -> dict[str, int]:
  """Speakers by the word for their gender."""
  counts = collections.Counter(
      GENDERS.get(gender, 'unknown') for gender in speakers.values())
  return {word: counts[word] for word in GENDERS.values()}


def _read(
    manifest: manifest_lib.Manifest, shard: manifest_lib.Shard, number: int
) -> Iterator[records.ClipRecord]:
  """The first `number` records of a shard."""
  path = pathlib.Path(manifest.data_dir) / shard.file
  with stream.explained(manifest.data_dir):
    for serialized in tf.data.TFRecordDataset(
        str(path)).take(number).as_numpy_iterator():
      yield records.decode(serialized)


def _add(split: Split, record: records.ClipRecord) -> None:
  """Adds a record to its split."""
  split.seen += 1
  split.speakers[record.speaker] = record.gender
  split.videos.add((record.speaker, record.video))
  split.frames += len(record.frames)
  split.sides.update(
      int.from_bytes(frame[_PNG_WIDTH], 'big') for frame in record.frames)
  if record.voice:
    sound = record.voice[_WAV_HEADER_BYTES:]
    split.seconds.append(len(sound) / 32000)  # 16 bit, 16 kHz
    split.loudness_db.append(_level_db(sound))
  if not math.isnan(record.age):
    split.ages.append(record.age)


def _level_db(sound: bytes) -> float:
  """RMS of 16-bit samples in dB of full scale."""
  samples = np.frombuffer(sound, '<i2', len(sound) // 2)
  if not samples.size or not samples.any():
    return _FLOOR_DB
  return 20.0 * math.log10(
      float(np.linalg.norm(samples)) / math.sqrt(samples.size) / 32768.0)
