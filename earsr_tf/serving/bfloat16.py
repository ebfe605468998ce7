"""Exports whose products are in bfloat16: where they are of use, and how near.

E_l, the mapping network, styles and norms stay in float32. A CPU without
AVX512_BF16 would convert every value and be slower than in float32.
"""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import tensorflow as tf

from earsr_tf.models import super_resolver
from earsr_tf.serving import export_manifest
from earsr_tf.serving import nearness
from earsr_tf.serving import saved_model
from earsr_tf.training import checkpoints

LEAST_PSNR = 40.0  # dB to the float32 picture; less is refused
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
  inputs = nearness.samples(
      data_dir, low_res_size,
      checkpoints.load_config(run_root, 'fusion').model.low_res_stretch)
  exact = pictures(model, inputs)
  del model  # so that there are never two in memory
  model, _ = saved_model.load(run_root, consistency, 'mixed_bfloat16')
  super_resolver.fold(model)
  psnr, _ = nearness.check_pictures(
      pictures(model, inputs), exact, least_psnr=LEAST_PSNR,
      what='--precision=bf16', advice='export with --precision=float32')
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


def pictures(model: super_resolver.SuperResolver,
             inputs: list[tuple[tf.Tensor, tf.Tensor]]) -> np.ndarray:
  """What a model makes of `nearness.samples`: [N, S, S, 3] uint8."""
  return np.concatenate([
      model(image_low, waveform).numpy() for image_low, waveform in inputs])
