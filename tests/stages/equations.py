"""Eqs. (1)-(5) in NumPy, for the tests of the stages."""

from __future__ import annotations

import numpy as np

from earsr_tf.ops import resample
from tests import fakes


def terms(name: str, networks, batch, config=None, **clock: object
          ) -> dict[str, np.ndarray]:
  """Every term of a stage's loss, [B] each."""
  stage = fakes.stage(name, config)
  found = stage.updates[0].terms(networks, batch, fakes.clock(**clock))
  return {k: v.numpy() for k, v in found.items()}


def unit(code: object) -> np.ndarray:
  """Rows of length sqrt(d)."""
  code = np.asarray(code, np.float64)
  return code / np.sqrt(np.mean(code ** 2, axis=-1, keepdims=True))


def l1(a: object, b: object) -> np.ndarray:
  """Mean absolute difference per image, [B]."""
  difference = np.abs(np.asarray(a, np.float64) - np.asarray(b, np.float64))
  return difference.reshape(len(difference), -1).mean(axis=1)


def degrade(image: object, size: int) -> np.ndarray:
  """Bicubic reduction by a matrix from both sides, in float64."""
  image = np.asarray(image, np.float64)
  m = resample.resize_matrix(image.shape[1], size)
  return np.einsum('ij,bjkc,lk->bilc', m, image, m)


def low(image: object) -> np.ndarray:
  """x^l of 16x16 images: reduced to 4x4 and rounded to 8 bit."""
  levels = np.clip(np.round((degrade(image, 4) + 1) * 127.5), 0, 255)
  return levels / 127.5 - 1
