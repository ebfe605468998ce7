"""Targets of frozen encoders, computed once and kept (Eqs. 3-5).

They lie in <run_root>/targets/<entry>/<split>; `data/target_files.py` is their
format. All stages of a run root share them, and several processes may ask for
them at once: one computes, the others wait. What was made from another E_h,
other data or another model is made again.
"""

from __future__ import annotations

import dataclasses
import hashlib
import pathlib
import shutil
import time
from typing import Callable, Iterator, Sequence

from absl import logging
import filelock
import numpy as np
import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf.data import batching
from earsr_tf.data import manifest as manifest_lib
from earsr_tf.data import mixture as mixture_lib
from earsr_tf.data import target_files as targets_lib
from earsr_tf.stages import stage as stage_lib
from earsr_tf.training import checkpoints

FOLDER = 'targets'  # below the run root
_BATCH_SIZE = 32
_LOG_SECONDS = 10.0
_DIGITS = 12  # of the sha256 of one of several manifests
_REMEDY = ('give a --run_root with room that can be written, or compute them '
           'in every step with --set=training.cached_targets=false')


def ensure(stage: stage_lib.Stage, config: config_lib.Config, *,
           run_root: str, data: mixture_lib.Data
           ) -> tuple[targets_lib.Targets, ...]:
  """The targets that a stage reads; computes those that are not there.

  Args:
    stage: Its `targets` and `splits` say what is needed.
    config: Its model section is part of what targets depend on.
    run_root: Folder of all stages.
    data: Folder of the shards, or several; each of several has a folder of its
      own below the target's.

  Returns:
    What `pipeline.TrainingData` takes; empty if the stage reads none.

  Raises:
    CheckpointError: If the frozen networks cannot be restored.
    DataError: If a shard is damaged.
    TargetsError: If there is no room or the folder cannot be written.
  """
  manifests = mixture_lib.of(data).manifests
  found = []
  for target in stage.targets:
    if target.name in stage.inputs:
      parts = [
          _ensure(target, stage, config, run_root, m,
                  '' if len(manifests) == 1 else m.sha256[:_DIGITS])
          for m in manifests]
      found.append(dataclasses.replace(parts[0], files={
          shard: path for part in parts for shard, path in part.files.items()}))
  return tuple(found)


@dataclasses.dataclass(frozen=True)
class _Work:
  """How the files of a target are made."""
  target: stage_lib.Target
  identity: targets_lib.Identity
  manifest: manifest_lib.Manifest
  given: tuple[targets_lib.Targets, ...]
  encode: Callable[..., tf.Tensor]  # compiled `target.compute`


def _ensure(target: stage_lib.Target, stage: stage_lib.Stage,
            config: config_lib.Config, run_root: str,
            manifest: manifest_lib.Manifest, subfolder: str
            ) -> targets_lib.Targets:
  """One target of a stage, of one folder of data."""
  networks = dict(target.build())
  checkpoints.restore_networks(networks, target.restores, run_root)
  given = () if target.given is None else (
      _ensure(target.given, stage, config, run_root, manifest, subfolder),)
  size = manifest.image_size
  encode = tf.function(
      lambda *inputs: target.compute(networks, *inputs), autograph=False,
      input_signature=[
          tf.TensorSpec([None, *shape])
          for shape in ((size, size, 3), *(t.shape for t in given))])
  work = _Work(
      target, _identity(target, networks, config, manifest), manifest, given,
      encode)
  folder = pathlib.Path(run_root) / FOLDER / target.name / subfolder
  files: dict[str, str] = {}
  try:
    folder.mkdir(parents=True, exist_ok=True)
    with _lock(folder):
      for split in stage.splits:
        if manifest.splits[split]:
          files.update(_split(work, folder / split, split))
  except OSError as error:
    raise targets_lib.TargetsError(
        f'{folder}: targets cannot be written ({error.strerror or error}); '
        f'{_REMEDY}') from error
  return targets_lib.Targets(target.name, target.shape, files)


