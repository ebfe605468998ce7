"""python -m tools.verify_data DIR: is prepared data whole, down to the record?

Compares every shard with the manifest (bytes, sha256, records, CRCs), looks at
every frame and voice, and checks that keys are unique and that neither videos
nor open-set speakers cross splits (paper, section 4.1). Names each damaged
shard and record; ends with 0 if there is nothing to say and with 65 if not.
"""

from __future__ import annotations

import collections
from concurrent import futures
import os
import pathlib
import sys
from typing import Any, Iterable, Iterator

from absl import flags
import tqdm

from earsr_tf import cli
from earsr_tf import durable
from earsr_tf import environment
from earsr_tf.data import manifest as manifest_lib

_SHOWN = 100  # problems printed
_QUIET_BYTES = 1 << 30  # below this, progress is for a terminal only
_OPEN = ('open_gallery', 'open_test')


def problems(
    data_dir: str, *, workers: int = 1, checksums_only: bool = False
) -> Iterator[str]:
  """Yields a sentence for everything that is wrong with prepared data.

  Args:
    data_dir: Folder of shards.
    workers: Shards looked at at a time.
    checksums_only: Compares bytes and sha256 only.

  Raises:
    DataError: If there is no readable manifest.
  """
  manifest = manifest_lib.read_manifest(data_dir, check_sizes=False)
  shards = [(split, shard) for split in manifest.splits
            for shard in manifest.splits[split]]
  if not shards:
    yield f'{manifest_lib.FILE_NAME}: lists no shards'
  total = sum(shard.bytes for _, shard in shards)
  is_terminal = sys.stderr.isatty()
  with tqdm.tqdm(
      total=total, unit='B', unit_scale=True,
      mininterval=0.2 if is_terminal else 30,
      disable=not is_terminal and total < _QUIET_BYTES) as progress:
    with futures.ThreadPoolExecutor(workers) as pool:
      if checksums_only:
        for found in pool.map(lambda s: _checksum(
            manifest, s[1], progress), shards):
          yield from found
        return
      environment.load_tensorflow()
      from earsr_tf.data import inspection
      yield from _in_all(manifest, pool.map(lambda s: inspection.inspect(
          manifest, *s, advance=progress.update), shards))
  yield from _strangers(manifest)


def _checksum(
    manifest: manifest_lib.Manifest, shard: manifest_lib.Shard,
    progress: tqdm.tqdm) -> list[str]:
  """What is wrong with a shard as a file."""
  path = pathlib.Path(manifest.data_dir) / shard.file
  try:
    size, found = path.stat().st_size, durable.sha256(path)
  except OSError as e:
    return [f'{shard.file}: cannot be read ({e.strerror})']
  progress.update(size)
  if (size, found) == (shard.bytes, shard.sha256):
    return []
  return [f'{shard.file}: {size} bytes with sha256 {found[:12]}..., the '
          f'manifest says {shard.bytes} and {shard.sha256[:12]}...']


def _in_all(
    manifest: manifest_lib.Manifest, reports: Iterable[Any]
) -> Iterator[str]:
  """Problems of each shard, then those that only all of them show."""
  seen: dict[tuple[str, str, str], str] = {}
  split_of: dict[tuple[str, str], str] = {}
  speakers = collections.defaultdict(set)
  for report in reports:
    yield from report.problems
    for number, clip in zip(report.numbers, report.clips):
      where = f'{report.file}: record {number} ({"/".join(clip)})'
      if clip in seen:
        yield f'{where}: has the key of {seen[clip]}'
      seen[clip] = f'record {number} of {report.file}'
      other = split_of.setdefault(clip[:2], report.split)
      if other != report.split:
        yield f'{where}: other clips of this video are in {other}'
      speakers[report.split].add(clip[0])
  closed = set().union(*(
      s for split, s in speakers.items() if split not in _OPEN))
  for speaker in sorted(closed & set().union(*(speakers[s] for s in _OPEN))):
    yield f'speaker {speaker} is in open-set and in other splits'
  name = manifest_lib.FILE_NAME
  for split in manifest.splits:
    if speakers[split] != set(manifest.speakers.get(split, ())):
      yield f'{name}: speakers of {split} are not those of its records'
    videos = {'/'.join(v) for v, own in split_of.items() if own == split}
    if manifest.videos and videos != set(manifest.videos.get(split, ())):
      yield f'{name}: videos of {split} are not those of its records'
  if set().union(*speakers.values()) != set(manifest.all_speakers):
    yield f'{name}: all_speakers are not those of the records'


def _strangers(manifest: manifest_lib.Manifest) -> Iterator[str]:
  """Shards that lie in the folder and that the manifest does not know."""
  known = {s.file for shards in manifest.splits.values() for s in shards}
  for path in sorted(pathlib.Path(manifest.data_dir).glob('*.tfrecord')):
    if path.name not in known:
      yield f'{path.name}: is not in the manifest'


def main(data_dir: str) -> None:
  """Prints what is wrong."""
  values = flags.FLAGS
  count = 0
  for problem in problems(
      data_dir, workers=values.workers or os.cpu_count() or 1,
      checksums_only=values.checksums_only):
    count += 1
    if count <= _SHOWN:
      print(cli.printable(problem), flush=True)
  if count > _SHOWN:
    print(f'... and {count - _SHOWN} more')
  if count:
    raise manifest_lib.DataError(
        f'{data_dir}: {count} problem{"s"[:count > 1]}; take the data from '
        'where they are whole, or prepare them again')
  manifest = manifest_lib.read_manifest(data_dir)
  shards = [s for split in manifest.splits.values() for s in split]
  print(f'{data_dir}: whole: {len(shards)} shards, '
        f'{sum(s.records for s in shards)} records, '
        f'{sum(s.bytes for s in shards)} bytes')


if __name__ == '__main__':
  flags.DEFINE_integer(
      'workers', 0, 'Shards looked at at a time; 0: one per core.',
      lower_bound=0)
  flags.DEFINE_bool(
      'checksums_only', False, 'Compare bytes and sha256 and open no record.')
  cli.run(main, argument='folder of prepared data')
