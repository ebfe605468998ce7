"""Pictures in two steps, from a loaded export: codes first, then pictures.

What lies between the steps may be changed: a film averages the codes of a shot.
"""

from __future__ import annotations

from typing import Any, Mapping

import numpy as np
import tensorflow as tf

from earsr_tf.ops import consistency as consistency_lib
from earsr_tf.ops import consistency_mode
from earsr_tf.serving import export_manifest


class Coder:
  """Encodes small pictures with one voice, and renders codes."""

  def __init__(self, *, functions: Mapping[str, Any]) -> None:
    """Takes the signatures of an export, see `signatures.load_all`."""
    self._encode = functions[export_manifest.ENCODE]
    self._render = functions[export_manifest.RENDER]

  def encode(self, image_low: np.ndarray, waveform: np.ndarray,
             strength: float = 1.0) -> np.ndarray:
    """Makes a code of each picture.

    Args:
      image_low: [n, s, s, 3] uint8, computed at once.
      waveform: [64000] float32 in [-1, 1], 16 kHz.
      strength: How much the voice counts, 0 to 1.5.

    Returns:
      [n, L, d] float32.
    """
    return self._encode(
        image_low=tf.constant(image_low),
        waveform=tf.constant(waveform[np.newaxis]),
        voice_strength=tf.fill([len(image_low)], strength))['code'].numpy()

  def render(self, code: np.ndarray, image_low: np.ndarray,
             consistency: str = consistency_mode.OFF) -> np.ndarray:
    """Makes a picture of each code.

    Args:
      code: [n, L, d] float32, codes or means of codes.
      image_low: [n, s, s, 3] uint8, towards which pictures are corrected.
      consistency: 'off', 'exact' or a number of back-projection steps.

    Returns:
      [n, S, S, 3] uint8.
    """
    low = tf.constant(image_low)
    high = self._render(code=tf.constant(code), image_low=low)['image_high']
    return consistency_lib.correct_uint8(high, low, consistency).numpy()
