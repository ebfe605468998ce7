"""python -m tools.data_card DIR --output=card.html: what is in prepared data.

One self-contained page: clips, speakers, videos and hours per split, gender,
ages, durations, what was refused and why, and sample faces.
"""

from __future__ import annotations

import base64
import collections
import json
import math
import pathlib
import re
from typing import Any

from absl import flags

from earsr_tf import cli
from earsr_tf import durable
from earsr_tf import environment
from earsr_tf.data import manifest as manifest_lib
from tools.pages import rendering

_REASONS = 12  # listed by name; the rest in one row


def survey(
    manifest: manifest_lib.Manifest, max_records: int, faces: int
) -> tuple[list[Any], list[dict[str, str]]]:
  """Looks at records.

  Args:
    manifest: The data.
    max_records: At most about so many; a share of each shard.
    faces: Sample faces wanted.

  Returns:
    The splits (`figures.Split`), and sample faces with the entries `src`,
    `title`.

  Raises:
    DataError: If a record is damaged.
  """
  environment.load_tensorflow()
  from earsr_tf.data import figures
  names = list(manifest.splits)
  samples, shown = [], set()

  def show(split: figures.Split, record: Any) -> None:
    """Keeps a face of each new speaker; each split has its part of them."""
    wanted = -(-faces * (names.index(split.name) + 1) // len(names))
    if len(samples) < wanted and record.speaker not in shown:
      shown.add(record.speaker)
      samples.append(_sample(record))

  return figures.count(manifest, max_records, show), samples


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


def render(manifest: manifest_lib.Manifest, splits: list[Any],
           samples: list[dict[str, str]]) -> str:
  """The page; every string from the data is escaped."""
  from earsr_tf.data import figures
  seconds = [s for split in splits for s in split.seconds]
  found = figures.summary(manifest, splits)
  return rendering.render(
      'data_card.html', manifest=manifest, splits=splits, samples=samples,
      records=sum(s.records for s in splits), seen=sum(s.seen for s in splits),
      speakers=len(manifest.all_speakers), genders=found['speakers'],
      loudness_db=found['loudness_db'],
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
