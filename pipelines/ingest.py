"""Clips -> sealed shards, on Apache Beam (paper, section 4.1; design, 4).

Only names and paths cross the shuffle: they are grouped by shard, and one DoFn
decodes and writes a whole shard in the order of the hashes of its keys, under a
temporary name. `manifest.json` is written last. The same input gives the same
bytes, whatever the number of workers; what cannot be decoded goes to
`rejects.jsonl` with a reason.

The runner is named explicitly: Beam's default tries to download a program.
"""

from __future__ import annotations

import collections
import dataclasses
import json
import os
import pathlib
import re
from typing import Any, Sequence

from absl import logging
import apache_beam as beam
from apache_beam.options import pipeline_options
from apache_beam.runners.portability import fn_api_runner

from earsr_tf.data import dataset as dataset_lib
from earsr_tf.data import manifest as manifest_lib
from pipelines import shard as shard_lib

Options = shard_lib.Options

_OURS = re.compile(
    r'(\w+-\d{5}-of-\d{5}\.tfrecord|manifest\.json|rejects\.jsonl)(\.partial)?')


def run(
    input_dir: str, output_dir: str, dataset: str = '',
    options: Options = Options()) -> manifest_lib.Manifest:
  """Prepares a folder of clips.

  Args:
    input_dir: What the dataset's `list_clips` reads.
    output_dir: Absent, empty, or what an interrupted run left.
    dataset: Name of a dataset; '' chooses by what lies in the folder.
    options: See `Options`.

  Returns:
    The manifest of the finished data.

  Raises:
    DataError: If there is nothing to prepare, every clip was refused, or
      `output_dir` holds finished data or something else.
    OSError: If `output_dir` cannot be written.
    ValueError: If the dataset or an option is unknown.
  """
  name = dataset or guess_dataset(input_dir)
  jobs = plan(input_dir, name, options)
  _clear(pathlib.Path(output_dir), options.overwrite)
  try:
    _run_beam(jobs, input_dir, output_dir, name, options)
  except RuntimeError as e:  # how Beam hands on what a step has raised
    if isinstance(e.__context__, OSError):
      raise e.__context__ from None
    raise
  if not (pathlib.Path(output_dir) / manifest_lib.FILE_NAME).exists():
    raise manifest_lib.DataError(
        f'{input_dir}: all {len(jobs)} clips were refused; the reasons are in '
        f'{output_dir}/{manifest_lib.REJECTS_NAME}')
  return manifest_lib.read_manifest(output_dir)


def guess_dataset(input_dir: str) -> str:
  """Which dataset a folder holds, by its files."""
  names = {p.name for p in pathlib.Path(input_dir).glob('*.[ct]sv')}
  if 'attributes.csv' in names:
    return 'synthetic'
  return 'pairs' if 'MANIFEST.tsv' in names else 'voxceleb2'


def plan(
    input_dir: str, name: str, options: Options
) -> list[tuple[tuple[str, int], dataset_lib.Clip]]:
  """Lists the clips and gives each its (split, shard number).

  Raises:
    DataError: If there are no clips, or two have one name.
    ValueError: If the dataset is unknown or an option is not positive.
  """
  for field in ('frames_per_clip', 'image_size', 'shards', 'workers'):
    if getattr(options, field) < 1:
      raise ValueError(
          f'{field}={getattr(options, field)} must be at least 1')
  spec = dataset_lib.get(name)
  share = spec.open_share if options.open_share is None else options.open_share
  speakers = collections.defaultdict(list)
  for clip in spec.list_clips(input_dir):
    path = os.path.relpath(clip.frames, input_dir)
    if options.subset and not path.startswith(options.subset):
      continue
    if options.open_speakers and clip.speaker.startswith(options.open_speakers):
      clip = dataclasses.replace(clip, open_set=True)
    speakers[clip.speaker].append(clip)
  if not speakers:
    raise manifest_lib.MissingDataError(
        f'{input_dir}: no clip begins with {" or ".join(options.subset)}; '
        'check the subset')
  jobs = []
  for clips in speakers.values():
    for split, clip in _assign(clips, share):
      number = dataset_lib.name_hash(clip.key) % options.shards
      jobs.append(((split, number), clip))
  return jobs


