"""python -m tools.data_card DIR --output=card.html: what is in prepared data.

One self-contained page: clips, speakers, videos and hours per split, gender,
ages, durations, what was refused and why, and sample faces.
"""

from __future__ import annotations

import base64
import collections
import dataclasses
import json
import math
import pathlib
import re
from typing import Any, Iterator

from absl import flags

from earsr_tf import cli
from earsr_tf import durable
from earsr_tf import environment
from earsr_tf.data import manifest as manifest_lib
from tools.pages import rendering

_GENDERS = {0: 'female', 1: 'male', -1: 'unknown'}
_REASONS = 12  # listed by name; the rest in one row


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
    seconds: Length of each voice.
    ages: Of the clips whose speaker's age is known.
  """
  name: str
  records: int
  seen: int = 0
  speakers: dict[str, int] = dataclasses.field(default_factory=dict)
  videos: set[tuple[str, str]] = dataclasses.field(default_factory=set)
  frames: int = 0
  seconds: list[float] = dataclasses.field(default_factory=list)
  ages: list[float] = dataclasses.field(default_factory=list)

  def genders(self) -> dict[str, int]:
    """Speakers by gender."""
    counts = collections.Counter(self.speakers.values())
    return {word: counts[value] for value, word in _GENDERS.items()}


def survey(
    manifest: manifest_lib.Manifest, max_records: int, faces: int
) -> tuple[list[Split], list[dict[str, str]]]:
  """Looks at records.

  Args:
    manifest: The data.
    max_records: At most about so many; a share of each shard.
    faces: Sample faces wanted.

  Returns:
    The splits, and sample faces with the entries `src`, `title`.

  Raises:
    DataError: If a record is damaged.
  """
  environment.load_tensorflow()
  total = sum(s.records for split in manifest.splits.values() for s in split)
  share = min(1.0, max_records / max(total, 1))
  splits, samples, shown = [], [], set()
  for name, shards in manifest.splits.items():
    split = Split(name, sum(s.records for s in shards))
    splits.append(split)
    wanted = -(-faces * (len(splits)) // len(manifest.splits))
    for shard in shards:
      for record in _read(manifest, shard, math.ceil(share * shard.records)):
        _count(split, record)
        if len(samples) < wanted and record.speaker not in shown:
          shown.add(record.speaker)
          samples.append(_sample(record))
  return splits, samples


def _read(
    manifest: manifest_lib.Manifest, shard: manifest_lib.Shard, count: int
) -> Iterator[Any]:
  """The first `count` records of a shard."""
  import tensorflow as tf

  from earsr_tf.data import records
  from earsr_tf.data import stream
  path = pathlib.Path(manifest.data_dir) / shard.file
  with stream.explained(manifest.data_dir):
    for serialized in tf.data.TFRecordDataset(str(path)).take(
        count).as_numpy_iterator():
      yield records.decode(serialized)


def _count(split: Split, record: Any) -> None:
  """Adds a record to its split."""
  split.seen += 1
  split.speakers[record.speaker] = record.gender
  split.videos.add((record.speaker, record.video))
  split.frames += len(record.frames)
  split.seconds.append(max(0, len(record.voice) - 44) / 32000)  # 16 bit, 16 kHz
  if not math.isnan(record.age):
    split.ages.append(record.age)


def _sample(record: Any) -> dict[str, str]:
  """A face for the page; the frame in the middle of the clip."""
  frame = record.frames[len(record.frames) // 2]
  age = '' if math.isnan(record.age) else f', {record.age:.0f}'
  return {
      'src': 'data:image/png;base64,' + base64.b64encode(frame).decode(),
      'title': f'{record.speaker}{age}', 'split': record.split}


def rejects(data_dir: str) -> list[tuple[str, int]]:
  """Reasons with their numbers of clips; digits in them become one #.

  Reads every rejects*.jsonl; a line that is none counts as 'unreadable line'.
  """
  counts = collections.Counter()
  for path in sorted(pathlib.Path(data_dir).glob('rejects*.jsonl')):
    with open(path, encoding='utf-8', errors='replace') as file:
      for line in file:
        try:
          reason = str(json.loads(line)['reason'])
        except (ValueError, KeyError, TypeError):
          reason = 'unreadable line'
        counts[re.sub(r'[0-9][0-9.]*', '#', reason)] += 1
  common = counts.most_common(_REASONS)
  rest = counts.total() - sum(number for _, number in common)
  return common + ([('other reasons', rest)] if rest else [])


def histogram(values: list[float], bins: int = 12) -> list[dict[str, Any]]:
  """Bars with `label`, `count` and `share` of the tallest, 0 to 100.

  Args:
    values: What is counted.
    bins: At most about so many bars; they begin at round numbers.
  """
  if not values:
    return []
  span = max(max(values) - min(values), 1e-9)
  steps = [m * 10.0**e for e in range(-1, 7) for m in (1, 2, 5)]
  step = next((s for s in steps if span / s <= bins), span)
  counts = collections.Counter(int(v / step + 1e-6) for v in values)
  tallest = max(counts.values())
  return [
      {'label': f'{i * step:g}', 'count': counts[i],
       'share': round(100 * counts[i] / tallest, 1)}
      for i in range(min(counts), max(counts) + 1)]


def render(manifest: manifest_lib.Manifest, splits: list[Split],
           samples: list[dict[str, str]]) -> str:
  """The page; every string from the data is escaped."""
  seconds = [s for split in splits for s in split.seconds]
  genders = collections.Counter()
  for gender in {s: g for split in splits
                 for s, g in split.speakers.items()}.values():
    genders[_GENDERS.get(gender, 'unknown')] += 1
  return rendering.render(
      'data_card.html', manifest=manifest, splits=splits, samples=samples,
      records=sum(s.records for s in splits), seen=sum(s.seen for s in splits),
      speakers=len(manifest.all_speakers), genders=genders,
      hours=sum(seconds) / 3600, rejects=rejects(manifest.data_dir),
      size=sum(s.bytes for shards in manifest.splits.values() for s in shards),
      durations=histogram(seconds),
      ages=histogram([a for split in splits for a in split.ages]))


def main(data_dir: str) -> None:
  """Writes the page."""
  values = flags.FLAGS
  manifest = manifest_lib.read_manifest(data_dir)
  splits, samples = survey(manifest, values.max_records, values.faces)
  durable.write(
      values.output, render(manifest, splits, samples).encode(
          'utf-8', 'replace'))
  print(f'{values.output}: {sum(s.seen for s in splits)} clips')


if __name__ == '__main__':
  flags.DEFINE_string('output', None, 'An HTML file to write.', required=True)
  flags.DEFINE_integer(
      'faces', 30, 'Sample faces, each of another speaker.', lower_bound=0,
      upper_bound=500)
  flags.DEFINE_integer(
      'max_records', 100_000, 'Records looked at; of more, a share of each '
      'shard.', lower_bound=1)
  cli.run(main, argument='folder of prepared data')
