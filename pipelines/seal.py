"""The end of a run: rejects, then the manifest; and the start of the next.

The notes of finished shards lie in `.progress` beside them. A folder with a
manifest is finished; all else in it is what an interrupted run left.
"""

from __future__ import annotations

import collections
import json
import re
from typing import Any, Sequence

from earsr_tf.data import manifest as manifest_lib
from pipelines import ingest_options
from pipelines import shard_file
from pipelines import shard_plan
from pipelines import storage

NOTES = '.progress'
PLAN = 'plan.jsonl'
OUTCOME = 'outcome.json'

_OURS = re.compile(
    r'(\w+-\d{5}-of-\d{5}\.tfrecord|manifest\.json|rejects(-\w+)?\.jsonl)'
    rf'(\.\w+)?(\.partial)?|{re.escape(NOTES)}/.*|\.lock')


def check_output(output: str, files: Any, overwrite: bool) -> None:
  """Refuses a folder that holds finished data or something else.

  Raises:
    DataError: If it does.
  """
  names = list(files.walk(output, 2))
  foreign = [name for name in names if not _OURS.fullmatch(name)]
  if foreign:
    raise manifest_lib.DataError(
        f'{output} holds other files ({foreign[0]}); give an empty folder')
  if manifest_lib.FILE_NAME in names and not overwrite:
    raise manifest_lib.DataError(
        f'{output} holds finished data; give another folder or add '
        '--overwrite')


def sweep(
    place: shard_file.Place, files: Any,
    parts: Sequence[shard_plan.Slice]) -> None:
  """Removes what an earlier run left and this one will not make again.

  The manifest goes first: without it nothing looks finished.
  """
  kept = {part.file for part in parts}
  notes = {f'{NOTES}/{name}.json' for name in kept}
  names = [
      name for name in files.walk(place.output, 2)
      if name not in kept | notes | {f'{NOTES}/{PLAN}', '.lock'}]
  names.sort(key=lambda name: name != manifest_lib.FILE_NAME)
  storage.delete([storage.join(place.output, name) for name in names])


def finish(
    place: shard_file.Place, files: Any, written: Sequence[shard_file.Written],
    content: dict[str, Any]) -> manifest_lib.Manifest:
  """Writes rejects-*.jsonl and manifest.json, and clears the notes.

  Args:
    place: Where the run has written.
    files: The file system of the output.
    written: Its shards.
    content: Entries of the manifest that do not come from the shards.

  Returns:
    The manifest.

  Raises:
    DataError: If every clip was refused; the rejects are written.
  """
  written = sorted(written, key=lambda w: w.part.file)
  rejected = _write_rejects(place, written)
  if not any(w.records for w in written):
    reasons = collections.Counter(
        re.sub(r'\d+(\.\d+)?', 'N', r['reason']) for w in written
        for r in w.rejects)
    most = next(r['reason'] for w in written for r in w.rejects
                if re.sub(r'\d+(\.\d+)?', 'N', r['reason'])
                == reasons.most_common(1)[0][0])
    _clear(place, files)
    raise manifest_lib.DataError(
        f'{place.base}: all {rejected} clips were refused; the first of the '
        f'most frequent reason: {most}; all reasons are in '
        f'{storage.join(place.output, "rejects-*.jsonl")}')
  raw = manifest_lib.encode({**content, **_tables(written),
                             'rejected': rejected})
  with storage.open_write(
      storage.join(place.output, manifest_lib.FILE_NAME),
      is_last=True) as f:
    f.write(raw)
  _clear(place, files)
  return manifest_lib.parse(place.output, raw)


def content(
    dataset: str, options: ingest_options.Options, open_share: float,
    least: int) -> dict[str, Any]:
  """Entries of the manifest that follow from the settings."""
  return {
      'dataset': dataset,
      'preprocess': options.fingerprint(),
      'image_size': options.image_size,
      'frames_per_clip': options.frames_per_clip,
      'selection': {
          'open_share': open_share,
          'open_speakers': list(options.open_speakers),
          'subset': list(options.subset),
          'min_frames_per_speaker': least}}


def _tables(written: Sequence[shard_file.Written]) -> dict[str, Any]:
  """Shards, speakers, videos and frames per split."""
  full = [w for w in written if w.records]
  videos = {split: sorted(
      {v for w in full if w.part.split == split for v in w.videos})
      for split in manifest_lib.SPLITS}
  speakers = {
      split: sorted({v.split('/')[0] for v in names})
      for split, names in videos.items()}
  return {
      'splits': {split: [
          {'file': w.part.file, 'records': w.records, 'bytes': w.bytes,
           'sha256': w.sha256} for w in full if w.part.split == split]
          for split in manifest_lib.SPLITS},
      'speakers': speakers,
      'videos': videos,
      'all_speakers': sorted({s for v in speakers.values() for s in v})}


def _write_rejects(
    place: shard_file.Place, written: Sequence[shard_file.Written]) -> int:
  """Writes the refused clips of each split that has any; says how many."""
  total = 0
  for split in manifest_lib.SPLITS:
    rows = sorted(
        (r for w in written if w.part.split == split for r in w.rejects),
        key=lambda r: r['clip'])
    path = storage.join(
        place.output, manifest_lib.REJECTS_NAME.format(split=split))
    if rows:
      with storage.open_write(path) as f:
        f.writelines(
            json.dumps(r, sort_keys=True).encode() + b'\n' for r in rows)
    total += len(rows)
  return total


def _clear(place: shard_file.Place, files: Any) -> None:
  """Removes notes, plan and lock."""
  storage.delete([
      storage.join(place.notes, name) for name in files.walk(place.notes, 1)])
  storage.delete([storage.join(place.output, '.lock')])
  storage.remove_folder(place.notes)
