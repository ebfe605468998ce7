"""Linear floors: what closed forms make of the networks' own inputs.

Rows beside those of Table 1, beyond the paper, for any prepared data. PCA of
the training frames reconstructs a test picture from 64 values and from as many
as the networks' codes have (L x d, or all that the frames allow): beside rows
(a) and (b), which see the original, too. Ridge regression predicts the PCA
code from the 8x8 image, from the voice, and from both: beside (c), (d), (h),
and with another person's or no voice beside (x) and (f0). The images and the
segments are those that the networks get. `floor_fitting` fits them.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Any, Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from earsr_tf.evaluation import floor_marks
from earsr_tf.evaluation import rows as rows_lib
from earsr_tf.ops import principal_components as pca_lib
from earsr_tf.ops import ridge as ridge_lib
from earsr_tf.ops import spectrogram

FEW_VALUES = 64
_LABELS = {
    'ridge_low': 'ridge, 8x8 image', 'ridge_voice': 'ridge, voice',
    'ridge_both': 'ridge, 8x8 image and voice',
    'ridge_x': "ridge, another person's voice",
    'ridge_silent': 'ridge, voice silenced'}
INPUTS = {  # regression -> inputs
    'ridge_low': ('low',), 'ridge_voice': ('voice',),
    'ridge_both': ('low', 'voice')}


@dataclasses.dataclass(frozen=True)
class Floors:
  """Fitted closed forms.

  Attributes:
    rows: All rows, in the tables' order.
    skipped: Key of those that cannot be made -> why.
    facts: JSON-ready: frames, people, values, penalties, seconds.
    components: Of the training frames; None if there are none.
    regressions: 'ridge_low', 'ridge_voice' and 'ridge_both', as far as made.
  """
  rows: tuple[rows_lib.Row, ...]
  skipped: Mapping[str, str]
  facts: Mapping[str, Any]
  components: pca_lib.Components | None = None
  regressions: Mapping[str, ridge_lib.Regression] = dataclasses.field(
      default_factory=dict)

  def pictures(self, truth: np.ndarray, image_low: np.ndarray,
               voice: np.ndarray) -> dict[str, np.ndarray]:
    """The pictures of all rows but 'ridge_x'.

    Args:
      truth: Originals [B, S, S, 3] uint8.
      image_low: [B, s, s, 3] uint8, what the networks get.
      voice: [B, 128], `spectrogram.statistics` of what the networks hear.

    Returns:
      Row key -> [B, S, S, 3] uint8.
    """
    if self.components is None:
      return {}
    shape = truth.shape[1:]
    codes = self.components.encode(floats(truth))
    made = {'pca64': codes[:, :FEW_VALUES], 'pca': codes}
    parts = {'low': floats(image_low), 'voice': voice}
    for key, regression in self.regressions.items():
      made[key] = regression.predict(join(parts, INPUTS[key]))
    if 'ridge_both' in self.regressions:
      both = self.regressions['ridge_both']
      silent = np.tile(both.mean[-voice.shape[1]:], [len(voice), 1])
      made['ridge_silent'] = both.predict(
          join(parts | {'voice': silent}, INPUTS['ridge_both']))
    wanted = [row.key for row in self.rows
              if row.key in made and row.key not in self.skipped]
    return self._decode({key: made[key] for key in wanted}, shape)

  def with_voice(self, image_low: np.ndarray, voice: np.ndarray,
                 shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """The pictures of row 'ridge_x', if it can be made.

    Args:
      image_low: [B, s, s, 3] uint8.
      voice: [B, 128], of other people.
      shape: (S, S, 3) of the pictures.

    Returns:
      {'ridge_x': [B, S, S, 3] uint8} or nothing.
    """
    if 'ridge_both' not in self.regressions:
      return {}
    codes = self.regressions['ridge_both'].predict(
        join({'low': floats(image_low), 'voice': voice},
              INPUTS['ridge_both']))
    return self._decode({'ridge_x': codes}, shape)

  def _decode(self, codes: Mapping[str, np.ndarray], shape: tuple[int, ...]
              ) -> dict[str, np.ndarray]:
    """Codes [B, j] -> [B, *shape] uint8: the basis is read once for all."""
    if not codes:
      return {}
    width = max(code.shape[1] for code in codes.values())
    rows = np.concatenate([
        np.pad(code, [(0, 0), (0, width - code.shape[1])])
        for code in codes.values()])
    levels = np.rint((self.components.decode(rows) + 1.0) * 127.5)
    images = np.clip(levels, 0, 255).astype(np.uint8).reshape(-1, *shape)
    return dict(zip(codes, np.split(images, len(codes))))


@functools.lru_cache(maxsize=1)
def _statistics() -> Callable[[tf.Tensor], tf.Tensor]:
  """Waveforms [B, 64000] -> [B, 128], as a graph."""
  return tf.function(
      lambda waveform: spectrogram.statistics(
          spectrogram.log_spectrogram(waveform)), autograph=False,
      input_signature=[tf.TensorSpec([None, spectrogram.NUM_SAMPLES])])


def voice_statistics(waveform: tf.Tensor) -> np.ndarray:
  """What the regressions know of a voice.

  Args:
    waveform: [B, 64000] float32 in [-1, 1].

  Returns:
    [B, 128] float32; see `spectrogram.statistics`.
  """
  return _statistics()(waveform).numpy()


def rows(values: int) -> tuple[rows_lib.Row, ...]:
  """All linear rows, in the tables' order.

  Args:
    values: Those of the longest code.
  """
  labels = {'pca64': f'PCA, {min(FEW_VALUES, values)} values',
            'pca': f'PCA, {values} values', **_LABELS}
  return tuple(
      rows_lib.Row(key, labels[key]) for key in floor_marks.LINEAR)


def floats(image: np.ndarray) -> np.ndarray:
  """Images [B, H, W, 3] uint8 -> [B, H * W * 3] float32 in [-1, 1]."""
  return image.reshape(len(image), -1).astype(np.float32) / 127.5 - 1.0


def join(parts: Mapping[str, np.ndarray], names: Sequence[str]
          ) -> np.ndarray:
  """The named inputs side by side, float64."""
  return np.concatenate(
      [np.asarray(parts[name], np.float64) for name in names], axis=1)
