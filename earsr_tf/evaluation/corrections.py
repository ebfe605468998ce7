"""Rows that --consistency adds: others after a correction of their output.

Beyond the paper. The faithful rows stay as they are; key 'h+' is the 8-bit
output of row 'h' after `ops/consistency`.
"""

from __future__ import annotations

import functools
from typing import Callable, Mapping, Sequence

import tensorflow as tf

from earsr_tf.evaluation import rows as rows_lib
from earsr_tf.ops import consistency as consistency_lib
from earsr_tf.ops import consistency_mode

_NAMES = {**{key: f'({key})' for key in 'cxh'}, 'lapsrn': 'LapSRN 16x',
          'wavelet_srnet': 'W-SRNet 16x'}
# Those that know no more of the original than image_low, and 'output': what
# somebody else's method made of it.
CORRECTED = ('bicubic', 'c', 'x', 'h', 'lapsrn', 'wavelet_srnet', 'output')


def rows(base: Sequence[rows_lib.Row],
         consistency: str) -> tuple[rows_lib.Row, ...]:
  """The rows that a correction adds.

  Args:
    base: Rows without it.
    consistency: 'off', 'exact' or a number of back-projection steps.

  Returns:
    Rows with keys such as 'h+' in the order of `base`; none if off.
  """
  if consistency == consistency_mode.OFF:
    return ()
  text = consistency_mode.describe(consistency)
  return tuple(
      rows_lib.Row(
          f'{row.key}+',
          f'{_NAMES.get(row.key, row.key)} + {text}',
          row.sources)
      for row in base if row.key in CORRECTED)


def apply(outputs: Mapping[str, tf.Tensor], image_low: tf.Tensor,
          consistency: str) -> dict[str, tf.Tensor]:
  """The pictures of the rows that a correction adds.

  Args:
    outputs: Row key -> [B, H, W, 3] uint8.
    image_low: [B, h, w, 3] uint8.
    consistency: 'off', 'exact' or a number of back-projection steps.

  Returns:
    'h+' -> the corrected picture of 'h', and so on; empty if off.
  """
  if consistency == consistency_mode.OFF:
    return {}
  corrected = {}
  for key, image in outputs.items():
    if key in CORRECTED:
      correct = _compiled(
          consistency, tuple(image.shape[1:]), tuple(image_low.shape[1:]))
      corrected[f'{key}+'] = correct(image, image_low)
  return corrected


@functools.lru_cache(maxsize=8)
def _compiled(
    consistency: str, high: tuple[int, int, int], low: tuple[int, int, int],
) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
  """The correction as a graph, for batches of any length: 3 times faster."""
  return tf.function(
      lambda image, image_low: consistency_lib.correct_uint8(
          image, image_low, consistency), autograph=False,
      input_signature=[tf.TensorSpec([None, *high], tf.uint8),
                       tf.TensorSpec([None, *low], tf.uint8)])
