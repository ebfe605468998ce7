"""Image metrics and paired comparisons with known answers (section 4.4).

The paper states neither the colour space nor the SSIM window. Here PSNR and
SSIM are taken on RGB with a data range of 255; SSIM uses a Gaussian window of
11 pixels with sigma 1.5 (Wang et al. 2004) and is averaged over pixels and
channels.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import Callable

import numpy as np
import tensorflow as tf

from earsr_tf.ops import resample

PROTOCOL = (
    'PSNR and SSIM: RGB, data range 255; SSIM window: Gaussian, 11 pixels, '
    'sigma 1.5. LR consistency: mean |round(degrade(output)) - input| in '
    'levels of 255, output and input both 8 bit.')
_DATA_RANGE = 255
_ORIGIN = _DATA_RANGE / 2
_WINDOW, _SIGMA = 11, 1.5


@dataclasses.dataclass(frozen=True)
class Difference:
  """Paired difference a - b, averaged per speaker, then over speakers.

  Attributes:
    mean: Mean over speakers.
    low: Lower end of the 95 % bootstrap interval; NaN with one speaker.
    high: Upper end.
    speakers: Speakers with at least one usable pair.
    samples: Usable pairs.
  """
  mean: float
  low: float
  high: float
  speakers: int
  samples: int


def psnr(image_a: np.ndarray, image_b: np.ndarray) -> np.ndarray:
  """Peak signal-to-noise ratio per image, RGB, data range 255.

  Args:
    image_a: [B, H, W, 3] uint8.
    image_b: [B, H, W, 3] uint8.

  Returns:
    [B] float64 in dB; infinite where the images are equal.

  Raises:
    ValueError: If the arrays are not uint8 of one shape.
  """
  _check_pair(image_a, image_b)
  error = np.square(image_a.astype(np.float64) - image_b.astype(np.float64))
  error = error.mean(axis=(1, 2, 3))  # [B]
  with np.errstate(divide='ignore'):
    return 10.0 * np.log10(_DATA_RANGE ** 2 / error)


def ssim(image_a: np.ndarray, image_b: np.ndarray) -> np.ndarray:
  """Structural similarity per image, RGB, Gaussian window 11 / 1.5.

  Args:
    image_a: [B, H, W, 3] uint8, sides of 11 pixels or more.
    image_b: [B, H, W, 3] uint8.

  Returns:
    [B] float64 in [-1, 1].

  Raises:
    ValueError: If the arrays are not uint8 of one shape, or too small.
  """
  _check_pair(image_a, image_b)
  if min(image_a.shape[1:3]) < _WINDOW:
    raise ValueError(
        f'SSIM needs sides of 11 pixels or more, got {image_a.shape[1:3]}')
  rows, columns = (_window_matrix(side) for side in image_a.shape[1:3])
  return _similarity()(
      image_a, image_b, rows, columns).numpy().astype(np.float64)


@functools.cache
def _similarity() -> Callable[..., tf.Tensor]:
  """SSIM as a graph for images of any size: a quarter of the eager time."""
  def mean(x: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor) -> tf.Tensor:
    """Windowed means, [B, 3, H, W] -> [B, 3, W - 10, H - 10]."""
    return tf.tensordot(tf.tensordot(x, columns, [[3], [1]]), rows, [[2], [1]])

  def similarity(image_a: tf.Tensor, image_b: tf.Tensor, rows: tf.Tensor,
                 columns: tf.Tensor) -> tf.Tensor:
    """[B]; the terms of Wang et al. 2004, Eq. 13, as in tf.image.ssim."""
    # Variances do not depend on the origin, and lose least in float32 near it.
    a, b = (tf.transpose(tf.cast(x, tf.float32) - _ORIGIN, [0, 3, 1, 2])
            for x in (image_a, image_b))  # [B, 3, H, W]
    mean_a, mean_b, mean_ab, mean_squares = (
        mean(x, rows, columns) for x in (a, b, a * b, a * a + b * b))
    covariance = mean_ab - mean_a * mean_b
    variances = mean_squares - mean_a ** 2 - mean_b ** 2
    mean_a, mean_b = mean_a + _ORIGIN, mean_b + _ORIGIN
    c1, c2 = (0.01 * _DATA_RANGE) ** 2, (0.03 * _DATA_RANGE) ** 2
    return tf.reduce_mean(
        (2 * mean_a * mean_b + c1) / (mean_a ** 2 + mean_b ** 2 + c1)
        * (2 * covariance + c2) / (variances + c2), [1, 2, 3])

  image = tf.TensorSpec([None, None, None, 3], tf.uint8)
  window = tf.TensorSpec([None, None])
  return tf.function(similarity, autograph=False, input_signature=[
      image, image, window, window])


@functools.cache
def _window_matrix(side: int) -> np.ndarray:
  """Gaussian window along one axis: [side - 10, side] float32, rows sum to 1.

  The window is separable, so two matrix products replace an 11x11 depthwise
  convolution, which takes eleven times as long on a CPU.
  """
  taps = np.exp(-0.5 * (np.arange(_WINDOW) - _WINDOW // 2) ** 2 / _SIGMA ** 2)
  matrix = np.zeros((side - _WINDOW + 1, side))
  for first, row in enumerate(matrix):
    row[first:first + _WINDOW] = taps / taps.sum()
  return matrix.astype(np.float32)


def lr_consistency(
    image_high: np.ndarray, image_low: np.ndarray) -> np.ndarray:
  """Mean |degrade(output) - input| per image, in levels of 255.

  The 8-bit output is degraded and rounded to 8 bit, as a user who shrinks
  the saved picture would do.

  Args:
    image_high: Output, [B, H, W, 3] uint8.
    image_low: Input, [B, h, w, 3] uint8; H is a multiple of h.

  Returns:
    [B] float64, 0 or more.

  Raises:
    ValueError: If an array is not uint8 or the sides do not divide.
  """
  degraded = degrade_uint8(image_high, image_low.shape[1])
  _check_pair(degraded, image_low)
  error = np.abs(degraded.astype(np.float64) - image_low.astype(np.float64))
  return error.mean(axis=(1, 2, 3))


def degrade_uint8(image_high: np.ndarray, low_res_size: int, *,
                  stretch: bool = False) -> np.ndarray:
  """Degrades 8-bit images to 8-bit images: the road of training and serving.

  Args:
    image_high: [B, H, H, 3] uint8.
    low_res_size: Side of the result; divides H.
    stretch: As `model.low_res_stretch`.

  Returns:
    [B, low_res_size, low_res_size, 3] uint8.

  Raises:
    ValueError: If the array is not uint8 or the sides do not divide.
  """
  if image_high.dtype != np.uint8 or image_high.ndim != 4:
    raise ValueError(
        f'needs [B, H, W, 3] uint8, got {image_high.shape} {image_high.dtype}')
  if image_high.shape[1] % low_res_size:
    raise ValueError(
        f'side {image_high.shape[1]} is no multiple of {low_res_size}')
  return resample.degrade_levels(
      tf.constant(image_high), low_res_size, stretch=stretch).numpy()


def frechet_distance(
    features_a: np.ndarray, features_b: np.ndarray) -> float:
  """Frechet distance of two sets of features (Heusel et al. 2017, Eq. 6).

  |m_a - m_b|^2 + Tr(C_a + C_b - 2 (C_a C_b)^(1/2)) with sample covariances.

  Args:
    features_a: [N, D] float, N at least 2.
    features_b: [M, D] float, M at least 2.

  Returns:
    The distance, 0 or more; with N or M below D it is biased upwards.

  Raises:
    ValueError: If the shapes do not fit or a value is not finite.
  """
  features_a = np.asarray(features_a, np.float64)
  features_b = np.asarray(features_b, np.float64)
  if (features_a.ndim != 2 or features_b.ndim != 2
      or features_a.shape[1] != features_b.shape[1]
      or min(len(features_a), len(features_b)) < 2):
    raise ValueError(
        'needs [N, D] and [M, D] with N and M at least 2, got '
        f'{features_a.shape} and {features_b.shape}')
  if not (np.isfinite(features_a).all() and np.isfinite(features_b).all()):
    raise ValueError('features hold a NaN or an infinity')
  mean = features_a.mean(axis=0) - features_b.mean(axis=0)
  cov_a = np.atleast_2d(np.cov(features_a, rowvar=False))
  cov_b = np.atleast_2d(np.cov(features_b, rowvar=False))
  root_a = _symmetric_root(cov_a)
  # Tr (C_a C_b)^(1/2) through the symmetric C_a^(1/2) C_b C_a^(1/2), whose
  # eigenvalues are the same and real.
  values = np.linalg.eigvalsh(root_a @ cov_b @ root_a)
  cross = np.sqrt(np.maximum(values, 0.0)).sum()
  distance = mean @ mean + np.trace(cov_a) + np.trace(cov_b) - 2.0 * cross
  return float(max(distance, 0.0))


def paired_difference(
    a: np.ndarray,
    b: np.ndarray,
    speakers: np.ndarray,
    *,
    seed: int = 0,
    draws: int = 10_000,
) -> Difference:
  """Mean over speakers of the paired difference, with a 95 % interval.

  Speakers, not images, are the independent units: differences are averaged
  within each speaker first and the bootstrap draws speakers.

  Args:
    a: [N] float, a score per sample; NaN where it does not apply.
    b: [N] float, the other method's score of the same samples.
    speakers: [N] any labels.
    seed: Seed of the bootstrap.
    draws: Bootstrap draws.

  Returns:
    The difference; mean NaN when no pair is usable.

  Raises:
    ValueError: If the lengths differ.
  """
  a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
  speakers = np.asarray(speakers)
  if not a.shape == b.shape == speakers.shape or a.ndim != 1:
    raise ValueError(
        f'needs three [N] arrays, got {a.shape}, {b.shape}, {speakers.shape}')
  usable = np.isfinite(a) & np.isfinite(b)
  delta = (a - b)[usable] if usable.any() else np.zeros(0)
  names, owner = np.unique(speakers[usable], return_inverse=True)
  if not len(names):
    return Difference(math.nan, math.nan, math.nan, 0, 0)
  means = np.bincount(owner, delta) / np.bincount(owner)  # [speakers]
  low = high = math.nan
  if len(names) > 1:
    # Half a second, which who only degrades pictures need not wait.
    from scipy import stats
    low, high = map(float, stats.bootstrap(
        (means,), np.mean, n_resamples=draws, method='percentile', rng=seed,
        batch=1000).confidence_interval)  # batches bound memory
  return Difference(
      float(means.mean()), low, high, len(names), int(usable.sum()))


def _symmetric_root(matrix: np.ndarray) -> np.ndarray:
  """Square root of a symmetric positive semi-definite matrix."""
  values, vectors = np.linalg.eigh(matrix)
  return (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T


def _check_pair(image_a: np.ndarray, image_b: np.ndarray) -> None:
  """Raises ValueError unless both are [B, H, W, 3] uint8 of one shape."""
  for image in (image_a, image_b):
    if image.ndim != 4 or image.shape[-1] != 3 or image.dtype != np.uint8:
      raise ValueError(
          f'needs [B, H, W, 3] uint8, got {image.shape} {image.dtype}')
  if image_a.shape != image_b.shape:
    raise ValueError(
        f'image shapes differ: {image_a.shape} and {image_b.shape}')
