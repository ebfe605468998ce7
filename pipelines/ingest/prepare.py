"""Clips -> sealed shards, on Apache Beam (paper, section 4.1; design, 4).

Only names of shards and their places in the plan are elements; one DoFn
decodes and writes a whole shard in the order of the hashes of its keys, under a
temporary name. `manifest.json` is written last. The same input gives the same
bytes, whatever the number of workers; what cannot be decoded goes to
`rejects-<split>.jsonl` with a reason. After an interrupted run the same command
keeps the shards that are finished.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import operator
import os
from typing import Any, Iterator, Sequence

from absl import logging
import apache_beam as beam
from apache_beam.options import pipeline_options
from apache_beam.runners import runner as runner_lib
import filelock

from earsr_tf.data import dataset as dataset_lib
from earsr_tf.data import manifest as manifest_lib
from earsr_tf.media import boxes
from earsr_tf.media import clip_files
from pipelines.ingest import beam_options
from pipelines.ingest import few_frames
from pipelines.ingest import options as options_lib
from pipelines.ingest import progress
from pipelines.ingest import seal
from pipelines.ingest import shard as shard_lib
from pipelines.ingest import shard_file
from pipelines.ingest import shard_plan
from pipelines.ingest import storage

Options = options_lib.Options

_TABLES = {  # name of a file in the input -> dataset
    'attributes.csv': 'synthetic', 'MANIFEST.tsv': 'pairs',
    'vox1_meta.csv': 'voxceleb1', 'labels.csv': 'faces',
    'dataset.json': 'faces'}


def run(
    input_dir: str, output_dir: str, dataset: str = '',
    options: Options = Options(),
    beam_flags: pipeline_options.PipelineOptions | None = None
) -> manifest_lib.Manifest:
  """Prepares a folder of clips, or a table of them.

  Args:
    input_dir: What the dataset's `list_clips` reads.
    output_dir: Absent, empty, or what an interrupted run left.
    dataset: Name of a dataset; '' chooses by what lies in the folder.
    options: See `Options`.
    beam_flags: Runner and options of Beam; in this process by default.

  Returns:
    The manifest of the finished data.

  Raises:
    DataError: If there is nothing to prepare, every clip was refused, or
      `output_dir` holds finished data or something else.
    OSError: If a shard cannot be written; the others are kept for a next run.
    RunnerError: If a runner elsewhere cannot be reached or gave up.
    ValueError: If the dataset or an option is unknown.
  """
  name = dataset or guess_dataset(input_dir)
  options = resolved(name, options)
  flags = beam_flags or beam_options.make([])
  runner = beam_options.runner(flags)
  files = storage.files_of(output_dir)
  notes = storage.join(output_dir, seal.NOTES)
  place = shard_file.Place(
      _base(input_dir), output_dir, storage.join(notes, seal.PLAN), notes)
  # Listed before the output is touched: what is wrong with a tree leaves none.
  drafted = shard_plan.draft(plan(input_dir, name, options), place.base)
  if os.path.isfile(output_dir):
    raise manifest_lib.DataError(f'{output_dir} is a file; give a folder')
  seal.check_output(output_dir, files, options.overwrite)
  share, least = _selection(name, options)
  with _locked(output_dir):
    parts = shard_plan.write(
        drafted, place.plan, shards=options.shards,
        fingerprint=f'{options.fingerprint()} {least}')
    seal.sweep(place, files, parts)
    with progress.show(shard_plan.total(parts)):
      _pass(runner, flags, parts, shard_lib.WriteShard(
          place=place, options=options))
    _check_outcome(place, files)
    if least:
      few = few_frames.find(place, parts, least)
      _pass(runner, flags, few_frames.holding(place, parts, few),
            few_frames.DropSpeakers(place=place, least=least, few=few))
      _check_outcome(place, files)
    return seal.finish(
        place, files, parts, seal.content(name, options, share, least))


def resolved(name: str, options: Options) -> Options:
  """The options with the dataset's choice of whether faces are found."""
  if options.detect_faces is not None:
    return options
  return dataclasses.replace(
      options, detect_faces=not dataset_lib.get(name).has_voices)


def guess_dataset(input_dir: str) -> str:
  """Which dataset a folder or table holds, by its files."""
  files = storage.files_of(input_dir)
  base = input_dir.rstrip('/')
  if base.endswith('.csv'):
    return 'csv'
  if base.endswith('.zip'):
    return 'faces'
  for name, dataset in _TABLES.items():
    if files.exists(f'{base}/{name}'):
      return dataset
  for part in ('', 'dev/', 'test/'):
    if any(files.walk(f'{base}/{part}mp4', 3)):
      return 'voxceleb2'
    if any(files.walk(f'{base}/{part}wav', 3)):
      return 'voxceleb1'
  above = base.rpartition('/')[0] or '.'
  is_part = files.exists(f'{above}/MANIFEST.tsv')
  return 'pairs' if is_part else 'voxceleb2'


