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


Make = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


class OptionalRows:
  """Makes the pictures of rows that a run folder need not have.

  Attributes:
    rows: Of what is trained, in the tables' order; may be empty.
    skipped: Of what was begun and cannot be made: row -> why.
  """

  def __init__(self, *, makes: Mapping[rows_lib.Row, Make],
               skipped: Mapping[rows_lib.Row, str]) -> None:
    """Takes what makes pictures.

    Args:
      makes: Row -> (image_high, waveform) -> pictures, uint8.
      skipped: Row -> why it has none.
    """
    self.rows = tuple(makes)
    self.skipped = dict(skipped)
    self._makes = dict(makes)

  def __add__(self, other: OptionalRows) -> OptionalRows:
    """The rows of both."""
    return OptionalRows(makes=self._makes | other._makes,
                        skipped=self.skipped | other.skipped)

  def pictures(self, image_high: tf.Tensor, waveform: tf.Tensor
               ) -> dict[str, tf.Tensor]:
    """Row key -> [B, S, S, 3] uint8.

    Args:
      image_high: [B, S, S, 3] float32 in [-1, 1], which is reduced first.
      waveform: [B, 64000] float32 in [-1, 1].
    """
    return {row.key: make(image_high, waveform)
            for row, make in self._makes.items()}


def load(run_root: str, model: config_lib.ModelConfig) -> OptionalRows:
  """Restores the comparators of a run folder, if there are any.

  Args:
    run_root: Folder of the stages' folders.
    model: What the other stages were trained with.

  Raises:
    CheckpointError: If one was trained for other sizes of images, or a
      checkpoint cannot be restored.
  """
  makes, skipped = {}, {}
  for row in ROWS:
    name = row.key
    if not checkpoints.is_finished(run_root, name):
      if (checkpoints.stage_dir(run_root, name) / 'config.json').exists():
        skipped[row] = f'stage {name} is not finished'
      continue
    config = checkpoints.load_config(run_root, name)
    _check_sizes(run_root, name, config.model, model)
    network = (networks_lib.wavelet_srnet(config) if name == 'wavelet_srnet'
               else networks_lib.lapsrn(config, name))
    own = _NETWORKS[name]
    checkpoints.restore_networks(
        {own: network}, {own: f'{name}/{own}'}, run_root)
    makes[row] = _compiled(name, config, network)
  return OptionalRows(makes=makes, skipped=skipped)


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
              ) -> Make:
  """What makes the method's pictures; it hears nothing."""
  def make(image_high: tf.Tensor) -> tf.Tensor:
    """Reduces faces and lets the method enlarge them."""
    if name == 'wavelet_srnet':
      low = low_res.image_low(config, image_high)
      return pixels.to_uint8(wavelet_srnet.super_resolve(network, low))
    low = lapsrn.image_low(config, name, image_high)
    return pixels.to_uint8(lapsrn.super_resolve(network, low))
  size = config.model.image_size
  compiled = tf.function(make, autograph=False, input_signature=[
      tf.TensorSpec([None, size, size, 3])])
  return lambda image_high, waveform: compiled(image_high)
