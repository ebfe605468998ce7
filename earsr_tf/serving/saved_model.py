"""Writes a SavedModel version: absent or whole, never half.

Layout of TensorFlow Serving: <dir>/<integer>/. A version is written under a
name that no server takes for one and renamed when complete.
"""

from __future__ import annotations

import os
import pathlib
import shutil
from typing import Any, Callable, Mapping
import uuid

import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf import durable
from earsr_tf.models import super_resolver
from earsr_tf.ops import consistency_mode
from earsr_tf.ops import spectrogram
from earsr_tf.serving import batching
from earsr_tf.serving import export_manifest
from earsr_tf.serving import model_card
from earsr_tf.serving import signatures
from earsr_tf.serving import warm_up
from earsr_tf.stages import networks as networks_lib
from earsr_tf.training import checkpoints

SOURCES = {
    'generator': 'finetune/generator',
    'low_res_encoder': 'low_res/low_res_encoder',
    'audio_encoder': 'fusion/audio_encoder',
    'fusion': 'fusion/fusion'}


def load(
    run_root: str, consistency: str = consistency_mode.OFF,
    precision: str = 'float32', *,
    front_end: Callable[[tf.Tensor], tf.Tensor] = spectrogram.log_spectrogram,
) -> tuple[super_resolver.SuperResolver, int]:
  """Restores the whole model of a run folder.

  Args:
    run_root: Folder of the stages' folders; `finetune`, `low_res` and
      `fusion` must be finished.
    consistency: Correction that becomes part of the model: 'exact' or a
      number of back-projection steps; 'off': that of `model.consistency`.
    precision: As `training.precision`, which itself does not count here.
    front_end: Makes of waveforms what E_a reads.

  Returns:
    The model and the side of its `image_low`.

  Raises:
    CheckpointError: If a stage is not finished or does not fit.
  """
  stages = list(dict.fromkeys(
      source.split('/')[0] for source in SOURCES.values()))
  checkpoints.check_finished(run_root, stages, _preset(run_root))
  configs = {stage: checkpoints.load_config(run_root, stage)
             for stage in stages}
  model = configs['fusion'].model
  for stage, config in configs.items():
    if config.model != model:
      raise checkpoints.CheckpointError(
          f'{run_root}: stages {stage} and fusion were trained with different '
          f'model sections ({run_root}/*/config.json); train one of them '
          'again')
  networks = {
      'generator': networks_lib.generator(model, precision),
      'low_res_encoder': networks_lib.low_res_encoder(model),
      'audio_encoder': networks_lib.audio_encoder(model, precision),
      'fusion': networks_lib.fusion(model, precision)}
  checkpoints.restore_networks(networks, SOURCES, run_root)
  return super_resolver.SuperResolver(
      **networks, code_norm=model.code_norm,
      zero_audio=configs['fusion'].fusion.zero_audio, front_end=front_end,
      consistency=(model.consistency if consistency == consistency_mode.OFF
                   else consistency)), model.low_res_size


def save(model: super_resolver.SuperResolver, low_res_size: int,
         output: str, facts: Mapping[str, Any], *,
         evaluation: str = '') -> pathlib.Path:
  """Writes a model as the next free version of an export folder.

  Args:
    model: Restored model; is folded, see `super_resolver.fold`.
    low_res_size: Side of `image_low`.
    output: Export folder; created when absent.
    facts: Entries of manifest.json that say where the model comes from.
    evaluation: Tables for the model card, in Markdown.

  Returns:
    The version's folder.

  Raises:
    OSError: If the folder cannot be written; nothing is left behind.
  """
  super_resolver.fold(model)
  served = signatures.ServedModel(
      model=model, low_res_size=low_res_size,
      low_res_stretch=facts.get('low_res_stretch', False))
  offered = signatures.signatures(served)

  def write(folder: str) -> None:
    """Fills a version folder."""
    tf.saved_model.save(served, folder, signatures=offered)
    warm_up.write(folder, low_res_size, served.code_shape)
    batching.write(folder)
    model_card.write(
        folder, low_res_size=low_res_size, image_size=served.image_size,
        facts={**facts, 'evaluation': evaluation})

  return publish(write, output, {**facts, 'signatures': sorted(offered)})


def trained_on(run_root: str) -> dict[str, Any]:
  """Entries of manifest.json: what a finished run was trained on, and how."""
  record = checkpoints.load_record(run_root, 'fusion')
  known = {
      'preset': record['config'].get('preset'),
      'training_command': record.get('command'),
      'dataset': record.get('dataset'),
      'data_manifest_sha256': record.get('manifest_sha256')}
  return {name: value for name, value in known.items() if value}


def publish(write: Callable[[str], None], output: str,
            facts: Mapping[str, Any]) -> pathlib.Path:
  """Makes the next free version: a version is either absent or whole.

  Args:
    write: Fills the folder that it is given.
    output: Export folder; created when absent.
    facts: Entries of manifest.json.

  Returns:
    The version's folder.

  Raises:
    OSError: If the folder cannot be written; nothing is left behind.
  """
  base = pathlib.Path(output)
  base.mkdir(parents=True, exist_ok=True)
  partial = base / f'.partial-{os.getpid()}-{uuid.uuid4().hex[:8]}'
  try:
    partial.mkdir()
    write(str(partial))
    export_manifest.write(partial, facts)
    return _rename(partial, base)
  finally:
    shutil.rmtree(partial, ignore_errors=True)


def _rename(partial: pathlib.Path, base: pathlib.Path) -> pathlib.Path:
  """Renames a complete folder to the next free number."""
  number = max(export_manifest.versions(base), default=0) + 1
  while True:
    target = base / str(number)
    try:
      os.rename(partial, target)
    except OSError:
      if not target.exists():
        raise
      number += 1  # taken meanwhile, or no folder
    else:
      durable.sync(base)
      return target


def _preset(run_root: str) -> str:
  """The preset of any stage of the run, for the command to type."""
  for stage in config_lib.STAGES:
    if (checkpoints.stage_dir(run_root, stage) / 'config.json').exists():
      return checkpoints.load_config(run_root, stage).preset
  return 'demo'
