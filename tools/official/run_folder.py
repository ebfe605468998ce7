"""Published weights -> a run folder that commands take for a trained one.

`finetune` gets the tuned generator (E_h was not published), `low_res` E_l,
`fusion` F and the E_a tuned with it. The E_a of Table 1 (d), before fusion,
was not published either. Everything is checked before anything is written;
the folder appears under its name when it is complete.
"""

from __future__ import annotations

import dataclasses
import gc
import os
import pathlib
import shutil
from typing import Any, Callable, Mapping, Sequence
import uuid

import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf import durable
from earsr_tf import presets
from earsr_tf.stages import networks as networks_lib
from earsr_tf.training import checkpoints
from tools.official import checkpoint as checkpoint_lib
from tools.official import layout
from tools.official import snapshot as snapshot_lib
from tools.official import weights as weights_lib

RECORD = 'imported.json'
_BYTES = 4  # of a float32


@dataclasses.dataclass(frozen=True)
class _Part:
  """One network of the run folder and where its weights come from."""
  stage: str
  network: str
  build: Callable[[config_lib.ModelConfig], tf.keras.Model]
  slots: Callable[[tf.keras.Model], weights_lib.Slots]
  source: weights_lib.Weights
  scopes: tuple[str, ...]


def write(checkpoint: str, run_root: str, snapshot: str = '',
          config: config_lib.Config | None = None) -> dict[str, Any]:
  """Writes a run folder from the authors' files.

  Args:
    checkpoint: Prefix of their Saver checkpoint.
    run_root: Folder to make: absent or empty.
    snapshot: Their StyleGAN snapshot; '' does without stage `generator`.
    config: What the weights must fit; None: the preset `paper`.

  Returns:
    What is in the folder's imported.json: tensors per network, `used` and
    `ignored` names, the generator's `copy`, `absent` optional names.

  Raises:
    WeightsError: If a file is unusable, unfit or refused.
    OSError: If the folder cannot be written; nothing is left behind.
  """
  config = config or presets.get('paper')
  _check_target(run_root)
  source = checkpoint_lib.open_checkpoint(checkpoint)
  copy = checkpoint_lib.newest_copy(source)
  parts = _published(source, copy)
  if snapshot:
    parts += _pretrained(snapshot_lib.read(snapshot))
  record = {
      'checkpoint': os.path.basename(checkpoint),
      'snapshot': os.path.basename(snapshot),
      'copy': f'G_mapping{copy}, G_synthesis{copy}',
      **_check(parts, source, config.model)}
  _check_space(run_root, record.pop('weights') * _BYTES)
  _publish(parts, run_root, config, record)
  return record


def _published(source: weights_lib.Weights, copy: str) -> list[_Part]:
  """The networks of the checkpoint."""
  mapping, synthesis = f'G_mapping{copy}', f'G_synthesis{copy}'
  return [
      _Part('finetune', 'generator', networks_lib.generator,
            lambda g: layout.generator(g, mapping, synthesis), source,
            (f'{mapping}/', f'{synthesis}/')),
      _Part('low_res', 'low_res_encoder', networks_lib.low_res_encoder,
            layout.low_res_encoder, source, (f'{layout.LOW_RES_SCOPE}/',)),
      _Part('fusion', 'audio_encoder', networks_lib.audio_encoder,
            layout.audio_encoder, source, (f'{layout.AUDIO_SCOPE}/',)),
      _Part('fusion', 'fusion', networks_lib.fusion, layout.fusion, source,
            (f'{layout.FUSION_SCOPE}/',))]


def _pretrained(snapshot: snapshot_lib.Snapshot) -> list[_Part]:
  """The networks of stage `generator`."""
  def slots(network: tf.keras.Model) -> weights_lib.Slots:
    """Where the variables of G are in a snapshot."""
    return layout.generator(network, 'mapping', 'synthesis', 'dlatent_avg')
  return [
      _Part('generator', 'generator', networks_lib.generator, slots,
            snapshot.generator, ('',)),
      _Part('generator', 'generator_ema', networks_lib.generator, slots,
            snapshot.generator_ema, ('',)),
      _Part('generator', 'discriminator', networks_lib.discriminator,
            layout.discriminator, snapshot.discriminator, ('',))]


def _check(parts: Sequence[_Part], source: weights_lib.Weights,
           model: config_lib.ModelConfig) -> dict[str, Any]:
  """Checks all parts in a graph, where a variable takes no memory."""
  used, absent, networks, count = {}, [], {}, 0
  for part in parts:
    with tf.Graph().as_default():
      slots = part.slots(part.build(model))
    owner = f'{part.stage}/{part.network}'
    missing = weights_lib.check(slots, part.source, owner, part.scopes)
    absent += missing
    networks[owner] = len(slots) - len(missing)
    count += sum(slot.variable.shape.num_elements()
                 for slot in slots.values())
    if part.source is source:
      used |= {name: owner for name in slots if name not in missing}
  return {
      'weights': count, 'networks': networks, 'used': used, 'absent': absent,
      'ignored': sorted(set(source.shapes) - set(used))}


def _publish(parts: Sequence[_Part], run_root: str,
             config: config_lib.Config, record: Mapping[str, Any]) -> None:
  """Writes beside the target and renames what is complete."""
  target = pathlib.Path(os.path.abspath(run_root))
  target.parent.mkdir(parents=True, exist_ok=True)
  partial = target.with_name(
      f'.{target.name}.partial-{os.getpid()}-{uuid.uuid4().hex[:8]}')
  try:
    partial.mkdir()
    for stage in dict.fromkeys(part.stage for part in parts):
      networks = {part.network: _filled(part, config.model)
                  for part in parts if part.stage == stage}
      checkpoints.save_networks(str(partial), stage, networks, config)
      del networks
      gc.collect()  # Keras models are cycles; the next stage needs the room
    durable.write_json(partial / RECORD, record)
    for path in partial.rglob('*'):
      durable.sync(path)
    os.rename(partial, target)  # an empty folder gives way
    durable.sync(target.parent)
  except tf.errors.OpError as error:
    raise OSError(
        f'--run_root={run_root}: cannot be written '
        f'({str(error).splitlines()[0][:200]})') from error
  finally:
    shutil.rmtree(partial, ignore_errors=True)


def _filled(part: _Part, model: config_lib.ModelConfig) -> tf.keras.Model:
  network = part.build(model)
  weights_lib.fill(part.slots(network), part.source)
  return network


def _check_target(run_root: str) -> None:
  """Refuses a folder that holds something."""
  path = pathlib.Path(run_root)
  if path.is_dir() and any(path.iterdir()) or (
      os.path.lexists(path) and not path.is_dir()):
    raise weights_lib.WeightsError(
        f'--run_root={run_root}: is there already and not an empty folder; '
        'name a new one, so that no trained run is mixed with it', 73)


def _check_space(run_root: str, needed: int) -> None:
  """Refuses a disk that cannot hold the run folder."""
  parent = pathlib.Path(os.path.abspath(run_root)).parent
  while not parent.exists():
    parent = parent.parent
  free = shutil.disk_usage(parent).free
  if free < needed:
    raise weights_lib.WeightsError(
        f'--run_root={run_root}: needs {needed / 1e9:.1f} GB of disk, '
        f'{free / 1e9:.1f} GB are free; name a folder on another disk', 73)
