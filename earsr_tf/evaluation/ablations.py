"""Rows (e), (f) and (g) of Table 1: other F's, in run folders of their own.

`tools/ablations.py` trains them in <run_root>/ablations/<name>, where all
stages but `fusion` are those of the run itself.
"""

from __future__ import annotations

import dataclasses
import pathlib

import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf.evaluation import comparators
from earsr_tf.evaluation import rows as rows_lib
from earsr_tf.models import super_resolver
from earsr_tf.ops import pixels
from earsr_tf.ops import spectrogram
from earsr_tf.stages import low_res
from earsr_tf.stages import networks as networks_lib
from earsr_tf.training import checkpoints

FOLDER = 'ablations'  # below the run root
_SOURCES = ('low_res/low_res_encoder', 'fusion/audio_encoder',
            'fusion/fusion', 'finetune/generator')


@dataclasses.dataclass(frozen=True)
class Ablation:
  """A run of stage `fusion` that differs from the main one.

  Attributes:
    name: Its folder.
    row: Of Table 1.
    settings: What differs, as --set has it.
  """
  name: str
  row: rows_lib.Row
  settings: tuple[str, ...]


ABLATIONS = tuple(
    Ablation(name, rows_lib.Row(key, label, _SOURCES), settings)
    for name, key, label, settings in (
        ('one_layer', 'e', '(e) F_1, one layer, + tuned E_a',
         ('model.fusion_layers=1',)),
        ('zero_audio', 'f', '(f) F trained without voice',
         ('fusion.zero_audio=true',)),
        ('fixed_audio_encoder', 'g', '(g) F + fixed E_a',
         ('fusion.audio_rate_scale=0',))))


def run_root(main: str, name: str) -> str:
  """The run folder of an ablation beside the stages of `main`."""
  return str(pathlib.Path(main) / FOLDER / name)


def load(main: str, model: config_lib.ModelConfig
         ) -> comparators.OptionalRows:
  """Restores the ablations of a run folder, if there are any.

  Args:
    main: Folder of the main run's stages.
    model: What those were trained with.

  Raises:
    CheckpointError: If one was trained with other networks than its row says,
      or a checkpoint cannot be restored.
  """
  makes, skipped = {}, {}
  for ablation in ABLATIONS:
    root = run_root(main, ablation.name)
    if checkpoints.is_finished(root, 'fusion'):
      makes[ablation.row] = _restored(root, model)
    elif (checkpoints.stage_dir(root, 'fusion') / 'config.json').exists():
      skipped[ablation.row] = f'ablation {ablation.name} is not finished'
  return comparators.OptionalRows(makes=makes, skipped=skipped)


def _restored(root: str, model: config_lib.ModelConfig) -> comparators.Make:
  """E_l, E_a, F and G of a run folder, as what makes pictures."""
  config = checkpoints.load_config(root, 'fusion')
  if dataclasses.replace(
      config.model, fusion_layers=model.fusion_layers) != model:
    raise checkpoints.CheckpointError(
        f'{root}/fusion: was trained with another model section than the main '
        'run; train it again: python -m tools.ablations --restart')
  networks = {
      'low_res_encoder': networks_lib.low_res_encoder(config.model),
      'audio_encoder': networks_lib.audio_encoder(config.model),
      'fusion': networks_lib.fusion(config.model),
      'generator': networks_lib.generator(config.model)}
  checkpoints.restore_networks(
      networks, {source.split('/')[1]: source for source in _SOURCES}, root)
  resolver = super_resolver.SuperResolver(
      **networks, code_norm=config.model.code_norm,
      zero_audio=config.fusion.zero_audio)
  size = config.model.image_size

  def make(image_high: tf.Tensor, waveform: tf.Tensor) -> tf.Tensor:
    """The picture of F's code, not corrected, as of row (h)."""
    codes = resolver.codes(low_res.image_low(config, image_high), waveform)
    return pixels.to_uint8(resolver.generator(codes['fused']))
  return tf.function(make, autograph=False, input_signature=[
      tf.TensorSpec([None, size, size, 3]),
      tf.TensorSpec([None, spectrogram.NUM_SAMPLES])])
