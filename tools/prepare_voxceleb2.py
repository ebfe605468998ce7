"""Turns a folder of clips into sealed TFRecord shards.

    python -m tools.prepare_voxceleb2 --input=TREE --output=DIR

TREE is VoxCeleb2 as downloaded, a SyntheticVox tree, or a folder of pairs with
a MANIFEST.tsv (paper, section 4.1). See pipelines/ingest.py.
"""

from __future__ import annotations

import collections
import json
import logging as logging_lib
import pathlib
import time
from typing import Any
import warnings

from absl import flags
from absl import logging

from earsr_tf import cli
from earsr_tf import environment
from earsr_tf.data import manifest as manifest_lib

_INPUT = flags.DEFINE_string('input', None, 'Folder of clips.', required=True)
_OUTPUT = flags.DEFINE_string(
    'output', None, 'Folder for the shards: absent or empty.', required=True)
_DATASET = flags.DEFINE_enum(
    'dataset', '', ['', 'synthetic', 'voxceleb2', 'pairs'],
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
_SUBSET = flags.DEFINE_list(
    'subset', [], 'Prefixes of paths below the input; only these are taken.')
_OVERWRITE = flags.DEFINE_bool(
    'overwrite', False, 'Replace finished data in the output folder.')
_DRY_RUN = flags.DEFINE_bool(
    'dry_run', False, 'Check the flags, list the clips per split, stop.')


def _options() -> Any:
  """The flags as options of the pipeline."""
  from pipelines import ingest  # pylint: disable=g-import-not-at-top
  options = dict(
      frames_per_clip=_FRAMES.value, image_size=_SIZE.value,
      shards=_SHARDS.value, open_share=_OPEN_SHARE.value,
      open_speakers=tuple(_OPEN_SPEAKERS.value), subset=tuple(_SUBSET.value),
      overwrite=_OVERWRITE.value)
  if _WORKERS.value:
    options['workers'] = _WORKERS.value
  return ingest.Options(**options)


def _prepare() -> str:
  """Does the work and returns a summary."""
  if not pathlib.Path(_INPUT.value).is_dir():
    raise manifest_lib.MissingDataError(
        f'{_INPUT.value}: no such folder; give one with clips as --input')
  from pipelines import ingest  # pylint: disable=g-import-not-at-top
  name = _DATASET.value or ingest.guess_dataset(_INPUT.value)
  if _DRY_RUN.value:
    jobs = ingest.plan(_INPUT.value, name, _options())
    counts = collections.Counter(split for (split, _), _ in jobs)
    return json.dumps({'dataset': name, **counts}, sort_keys=True)
  start = time.monotonic()
  manifest = ingest.run(_INPUT.value, _OUTPUT.value, name, _options())
  counts = ', '.join(
      f'{split} {sum(s.records for s in shards)}'
      for split, shards in manifest.splits.items())
  return (
      f'{_OUTPUT.value}: {counts} clips of {len(manifest.all_speakers)} '
      f'speakers, {manifest.rejected} refused, '
      f'{time.monotonic() - start:.0f} s')


def main() -> None:
  """Runs the command."""
  environment.quieten()
  logging.set_verbosity(logging.INFO)
  # Beam tells of file systems that are not installed and the like.
  logging_lib.getLogger('apache_beam').setLevel(logging_lib.ERROR)
  warnings.filterwarnings('ignore', module='PIL')  # damaged files: we say why
  print(_prepare())


if __name__ == '__main__':
  cli.run(main)