def plan(
    input_dir: str, name: str, options: Options) -> Iterator[shard_plan.Job]:
  """Lists the clips and gives each its (split, shard number).

  Clips of speakers who cannot reach the least number of frames are marked as
  refused: decoding them would be in vain. One speaker's are in memory at a
  time.

  Raises:
    DataError: If there are no clips, or two have one name.
    ValueError: If the dataset is unknown or an option is not positive.
  """
  for field in ('frames_per_clip', 'image_size', 'shards', 'workers'):
    if getattr(options, field) < 1:
      raise ValueError(
          f'{field}={getattr(options, field)} must be at least 1')
  share, least = _selection(name, options)
  seen = set()
  for speaker, group in itertools.groupby(
      _chosen(input_dir, name, options), operator.attrgetter('speaker')):
    if speaker in seen:
      raise manifest_lib.DataError(
          f'{input_dir}: two speakers are called {speaker}; rename one')
    seen.add(speaker)
    clips = list(group)
    most = options.frames_per_clip * sum(not c.refused for c in clips)
    for split, clip in _assign(clips, share):
      if most < least and not clip.refused:
        clip = dataclasses.replace(
            clip, refused=few_frames.reason(most, least))
      number = dataset_lib.name_hash(clip.key) % options.shards
      yield (split, number), clip
  if not seen:
    raise manifest_lib.MissingDataError(
        f'{input_dir}: no clip begins with {" or ".join(options.subset)}; '
        'check the subset')


def _chosen(
    input_dir: str, name: str, options: Options) -> Iterator[clip_files.Clip]:
  """The clips of the subset, open-set speakers marked."""
  base = _base(input_dir)
  for clip in dataset_lib.get(name).list_clips(
      input_dir, storage.files_of(input_dir)):
    path = shard_plan.relative(clip.frames, base)
    if options.subset and not path.startswith(options.subset):
      continue
    if options.detect_faces and clip.refused == boxes.NEEDED:
      clip = dataclasses.replace(clip, refused='')
    if options.open_speakers and clip.speaker.startswith(options.open_speakers):
      clip = dataclasses.replace(clip, open_set=True)
    yield clip


def _pass(
    runner: runner_lib.PipelineRunner, flags: pipeline_options.PipelineOptions,
    parts: Sequence[shard_plan.Slice], do: beam.DoFn) -> None:
  """Does something to each shard, and logs Beam's counters.

  One element, one shard, and what comes of it is noted beside the plan: there
  is nothing to shuffle, to tag or to combine that a runner might not know.
  """
  if not parts:
    return
  with beam_options.explained(runner), beam.Pipeline(
      runner=runner, options=flags) as pipeline:
    _ = (pipeline
         | 'Shards' >> beam.Create(parts)
         | type(do).__name__ >> beam.ParDo(do))
  _log_counters(pipeline.result)


def _check_outcome(place: shard_file.Place, files: Any) -> None:
  """Raises OSError if some shards could not be written."""
  failed = shard_file.failures(place, files)
  if failed:
    first = min(failed, key=lambda failure: failure['file'])
    logging.error('%s:\n%s', first['file'], first['trace'])
    raise OSError(
        f'{storage.join(place.output, first["file"])} and {len(failed) - 1} '
        f'other shards could not be written: {first["text"]}; mend that and '
        'run the same command again: finished shards are kept')


def _selection(name: str, options: Options) -> tuple[float, int]:
  """Share of open speakers and least frames of one, chosen or the dataset's."""
  spec = dataset_lib.get(name)
  share, least = options.open_share, options.min_frames_per_speaker
  return (spec.open_share if share is None else share,
          spec.min_frames_per_speaker if least is None else least)


def _base(input_dir: str) -> str:
  """The folder that paths are relative to."""
  if input_dir.endswith(('.csv', '.zip')):
    return input_dir.rpartition('/')[0] or '.'
  return input_dir.rstrip('/') or '/'


@contextlib.contextmanager
def _locked(output_dir: str) -> Iterator[None]:
  """Keeps a second run out of a local folder, which is made if need be."""
  if storage.is_remote(output_dir):
    yield
    return
  os.makedirs(output_dir, exist_ok=True)
  lock = filelock.FileLock(storage.join(output_dir, '.lock'), timeout=0)
  try:
    lock.acquire()
  except filelock.Timeout:
    raise manifest_lib.DataError(
        f'{output_dir}: another run is writing there; wait for it or give '
        'another folder') from None
  try:
    yield
  finally:
    lock.release()


def _assign(
    clips: Sequence[clip_files.Clip], share: float
) -> list[tuple[str, clip_files.Clip]]:
  """`assign_splits` with an error for people."""
  try:
    return dataset_lib.assign_splits(clips, share)
  except ValueError as e:
    raise manifest_lib.DataError(str(e)) from None


def _log_counters(result: Any) -> None:
  """Logs Beam's counters; a job service reports none for one at 0."""
  with contextlib.suppress(NotImplementedError):  # DaskRunner has none
    for counter in result.metrics().query()['counters']:
      logging.info(
          'prepare: %s %d', counter.key.metric.name, counter.result or 0)
