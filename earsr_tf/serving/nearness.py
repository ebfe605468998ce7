"""How near the pictures of another form of a model are to its own.

Compared are pictures of clips that nothing was trained on.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from earsr_tf.data import batching
from earsr_tf.data import keys
from earsr_tf.evaluation import metrics
from earsr_tf.ops import pixels
from earsr_tf.serving import export_manifest

_MOST_DB = 99.0  # equal pictures would be infinitely near
_SPLITS = ('closed_test', 'open_gallery', 'open_test')
_BATCH, _BATCHES = 8, 8


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


def check_pictures(ours: np.ndarray, exact: np.ndarray, *, least_psnr: float,
                   what: str, advice: str) -> tuple[float, int]:
  """Compares pictures with those of the model in float32.

  Args:
    ours: [N, S, S, 3] uint8.
    exact: The same in float32.
    least_psnr: Of the mean, in dB; less is refused.
    what: The flag that asked for the other form, for the refusal.
    advice: What to do instead.

  Returns:
    Mean over the pictures of the PSNR in dB, at most 99 each, and the
    largest difference in levels.

  Raises:
    ExportError: If the mean is below `least_psnr`.
  """
  psnr = float(np.minimum(metrics.psnr(ours, exact), _MOST_DB).mean())
  if not psnr >= least_psnr:
    raise export_manifest.ExportError(
        f'{what}: the pictures are {psnr:.1f} dB from those of the model in '
        f'float32 (mean of {len(ours)}), and less than {least_psnr:.0f} dB '
        f'would show; {advice}')
  return psnr, int(np.abs(ours.astype(int) - exact).max())
