"""Rows of other methods, where their stages have been trained (Table 2)."""

from __future__ import annotations

from typing import Callable, Mapping

import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf.evaluation import rows as rows_lib
from earsr_tf.ops import pixels
from earsr_tf.stages import lapsrn
from earsr_tf.stages import low_res
from earsr_tf.stages import networks as networks_lib
from earsr_tf.stages import wavelet_srnet
from earsr_tf.training import checkpoints

_NETWORKS = {'lapsrn_x4': 'lapsrn', 'lapsrn': 'lapsrn',
             'wavelet_srnet': 'wavelet_srnet'}
ROWS = tuple(
    rows_lib.Row(name, label, (f'{name}/{_NETWORKS[name]}',))
    for name, label in (
        ('lapsrn_x4', 'LapSRN 4x, sees 32x32'), ('lapsrn', 'LapSRN 16x'),
        ('wavelet_srnet', 'W-SRNet 16x')))


class Comparators:
  """Makes the pictures of the comparators that a run folder holds.

  Attributes:
    rows: Of those that are trained, in the tables' order; may be empty.
    skipped: row key -> why it cannot be made, of those that were begun.
  """

  def __init__(self, *, configs: Mapping[str, config_lib.Config],
               networks: Mapping[str, tf.keras.Model],
               skipped: Mapping[str, str]) -> None:
    """Takes restored networks.

    Args:
      configs: Stage -> the configuration it was trained with.
      networks: Stage -> network.
      skipped: Stage -> why it has none.
    """
    self.rows = tuple(row for row in ROWS if row.key in networks)
    self.skipped = dict(skipped)
    self._make = {
        row.key: _compiled(row.key, configs[row.key], networks[row.key])
        for row in self.rows}

  def pictures(self, image_high: tf.Tensor) -> dict[str, tf.Tensor]:
    """Row key -> [B, S, S, 3] uint8, of faces that are reduced first.

    Args:
      image_high: [B, S, S, 3] float32 in [-1, 1].
    """
    return {key: make(image_high) for key, make in self._make.items()}


def load(run_root: str, model: config_lib.ModelConfig) -> Comparators:
  """Restores the comparators of a run folder, if there are any.

  Args:
    run_root: Folder of the stages' folders.
    model: What the other stages were trained with.

  Raises:
    CheckpointError: If one was trained for other sizes of images, or a
      checkpoint cannot be restored.
  """
  configs, networks, skipped = {}, {}, {}
  for name in config_lib.COMPARATORS:
    if not checkpoints.is_finished(run_root, name):
      if (checkpoints.stage_dir(run_root, name) / 'config.json').exists():
        skipped[name] = f'stage {name} is not finished'
      continue
    configs[name] = config = checkpoints.load_config(run_root, name)
    _check_sizes(run_root, name, config.model, model)
    networks[name] = (
        networks_lib.wavelet_srnet(config) if name == 'wavelet_srnet'
        else networks_lib.lapsrn(config, name))
    own = _NETWORKS[name]
    checkpoints.restore_networks(
        {own: networks[name]}, {own: f'{name}/{own}'}, run_root)
  return Comparators(configs=configs, networks=networks, skipped=skipped)


def _check_sizes(run_root: str, name: str, own: config_lib.ModelConfig,
                 model: config_lib.ModelConfig) -> None:
  for field in ('image_size', 'low_res_size', 'low_res_stretch'):
    if getattr(own, field) != getattr(model, field):
      raise checkpoints.CheckpointError(
          f'{run_root}/{name}: was trained with model.{field}='
          f'{getattr(own, field)}, the other stages with '
          f'{getattr(model, field)}; train it again: python -m earsr_tf.train '
          f'--stage={name} --run_root={run_root} --restart')


def _compiled(name: str, config: config_lib.Config, network: tf.keras.Model
              ) -> Callable[[tf.Tensor], tf.Tensor]:
  """image_high [B, S, S, 3] in [-1, 1] -> the method's picture, uint8."""
  def make(image_high: tf.Tensor) -> tf.Tensor:
    """Reduces faces and lets the method enlarge them."""
    if name == 'wavelet_srnet':
      low = low_res.image_low(config, image_high)
      return pixels.to_uint8(wavelet_srnet.super_resolve(network, low))
    low = lapsrn.image_low(config, name, image_high)
    return pixels.to_uint8(lapsrn.super_resolve(network, low))
  size = config.model.image_size
  return tf.function(make, autograph=False, input_signature=[
      tf.TensorSpec([None, size, size, 3])])
