"""The end of a run: rejects, then the manifest; and the start of the next.

The notes of finished shards lie in `.progress` beside them. A folder with a
manifest is finished; all else in it is what an interrupted run left.
"""

from __future__ import annotations

import collections
import json
import re
from typing import Any, Sequence

from earsr_tf.data import dataset as dataset_lib
from earsr_tf.data import manifest as manifest_lib
from pipelines.ingest import options as options_lib
from pipelines.ingest import shard_file
from pipelines.ingest import shard_plan
from pipelines.ingest import storage

NOTES = '.progress'
PLAN = 'plan.jsonl'

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
    place: shard_file.Place, files: Any, parts: Sequence[shard_plan.Slice],
    content: dict[str, Any]) -> manifest_lib.Manifest:
  """Writes rejects-*.jsonl and manifest.json, and clears the notes.

  Args:
    place: Where the run has written.
    files: The file system of the output.
    parts: Its slices of the plan; the notes say what became of them.
    content: Entries of the manifest that do not come from the shards.

  Returns:
    The manifest.

  Raises:
    DataError: If every clip was refused; the rejects are written.
  """
  tables = _Tables(place=place, parts=parts)
  rejected = _write_rejects(place, tables.rejects)
  if not any(tables.shards.values()):
    most = _most_frequent([
        row['reason'] for rows in tables.rejects.values() for row in rows])
    _clear(place, files)
    raise manifest_lib.DataError(
        f'{place.base}: all {rejected} clips were refused; the first of the '
        f'most frequent reason: {most}; all reasons are in '
        f'{storage.join(place.output, "rejects-*.jsonl")}')
  raw = manifest_lib.encode({**content, **tables.content(),
                             'rejected': rejected})
  with storage.open_write(
      storage.join(place.output, manifest_lib.FILE_NAME),
      is_last=True) as f:
    f.write(raw)
  _clear(place, files)
  return manifest_lib.parse(place.output, raw)


def content(
    dataset: str, options: options_lib.Options, open_share: float,
    least: int) -> dict[str, Any]:
  """Entries of the manifest that follow from the settings."""
  return {
      'dataset': dataset,
      'preprocess': options.fingerprint(),
      'image_size': options.image_size,
      'frames_per_clip': options.frames_per_clip,
      # Manifests of data with voices stay what they are.
      **({} if dataset_lib.get(dataset).has_voices else {'has_voices': False}),
      'selection': {
          'open_share': open_share,
          'open_speakers': list(options.open_speakers),
          'subset': list(options.subset),
          'min_frames_per_speaker': least}}


class _Tables:
  """What the notes of all shards add up to, split by split.

  A video is in many shards: their names are kept once.
  """

  def __init__(
      self, *, place: shard_file.Place, parts: Sequence[shard_plan.Slice]):
    """Reads the notes, one after the other."""
    self.shards: dict[str, list[dict[str, Any]]] = {}
    self.rejects: dict[str, list[dict[str, str]]] = {}
    self._videos: dict[str, set[str]] = {}
    for split in manifest_lib.SPLITS:
      self.shards[split], self.rejects[split] = [], []
      self._videos[split] = set()
    parts = sorted(parts, key=lambda part: part.file)
    for written in shard_file.read_notes(place, parts):
      split = written.part.split
      self.rejects[split] += written.rejects
      if written.records:
        self._videos[split].update(written.videos)
        self.shards[split].append({
            'file': written.part.file, 'records': written.records,
            'bytes': written.bytes, 'sha256': written.sha256})

  def content(self) -> dict[str, Any]:
    """Shards, speakers and videos as entries of the manifest."""
    speakers = {
        split: sorted({v.split('/')[0] for v in names})
        for split, names in self._videos.items()}
    return {
        'splits': self.shards, 'speakers': speakers,
        'videos': {k: sorted(names) for k, names in self._videos.items()},
        'all_speakers': sorted({s for v in speakers.values() for s in v})}


def _most_frequent(reasons: Sequence[str]) -> str:
  """The first reason of the kind that is the most frequent."""
  kinds = [re.sub(r'\d+(\.\d+)?', 'N', reason) for reason in reasons]
  return reasons[kinds.index(collections.Counter(kinds).most_common(1)[0][0])]


def _write_rejects(
    place: shard_file.Place, rejects: dict[str, list[dict[str, str]]]) -> int:
  """Writes the refused clips of each split that has any; says how many."""
  for split, rows in rejects.items():
    path = storage.join(
        place.output, manifest_lib.REJECTS_NAME.format(split=split))
    if rows:
      with storage.open_write(path) as f:
        f.writelines(
            json.dumps(r, sort_keys=True).encode() + b'\n'
            for r in sorted(rows, key=lambda r: r['clip']))
  return sum(map(len, rejects.values()))


def _clear(place: shard_file.Place, files: Any) -> None:
  """Removes notes, plan and lock."""
  storage.delete([
      storage.join(place.notes, name) for name in files.walk(place.notes, 1)])
  storage.delete([storage.join(place.output, '.lock')])
  storage.remove_folder(place.notes)
