"""Leaves out speakers with too few frames (paper, section 4.1).

How many frames a speaker has is known once all clips are decoded: their notes
are added up, and the few shards that hold such a speaker are copied without
it.
"""

from __future__ import annotations

import collections
import dataclasses
from typing import Iterator, Mapping, Sequence

import apache_beam as beam

from earsr_tf import environment
from pipelines.ingest import shard_file
from pipelines.ingest import shard_plan
from pipelines.ingest import storage


def reason(frames: int, least: int) -> str:
  """Why the clips of a speaker are left out."""
  return (f'has a speaker with {frames} frames in all; '
          f'--min_frames_per_speaker={least} asks for more')


def find(
    place: shard_file.Place, parts: Sequence[shard_plan.Slice], least: int
) -> dict[str, int]:
  """Speakers with fewer than `least` frames in all shards, and their frames."""
  frames: collections.Counter[str] = collections.Counter()
  for written in shard_file.read_notes(place, parts):
    frames.update(written.frames)
  return {speaker: n for speaker, n in frames.items() if n < least}


def holding(
    place: shard_file.Place, parts: Sequence[shard_plan.Slice],
    few: Mapping[str, int]) -> list[shard_plan.Slice]:
  """The shards that hold one of these speakers."""
  if not few:
    return []
  return [written.part for written in shard_file.read_notes(place, parts)
          if not few.keys().isdisjoint(written.frames)]


class DropSpeakers(beam.DoFn):
  """Takes the records of speakers with few frames out of a finished shard."""

  def __init__(
      self, *, place: shard_file.Place, least: int, few: Mapping[str, int]):
    """Takes the folders, the frames a speaker needs, and who has fewer."""
    self._place = place
    self._least = least
    self._few = few

  def setup(self) -> None:
    """Loads TensorFlow, which reads the records."""
    environment.load_tensorflow()

  def process(self, element: shard_plan.Slice) -> Iterator[shard_plan.Slice]:
    """Rewrites a shard that has speakers with few frames."""
    with shard_file.noting_failure(self._place, element):
      written = shard_file.read_note(self._place, element)
      if any(video.split('/')[0] in self._few for video in written.videos):
        self._rewrite(written, self._few)
    yield element

  def _rewrite(
      self, old: shard_file.Written, few: Mapping[str, int]) -> None:
    """Copies the records of the others."""
    import tensorflow as tf

    from earsr_tf.data import records
    clips = {clip.key: clip for clip in shard_plan.read(
        self._place.plan, old.part, self._place.base) if clip.speaker in few}
    rejects = list(old.rejects)
    path = storage.join(self._place.output, old.part.file)
    # A later run must not keep it: by then the speaker may have frames enough.
    storage.delete([shard_file.note_path(self._place, old.part)])
    with storage.local_copy(path) as local:
      with shard_file.writing(self._place, old.part) as file:
        for record in tf.data.TFRecordDataset(local).as_numpy_iterator():
          found = records.decode(record)
          if found.speaker not in few:
            file.write(record)
            continue
          rejects.append(shard_file.reject(
              clips[f'{found.speaker}/{found.video}/{found.clip}'],
              reason(few[found.speaker], self._least), self._place.base))
    videos = [v for v in old.videos if v.split('/')[0] not in few]
    shard_file.write_note(self._place, dataclasses.replace(
        old, records=file.records, bytes=file.bytes, sha256=file.sha256,
        videos=videos, rejects=rejects), is_kept=False)