def _identity(target: stage_lib.Target, networks: stage_lib.Networks,
              config: config_lib.Config, manifest: manifest_lib.Manifest
              ) -> dict[str, str]:
  """All that the target depends on; networks by their very weights."""
  model = dataclasses.asdict(config.model)
  return {
      'target': target.name, 'data': manifest.sha256,
      **{source: _digest(networks[name])
         for name, source in target.restores.items()},
      **{f'model.{name}': str(value) for name, value in model.items()}}


def _digest(network: tf.keras.Model) -> str:
  """sha256 of shapes and weights, in the network's own order."""
  digest = hashlib.sha256()
  for variable in network.variables:
    digest.update(str(variable.shape).encode())
    digest.update(np.ascontiguousarray(variable.numpy()))
  return digest.hexdigest()


def _lock(folder: pathlib.Path) -> filelock.BaseFileLock:
  """Holds the folder's lock; the system frees it if this process dies."""
  lock = filelock.FileLock(str(folder / '.lock'))
  try:
    return lock.acquire(timeout=0)
  except filelock.Timeout:
    logging.info('targets: another process is at work in %s; waiting', folder)
    return lock.acquire()


def _split(work: _Work, folder: pathlib.Path, split: str) -> dict[str, str]:
  """The files of a split, found or made: shard -> path."""
  shards = work.manifest.splits[split]
  try:
    return targets_lib.find(folder, shards, work.identity)
  except targets_lib.StaleError as reason:
    logging.info('targets: %s; computing %s of %s', reason, work.target.name,
                 split)
  missing = targets_lib.begin(folder, shards, work.identity)
  _check_room(work, folder, split, missing)
  began = time.monotonic()
  progress = _Progress(name=work.target.name, split=split,
                       total=sum(s.records for s in missing))
  for shard in missing:
    targets_lib.write_file(
        targets_lib.path_of(folder, shard.file, work.identity),
        _codes(work, shard, progress))
  targets_lib.finish(folder, shards, work.identity)
  logging.info('targets: %s of %s: %d clips, %.1f s', work.target.name, split,
               progress.total, time.monotonic() - began)
  return targets_lib.find(folder, shards, work.identity)


def _check_room(work: _Work, folder: pathlib.Path, split: str,
                shards: Sequence[manifest_lib.Shard]) -> None:
  """Raises TargetsError if the disk has no room for the codes of `shards`."""
  needed = (sum(s.records for s in shards) * work.manifest.frames_per_clip
            * targets_lib.frame_bytes(work.target.shape))
  free = shutil.disk_usage(folder).free
  if needed > free:
    raise targets_lib.TargetsError(
        f'{folder}: {work.target.name} of {split} needs {needed} bytes, {free} '
        f'are free; {_REMEDY}')


class _Progress:
  """Logs how many clips are done, every ten seconds."""

  def __init__(self, *, name: str, split: str, total: int):
    """Starts at none of `total` clips."""
    self._what = f'{name} of {split}'
    self.total = total
    self._done = 0
    self._next = time.monotonic() + _LOG_SECONDS

  def advance(self) -> None:
    """One clip is done."""
    self._done += 1
    if time.monotonic() >= self._next:
      self._next = time.monotonic() + _LOG_SECONDS
      logging.info('targets: %s: %d of %d clips', self._what, self._done,
                   self.total)


def _codes(work: _Work, shard: manifest_lib.Shard, progress: _Progress
           ) -> Iterator[np.ndarray]:
  """For each record of a shard the codes of its frames, [n, *shape]."""
  current, rows, written = 0, [], 0
  try:
    for numbers, *inputs in batching.frames(
        work.manifest, shard, _BATCH_SIZE, work.given):
      codes = work.encode(*inputs).numpy()
      for number, row in zip(numbers.numpy(), codes):
        if number != current:
          yield np.stack(rows)
          progress.advance()
          written += 1
          current, rows = number, []
        rows.append(row)
  except (tf.errors.DataLossError, tf.errors.InvalidArgumentError) as error:
    raise manifest_lib.DataError(
        f'{work.manifest.data_dir}/{shard.file}: damaged '
        f'({type(error).__name__}); prepare the data again') from error
  yield np.stack(rows)
  progress.advance()
  if written + 1 != shard.records:
    raise manifest_lib.DataError(
        f'{work.manifest.data_dir}/{shard.file}: has {written + 1} records, '
        f'its manifest says {shard.records}; prepare the data again')
