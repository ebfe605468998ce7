"""FID and KID of a row's pictures from the originals, by features of choice.

FID (Heusel et al. 2017) needs many more images than features have values; KID
(Binkowski et al. 2018) is unbiased for any number. The features are the
judge's, or a network's that the user names; neither is the Inception of
published FIDs, unless the user names that.
"""

from __future__ import annotations

from typing import Callable

import numpy as np
import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf.evaluation import metrics
from earsr_tf.ops import pixels

Features = Callable[[tf.Tensor], np.ndarray]


class FeatureDistances:
  """Collects features of pictures by row."""

  def __init__(self, *, features: Features):
    """Takes [B, S, S, 3] float32 in [-1, 1] -> [B, D]."""
    self._features = features
    self._found: dict[str, list[np.ndarray]] = {}

  def add(self, key: str, image: np.ndarray) -> None:
    """Adds pictures [B, S, S, 3] uint8 of a row."""
    self._found.setdefault(key, []).append(
        self._features(pixels.to_float(tf.constant(image))))

  def distances(self) -> dict[str, dict[str, float]]:
    """Row key -> 'fid' and 'kid' from row 'original'; that is left out."""
    found = {key: np.concatenate(parts) for key, parts in self._found.items()}
    original = found.pop('original', np.zeros([0, 1]))
    return {
        key: {'fid': metrics.frechet_distance(values, original),
              'kid': kernel_distance(values, original)}
        for key, values in found.items()
        if min(len(values), len(original)) > 1}


def kernel_distance(
    features_a: np.ndarray, features_b: np.ndarray) -> float:
  """Kernel distance of two sets of features, unbiased; may be below 0.

  The squared maximum mean discrepancy under the kernel (x . y / D + 1)^3, over
  all pairs instead of subsets of 100.

  Args:
    features_a: [N, D] float, N at least 2.
    features_b: [M, D] float, M at least 2.

  Returns:
    KID.
  """
  a, b = (np.asarray(x, np.float64) for x in (features_a, features_b))

  def kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """[len(x), len(y)]."""
    return (x @ y.T / x.shape[1] + 1.0) ** 3

  def within(x: np.ndarray) -> float:
    """Mean over pairs of two different ones."""
    values = kernel(x, x)
    return (values.sum() - np.trace(values)) / (len(x) * (len(x) - 1))
  return float(within(a) + within(b) - 2.0 * kernel(a, b).mean())


def load(folder: str) -> Features:
  """Loads a SavedModel, images [B, S, S, 3] in [-1, 1] -> features [B, D].

  Args:
    folder: What `tf.saved_model.save` wrote of a function of one argument.

  Raises:
    ConfigError: If it is none.
  """
  try:
    model = tf.saved_model.load(folder)
  except (OSError, ValueError, tf.errors.OpError) as error:
    raise config_lib.ConfigError(
        f'--fid={folder}: is no SavedModel '
        f'({str(error).splitlines()[0][:120]}); name one, or --fid=judge'
        ) from error
  if not callable(model):
    raise config_lib.ConfigError(
        f'--fid={folder}: cannot be called with images; save a Keras model or '
        'a module with __call__')

  def features(image_high: tf.Tensor) -> np.ndarray:
    """[B, D]; ConfigError if the model gives something else."""
    values = np.asarray(model(image_high))
    if values.ndim != 2 or len(values) != len(image_high):
      raise config_lib.ConfigError(
          f'--fid={folder}: gives {list(values.shape)} for '
          f'{len(image_high)} images and not [{len(image_high)}, D]')
    return values
  return features
