"""Exports whose products are in bfloat16: where they are of use, and how near.

E_l, the mapping network, styles and norms stay in float32. A CPU without
AVX512_BF16 would convert every value and be slower than in float32.
"""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import tensorflow as tf

from earsr_tf.data import batching
from earsr_tf.data import keys
from earsr_tf.evaluation import metrics
from earsr_tf.models import super_resolver
from earsr_tf.ops import pixels
from earsr_tf.serving import export_manifest
from earsr_tf.serving import saved_model
from earsr_tf.training import checkpoints

LEAST_PSNR = 40.0  # dB to the float32 picture; less is refused
_SPLITS = ('closed_test', 'open_gallery', 'open_test')
_BATCH, _BATCHES = 8, 8
_CPU_FLAGS = pathlib.Path('/proc/cpuinfo')


def load(run_root: str, consistency: str, data_dir: str) -> tuple[
    super_resolver.SuperResolver, int, dict[str, Any]]:
  """Restores a run's model for products in bfloat16, if it is near enough.

  Args:
    run_root: See `saved_model.load`.
    consistency: See `saved_model.load`.
    data_dir: Folder of prepared shards, to compare pictures.

  Returns:
    The folded model, the side of its `image_low` and, for manifest.json,
    'psnr_to_float32' (mean, dB) and the number of 'clips'.

  Raises:
    CheckpointError: If a stage is not finished or does not fit.
    DataError: If the data are missing, damaged or hold no such clip.
    ExportError: If the processor has no AVX512_BF16, or pictures differ.
  """
  check_processor()
  model, low_res_size = saved_model.load(run_root, consistency)
  inputs = samples(
      data_dir, low_res_size,
      checkpoints.load_config(run_root, 'fusion').model.low_res_stretch)
  exact = pictures(model, inputs)
  del model  # so that there are never two in memory
  model, _ = saved_model.load(run_root, consistency, 'mixed_bfloat16')
  super_resolver.fold(model)
  psnr = check_pictures(pictures(model, inputs), exact)
  return model, low_res_size, {
      'psnr_to_float32': round(psnr, 1), 'clips': len(exact)}


def check_processor() -> None:
  """Refuses to go on where products in bfloat16 are slow.

  Raises:
    ExportError: If the processor has no AVX512_BF16.
  """
  try:
    names = _CPU_FLAGS.read_text('utf-8').split()
  except OSError:  # not Linux
    names = []
  if 'avx512_bf16' not in names:
    raise export_manifest.ExportError(
        '--precision=bf16: this processor has no AVX512_BF16, so that the '
        'model would be slower than in float32; export with '
        '--precision=float32, or on the machine that is to serve', 1)


def samples(data_dir: str, low_res_size: int, stretch: bool
            ) -> list[tuple[tf.Tensor, tf.Tensor]]:
  """Inputs of up to 64 clips that nothing was trained on.

  Args:
    data_dir: Folder of prepared shards.
    low_res_size: Side s of `image_low`.
    stretch: As `model.low_res_stretch`.

  Returns:
    Batches: image_low [B, s, s, 3] uint8 and waveform [B, 64000] float32.

  Raises:
    DataError: If the data are missing, damaged or hold no such clip.
  """
  dataset = batching.make_eval_dataset(
      data_dir, splits=_SPLITS, inputs=(keys.IMAGE_HIGH, keys.WAVEFORM),
      batch_size=_BATCH)
  return [
      (tf.constant(metrics.degrade_uint8(
          pixels.to_uint8(batch[keys.IMAGE_HIGH]).numpy(), low_res_size,
          stretch=stretch)), batch[keys.WAVEFORM])
      for batch in dataset.take(_BATCHES)]


def pictures(model: super_resolver.SuperResolver,
             inputs: list[tuple[tf.Tensor, tf.Tensor]]) -> np.ndarray:
  """What a model makes of `samples`: [N, S, S, 3] uint8."""
  return np.concatenate([
      model(image_low, waveform).numpy() for image_low, waveform in inputs])


def check_pictures(ours: np.ndarray, exact: np.ndarray) -> float:
  """Compares pictures in bfloat16 with those in float32.

  Args:
    ours: [N, S, S, 3] uint8.
    exact: The same in float32.

  Returns:
    Mean over the pictures of the PSNR in dB, at most 99 each: equal ones
    would be infinitely near.

  Raises:
    ExportError: If that is below `LEAST_PSNR`.
  """
  psnr = float(np.minimum(metrics.psnr(ours, exact), 99.0).mean())
  if psnr < LEAST_PSNR:
    raise export_manifest.ExportError(
        f'--precision=bf16: the pictures are {psnr:.1f} dB from those in '
        f'float32 (mean of {len(ours)}), and less than {LEAST_PSNR:.0f} dB '
        'would show; export with --precision=float32')
  return psnr
