"""Turns a folder of clips into sealed TFRecord shards.

    python -m tools.prepare_voxceleb2 --input=TREE --output=DIR

TREE is VoxCeleb2 as downloaded, VoxCeleb1 with pictures, a SyntheticVox tree, a
folder of pairs with a MANIFEST.tsv, a table of clips, FILE.csv, or a folder or
zip file of faces without voices (paper, section 4.1). Flags that are not of
this command are Beam's: `--runner=...` and the options of the runner; those
that Beam does not know go behind `--`. See docs/data.md.
"""

from __future__ import annotations

import collections
import json
import logging as logging_lib
import os
import re
import time
from typing import Any, Iterable, Sequence
import warnings

from absl import flags
from absl import logging

from earsr_tf import cli
from earsr_tf import environment
from earsr_tf import face_finder
from earsr_tf.data import manifest as manifest_lib

_INPUT = flags.DEFINE_string(
    'input', None, 'A folder of clips, or a table of them, FILE.csv.',
    required=True)
_OUTPUT = flags.DEFINE_string(
    'output', None, 'A folder for the shards: absent or empty.', required=True)
_DATASET = flags.DEFINE_enum(
    'dataset', '', ['', 'synthetic', 'voxceleb2', 'voxceleb1', 'pairs', 'csv',
                    'faces'],
    'What the folder holds; by default seen from its files.')
_WORKERS = flags.DEFINE_integer(
    'workers', 0, 'Clips decoded at a time; 0: one per core.', lower_bound=0)
_FRAMES = flags.DEFINE_integer(
    'frames_per_clip', 8, 'Frames kept of each clip.', lower_bound=1)
_SIZE = flags.DEFINE_integer(
    'image_size', 128, 'Side of the frames in pixels.', lower_bound=8)
_SHARDS = flags.DEFINE_integer(
    'shards', 4, 'Files per split; 4096 for all of VoxCeleb2.', lower_bound=1)
_OPEN_SHARE = flags.DEFINE_float(
    'open_share', None, 'Share of speakers kept out of training where the '
    "data do not say; default: the dataset's.", lower_bound=0, upper_bound=1)
_OPEN_SPEAKERS = flags.DEFINE_list(
    'open_speakers', [], 'Prefixes of speakers kept out of training.')
_MIN_FRAMES = flags.DEFINE_integer(
    'min_frames_per_speaker', None, 'Speakers with fewer frames, counted after '
    'sampling, are left out; default: 500 for VoxCeleb, else 0.', lower_bound=0)
_CHECK_LENGTHS = flags.DEFINE_bool(
    'check_lengths', True, 'Refuse clips of VoxCeleb whose picture and sound '
    'differ in length by more than 5 frames at 25 frames/s.')
_DETECT_FACES = flags.DEFINE_bool(
    'detect_faces', None, 'Find the face in videos that show more and have no '
    'boxes, and in pictures of --dataset=faces, and frame it as VoxCeleb2 '
    'does; needs mtcnn. Default: in the latter only.')
_SUBSET = flags.DEFINE_list(
    'subset', [], 'Prefixes of paths below the input; only these are taken.')
_OVERWRITE = flags.DEFINE_bool(
    'overwrite', False, 'Replace finished data in the output folder.')
_DRY_RUN = flags.DEFINE_bool(
    'dry_run', False, 'Check the flags, list the clips per split, stop.')


def _options() -> Any:
  """The flags as options of the pipeline."""
  from pipelines.ingest import prepare
  options = dict(
      frames_per_clip=_FRAMES.value, image_size=_SIZE.value,
      shards=_SHARDS.value, open_share=_OPEN_SHARE.value,
      open_speakers=tuple(_OPEN_SPEAKERS.value), subset=tuple(_SUBSET.value),
      min_frames_per_speaker=_MIN_FRAMES.value,
      check_lengths=_CHECK_LENGTHS.value, overwrite=_OVERWRITE.value,
      detect_faces=_DETECT_FACES.value)
  if _WORKERS.value:
    options['workers'] = _WORKERS.value
  return prepare.Options(**options)


def _dry_run(
    name: str, jobs: Iterable[tuple[tuple[str, int], Any]]) -> str:
  """Counts clips per split; says on stderr why most others are refused."""
  counts: collections.Counter[str] = collections.Counter()
  reasons: collections.Counter[str] = collections.Counter()
  examples: dict[str, str] = {}
  for (split, _), clip in jobs:
    counts['refused' if clip.refused else split] += 1
    if clip.refused:
      kind = re.sub(r'\d+', '#', clip.refused)  # reasons name figures
      reasons[kind] += 1
      examples.setdefault(kind, clip.refused)
  for kind, number in reasons.most_common(1):
    cli.notice(
        f'{counts["refused"]} of {counts.total()} clips are refused before '
        f'they are decoded; the most frequent reason, {number} times: '
        f'{examples[kind]}')
  return json.dumps({'dataset': name, **counts}, sort_keys=True)


def _prepare(rest: Sequence[str], behind: Sequence[str]) -> str:
  """Does the work and returns a summary."""
  if '://' not in _INPUT.value and not os.path.exists(_INPUT.value):
    raise manifest_lib.MissingDataError(
        f'{_INPUT.value}: no such folder or table; give one as --input')
  if _DETECT_FACES.value:
    face_finder.check_installed()
  from pipelines.ingest import beam_options
  from pipelines.ingest import prepare
  beam_flags = beam_options.make(rest, behind)
  name = _DATASET.value or prepare.guess_dataset(_INPUT.value)
  if prepare.resolved(name, _options()).detect_faces:
    face_finder.check_installed(
        'or take the pictures as they are with --nodetect_faces')
  if _DRY_RUN.value:
    return _dry_run(name, prepare.plan(_INPUT.value, name, _options()))
  start = time.monotonic()
  manifest = prepare.run(
      _INPUT.value, _OUTPUT.value, name, _options(), beam_flags)
  counts = ', '.join(
      f'{split} {sum(s.records for s in shards)}'
      for split, shards in manifest.splits.items())
  return (
      f'{_OUTPUT.value}: {counts} clips of {len(manifest.all_speakers)} '
      f'speakers, {manifest.rejected} refused, '
      f'{time.monotonic() - start:.0f} s')


def main(rest: Sequence[str], behind: Sequence[str]) -> None:
  """Runs the command; takes flags for Beam, and those behind `--`."""
  environment.quieten()
  logging.set_verbosity(logging.INFO)
  # Beam tells of file systems that are not installed and the like.
  logging_lib.getLogger('apache_beam').setLevel(logging_lib.ERROR)
  warnings.filterwarnings('ignore', module='PIL')  # damaged files: we say why
  print(_prepare(rest, behind))


if __name__ == '__main__':
  cli.run_with_rest(main)
