"""Published weights -> a run folder that commands take for a trained one.

`finetune` gets the tuned generator (E_h was not published), `low_res` E_l,
`fusion` F and the E_a tuned with it. The E_a of Table 1 (d), before fusion,
was not published either. Everything is checked before anything is written;
the folder appears under its name when it is complete.
"""

from __future__ import annotations

import os
import pathlib
from typing import Any

import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf import presets
from earsr_tf.stages import networks as networks_lib
from tools.official import checkpoint as checkpoint_lib
from tools.official import layout
from tools.official import parts as parts_lib
from tools.official import snapshot as snapshot_lib
from tools.official import weights as weights_lib

RECORD = parts_lib.RECORD


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
    parts += pretrained(snapshot_lib.read(snapshot))
  checked = parts_lib.check(parts, config.model)
  used = {name: owner for owner, names in checked.used.items()
          for name in names if not owner.startswith('generator/')}
  record = {
      'checkpoint': os.path.basename(checkpoint),
      'snapshot': os.path.basename(snapshot),
      'copy': f'G_mapping{copy}, G_synthesis{copy}',
      'networks': checked.networks, 'used': used, 'absent': checked.absent,
      'ignored': sorted(set(source.shapes) - set(used))}
  parts_lib.check_space(run_root, checked.weights)
  parts_lib.publish(parts, run_root, config, record)
  return record


def _published(source: weights_lib.Weights,
               copy: str) -> list[parts_lib.Part]:
  """The networks of the checkpoint."""
  mapping, synthesis = f'G_mapping{copy}', f'G_synthesis{copy}'
  return [
      parts_lib.Part(
          'finetune', 'generator', networks_lib.generator,
          lambda g: layout.generator(g, mapping, synthesis), source,
          (f'{mapping}/', f'{synthesis}/')),
      parts_lib.Part(
          'low_res', 'low_res_encoder', networks_lib.low_res_encoder,
          layout.low_res_encoder, source, (f'{layout.LOW_RES_SCOPE}/',)),
      parts_lib.Part(
          'fusion', 'audio_encoder', networks_lib.audio_encoder,
          layout.audio_encoder, source, (f'{layout.AUDIO_SCOPE}/',)),
      parts_lib.Part(
          'fusion', 'fusion', networks_lib.fusion, layout.fusion, source,
          (f'{layout.FUSION_SCOPE}/',))]


def pretrained(snapshot: snapshot_lib.Snapshot,
               higher: int = 0) -> list[parts_lib.Part]:
  """The networks of stage `generator`.

  Args:
    snapshot: G, D and Gs.
    higher: How many resolutions they have above those of the configuration.
  """
  def slots(network: tf.keras.Model) -> weights_lib.Slots:
    """Where the variables of G are in a snapshot."""
    return layout.generator(
        network, 'mapping', 'synthesis', 'dlatent_avg', higher)
  return [
      parts_lib.Part('generator', 'generator', networks_lib.generator, slots,
                     snapshot.generator, ('',)),
      parts_lib.Part('generator', 'generator_ema', networks_lib.generator,
                     slots, snapshot.generator_ema, ('',)),
      parts_lib.Part('generator', 'discriminator', networks_lib.discriminator,
                     lambda network: layout.discriminator(network, higher),
                     snapshot.discriminator, ('',))]


def _check_target(run_root: str) -> None:
  """Refuses a folder that holds something."""
  path = pathlib.Path(run_root)
  if path.is_dir() and any(path.iterdir()) or (
      os.path.lexists(path) and not path.is_dir()):
    raise weights_lib.WeightsError(
        f'--run_root={run_root}: is there already and not an empty folder; '
        'name a new one, so that no trained run is mixed with it', 73)