def _run_beam(
    jobs: Sequence[tuple[tuple[str, int], dataset_lib.Clip]],
    input_dir: str, output_dir: str, name: str, options: Options) -> None:
  """Decodes, writes and seals."""
  with beam.Pipeline(
      runner=fn_api_runner.FnApiRunner(),
      options=pipeline_options.PipelineOptions([])) as pipeline:
    _ = (
        pipeline
        | 'Clips' >> beam.Create(jobs)
        | 'GroupByShard' >> beam.GroupByKey()
        | 'WriteShard' >> beam.ParDo(
            shard_lib.WriteShard(
                input_dir=input_dir, output_dir=output_dir, options=options,
                total=len(jobs)))
        | 'Collect' >> beam.combiners.ToList()
        | 'Seal' >> beam.Map(_seal, output_dir, name, options))
  _log_counters(pipeline.result)


def _assign(
    clips: Sequence[dataset_lib.Clip], share: float
) -> list[tuple[str, dataset_lib.Clip]]:
  """`assign_splits` with an error for people."""
  try:
    return dataset_lib.assign_splits(clips, share)
  except ValueError as e:
    raise manifest_lib.DataError(str(e)) from None


def _clear(output: pathlib.Path, overwrite: bool) -> None:
  """Makes the folder and removes what an interrupted run left there."""
  if output.exists() and not output.is_dir():
    raise manifest_lib.DataError(f'{output} is a file; give a folder')
  output.mkdir(parents=True, exist_ok=True)
  names = sorted(p.name for p in output.iterdir())
  foreign = [n for n in names if not _OURS.fullmatch(n)]
  if foreign:
    raise manifest_lib.DataError(
        f'{output} holds other files ({foreign[0]}); give an empty folder')
  if manifest_lib.FILE_NAME in names and not overwrite:
    raise manifest_lib.DataError(
        f'{output} holds finished data; give another folder or add '
        '--overwrite')
  # The manifest goes first: without it nothing looks finished.
  for name in sorted(names, key=lambda n: n != manifest_lib.FILE_NAME):
    (output / name).unlink()


def _seal(
    written: Sequence[shard_lib.Written], output_dir: str, name: str,
    options: Options) -> None:
  """Writes rejects.jsonl and, if there is any record, manifest.json."""
  rejects = sorted(
      (r for w in written for r in w.rejects), key=lambda r: r['clip'])
  path = pathlib.Path(output_dir) / manifest_lib.REJECTS_NAME
  partial = path.with_name(f'{path.name}.partial')
  partial.write_text(
      ''.join(json.dumps(r, sort_keys=True) + '\n' for r in rejects), 'utf-8')
  os.replace(partial, path)
  shards = {split: sorted(
      (w.shard for w in written if w.split == split and w.shard),
      key=lambda s: s['file']) for split in manifest_lib.SPLITS}
  speakers = {split: sorted(
      {s for w in written if w.split == split for s in w.speakers})
      for split in manifest_lib.SPLITS}
  if not any(shards.values()):
    return
  manifest_lib.write_manifest(output_dir, {
      'dataset': name,
      'preprocess': options.fingerprint(),
      'image_size': options.image_size,
      'frames_per_clip': options.frames_per_clip,
      'splits': shards,
      'speakers': speakers,
      'all_speakers': sorted({s for v in speakers.values() for s in v}),
      'rejected': len(rejects)})


def _log_counters(result: Any) -> None:
  """Logs Beam's counters."""
  for counter in result.metrics().query()['counters']:
    logging.info('prepare: %s %d', counter.key.metric.name, counter.result)
