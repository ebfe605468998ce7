"""Metrics against numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image
import pytest
import scipy.linalg
import tensorflow as tf

from earsr_tf.evaluation import metrics
from tests import testing


def _flat(level: int, side: int = 16, count: int = 1) -> np.ndarray:
  return np.full([count, side, side, 3], level, np.uint8)


def _noise(seed: int) -> np.ndarray:
  return np.random.default_rng(seed).integers(
      0, 256, size=(3, 32, 32, 3), dtype=np.uint8)


def test_psnr_of_one_level_everywhere() -> None:
  result = metrics.psnr(_flat(100, count=2), _flat(101, count=2))
  np.testing.assert_allclose(result, [20 * math.log10(255)] * 2)


def test_psnr_of_black_and_white_is_zero_and_of_equals_infinite() -> None:
  assert metrics.psnr(_flat(0), _flat(255))[0] == 0.0
  assert metrics.psnr(_flat(7), _flat(7))[0] == math.inf


def test_psnr_agrees_with_tensorflow() -> None:
  a, b = _noise(0), _noise(1)
  np.testing.assert_allclose(
      metrics.psnr(a, b), tf.image.psnr(a, b, max_val=255), rtol=1e-5)


def test_ssim_of_flat_images_is_the_luminance_term() -> None:
  c1 = (0.01 * 255) ** 2
  expected = (2 * 100 * 150 + c1) / (100 ** 2 + 150 ** 2 + c1)
  np.testing.assert_allclose(
      metrics.ssim(_flat(100), _flat(150)), [expected], atol=1e-4)


def test_ssim_is_that_of_tensorflow() -> None:
  random = np.random.default_rng(5)
  a = random.integers(0, 256, [3, 40, 24, 3], dtype=np.uint8)
  b = np.clip(a + random.normal(0, [[[[20]]], [[[60]]], [[[0]]]], a.shape),
              0, 255).astype(np.uint8)
  expected = tf.image.ssim(a, b, 255, filter_size=11, filter_sigma=1.5)
  np.testing.assert_allclose(metrics.ssim(a, b), expected, atol=2e-5)


def test_ssim_refuses_images_below_the_window() -> None:
  with pytest.raises(ValueError, match='11 pixels'):
    metrics.ssim(_flat(1, side=8), _flat(1, side=8))


def test_shapes_and_types_are_checked() -> None:
  with pytest.raises(ValueError, match='shapes differ'):
    metrics.psnr(_flat(1), _flat(1, side=32))
  with pytest.raises(ValueError, match='uint8'):
    metrics.psnr(_flat(1).astype(np.float32), _flat(1))


def test_lr_consistency_counts_levels() -> None:
  low = np.full([2, 8, 8, 3], 97, np.uint8)
  low[1, 0, 0] = 100  # 1 of 64 pixels agrees
  result = metrics.lr_consistency(_flat(100, side=128, count=2), low)
  np.testing.assert_allclose(result, [3.0, 3.0 * 63 / 64])


def test_degrade_uint8_is_pillows_within_two_levels() -> None:
  image = _noise(2)[0]
  expected = np.asarray(Image.fromarray(image).resize(
      (8, 8), Image.Resampling.BICUBIC)).astype(int)
  got = metrics.degrade_uint8(image[np.newaxis], 8)[0].astype(int)
  assert np.abs(got - expected).max() <= 2
  dark = (image // 3 + 20).astype(np.uint8)
  stretched = np.floor(
      (dark - 20.0) * 255 / 85 + 0.5).astype(np.uint8)  # 20 ... 105
  assert (dark.min(), dark.max()) == (20, 105)
  expected = metrics.degrade_uint8(stretched[np.newaxis], 8).astype(int)
  got = metrics.degrade_uint8(dark[np.newaxis], 8, stretch=True).astype(int)
  assert np.abs(got - expected).max() <= 1


def test_frechet_distance_in_one_dimension() -> None:
  # Means 1 and 5, variances 2 and 8: 16 + 2 + 8 - 2 * sqrt(16).
  distance = metrics.frechet_distance(
      np.array([[0.0], [2.0]]), np.array([[3.0], [7.0]]))
  assert distance == pytest.approx(18.0)


def test_frechet_distance_agrees_with_the_matrix_square_root() -> None:
  random = np.random.default_rng(0)
  a = random.normal(size=(50, 4)) @ random.normal(size=(4, 4))
  b = random.normal(size=(60, 4)) + 0.5
  cov_a, cov_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
  root = scipy.linalg.sqrtm(cov_a @ cov_b).real
  expected = (np.square(a.mean(0) - b.mean(0)).sum()
              + np.trace(cov_a + cov_b - 2.0 * root))
  assert metrics.frechet_distance(a, b) == pytest.approx(expected)
  assert metrics.frechet_distance(a, a) == pytest.approx(0.0, abs=1e-9)


def test_frechet_distance_refuses_nan() -> None:
  with pytest.raises(ValueError, match='NaN'):
    metrics.frechet_distance(np.full([3, 2], np.nan), np.zeros([3, 2]))


def test_paired_difference_averages_within_speakers_first() -> None:
  a = np.array([1.0, 1.0, 1.0, math.nan])
  b = np.array([0.0, 1.0, 0.0, 1.0])
  result = metrics.paired_difference(a, b, np.array(['x', 'x', 'y', 'y']))
  assert result.mean == 0.75  # x: 0.5, y: 1
  assert (result.low, result.high) == (0.5, 1.0)
  assert (result.speakers, result.samples) == (2, 3)


def test_paired_difference_interval_is_that_of_the_normal_law() -> None:
  values = np.random.default_rng(0).normal(1.0, 2.0, size=400)
  result = metrics.paired_difference(
      values, np.zeros(400), np.arange(400), seed=1)
  half = 1.96 * values.std() / math.sqrt(400)
  assert result.low == pytest.approx(values.mean() - half, abs=0.02)
  assert result.high == pytest.approx(values.mean() + half, abs=0.02)
  assert result == metrics.paired_difference(
      values, np.zeros(400), np.arange(400), seed=1)


def test_paired_difference_draws_are_those_of_its_seed() -> None:
  # Two people: the mean of a draw is 0, 1/2 or 1; a quarter is 0, a quarter 1.
  a, b = np.array([0.0, 1.0]), np.zeros(2)
  result = metrics.paired_difference(a, b, np.arange(2))
  assert (result.low, result.high) == (0.0, 1.0)
  # Intervals that were published are found again: NumPy's own draws.
  values = np.random.default_rng(40).normal(size=40)
  draws = np.random.default_rng(0)
  means = np.concatenate([
      values[draws.integers(40, size=(1000, 40))].mean(axis=1)
      for _ in range(10)])
  result = metrics.paired_difference(values, np.zeros(40), np.arange(40))
  assert [result.low, result.high] == pytest.approx(
      np.percentile(means, [2.5, 97.5]), rel=1e-12)


def test_paired_difference_of_one_speaker_or_none() -> None:
  one = metrics.paired_difference(np.ones(2), np.zeros(2), np.zeros(2))
  assert one.mean == 1.0 and math.isnan(one.low) and one.speakers == 1
  none = metrics.paired_difference(
      np.full(2, np.nan), np.zeros(2), np.zeros(2))
  assert math.isnan(none.mean) and none.speakers == 0


def test_official_outputs_score_what_was_measured_elsewhere() -> None:
  # The authors' strips: ground truth, LR, E_l, F side by side.
  folder = testing.shared_dir() / 'data' / 'official_test7' / 'output'
  strips = np.stack([np.asarray(Image.open(path).convert('RGB'))
                     for path in sorted(folder.glob('*.png'))])
  truth, _, e_l, fused = np.split(strips, 4, axis=2)
  low = metrics.degrade_uint8(truth, 8)
  assert metrics.psnr(fused, truth).mean() == pytest.approx(19.67, abs=0.005)
  assert metrics.psnr(e_l, truth).mean() == pytest.approx(19.15, abs=0.005)
  assert metrics.ssim(fused, truth).mean() == pytest.approx(0.587, abs=0.001)
  assert metrics.ssim(e_l, truth).mean() == pytest.approx(0.546, abs=0.001)
  np.testing.assert_allclose(
      metrics.psnr(fused, truth),
      [20.52, 17.60, 20.46, 19.85, 18.35, 18.02, 22.92], atol=0.006)
  assert metrics.lr_consistency(
      fused, low).mean() == pytest.approx(9.6, abs=0.3)
