"""Means of scores, and the paired comparisons that the tables print."""

from __future__ import annotations

import dataclasses
from typing import Any, Mapping

import numpy as np

from earsr_tf.evaluation import metrics

_MEANS = {  # column of the tables -> score per image
    'psnr': 'psnr', 'ssim': 'ssim', 'lr_consistency': 'lr_consistency',
    'gender_accuracy': 'gender_correct',
    'identity_accuracy': 'identity_correct',
    'age_error': 'age_error', 'age_error_true': 'age_error_true'}
_OPTIONAL = ('descriptor_distance', 'descriptor_same')


@dataclasses.dataclass(frozen=True)
class Comparison:
  """A paired comparison a - b that the tables print.

  Attributes:
    a: Row key.
    b: Row key.
    metric: Score per image.
    title: How the reader knows the metric.
    name: What is compared.
    scale: Factor to the unit.
    unit: Printed unit.
  """
  a: str
  b: str
  metric: str
  title: str
  name: str
  scale: float = 1.0
  unit: str = ''


def _compare(a: str, b: str, name: str, *titles: str) -> list[Comparison]:
  """Comparisons of two rows in the metrics with the given titles."""
  known = {
      'gender': ('gender_correct', 100.0, 'points'),
      'identity': ('identity_correct', 100.0, 'points'),
      'age error': ('age_error', 1.0, 'years'),
      'PSNR': ('psnr', 1.0, 'dB'), 'SSIM': ('ssim', 1.0, ''),
      'LR consistency': ('lr_consistency', 1.0, 'levels'),
      'dlib distance': ('descriptor_distance', 1.0, '')}
  return [Comparison(a, b, known[title][0], title, name, *known[title][1:])
          for title in titles]


COMPARISONS = (
    *_compare('h', 'c', 'F minus E_l', 'gender', 'identity', 'age error',
              'PSNR', 'SSIM', 'LR consistency', 'dlib distance'),
    *_compare('d', 'c', 'E_a minus E_l', 'gender'),
    *_compare('h', 'x', 'F minus F, wrong voice', 'gender', 'PSNR',
              'dlib distance'),
    *_compare('h', 'f0', 'F minus F silenced', 'gender'),
    *_compare('b', 'a', 'tuned G minus fixed G', 'PSNR', 'gender'),
    # Only where ablations and comparators are trained.
    *_compare('h', 'e', 'F minus F_1', 'identity', 'gender', 'PSNR'),
    *_compare('h', 'f', 'F minus F trained mute', 'identity',
              'gender', 'PSNR'),
    *_compare('h', 'g', 'tuned minus fixed E_a', 'identity', 'gender',
              'PSNR'),
    *_compare('h', 'lapsrn', 'F minus LapSRN 16x', 'identity', 'gender',
              'PSNR'),
    *_compare('h', 'wavelet_srnet', 'F minus W-SRNet', 'identity', 'gender',
              'PSNR'),
    *_compare('wavelet_srnet', 'lapsrn', 'W-SRNet minus LapSRN 16x',
              'identity', 'PSNR'),
    # A network minus its linear floor; see `floor_marks`.
    *_compare('b', 'pca64', 'E_h + G minus PCA 64', 'PSNR', 'gender',
              'identity'),
    *_compare('b', 'pca', 'E_h + G minus PCA', 'PSNR'),
    *_compare('c', 'ridge_low', 'E_l minus ridge', 'PSNR', 'gender',
              'identity'),
    *_compare('d', 'ridge_voice', 'E_a minus ridge', 'PSNR', 'gender'),
    *_compare('h', 'ridge_both', 'F minus ridge', 'PSNR', 'gender',
              'identity'),
    *_compare('ridge_both', 'ridge_low', 'ridge: voice minus none',
              'PSNR', 'gender', 'identity'),
    *_compare('ridge_both', 'ridge_x', 'ridge: own minus wrong',
              'PSNR', 'gender'),
    # With --consistency only; the plus says: corrected.
    *_compare('h+', 'h', 'F+ minus F', 'gender', 'identity', 'age error',
              'PSNR', 'SSIM', 'LR consistency'),
    *_compare('h+', 'c+', 'F+ minus E_l+', 'gender', 'identity', 'PSNR',
              'SSIM'),
    *_compare('h+', 'x+', 'F+ minus F+, wrong voice', 'gender', 'PSNR'),
    *_compare('h+', 'bicubic+', 'F+ minus bicubic+', 'gender', 'PSNR',
              'SSIM'),
)


def means(scores: Mapping[str, np.ndarray]) -> dict[str, float]:
  """Means over the images where a score applies; NaN where it never does."""
  result = {}
  asked = {score: score for score in _OPTIONAL if score in scores}
  for column, score in (_MEANS | asked).items():
    values = np.asarray(scores.get(score, np.zeros(0)), np.float64)
    values = values[~np.isnan(values)]
    result[column] = float(values.mean()) if len(values) else float('nan')
  return result


def compare(
    scores: Mapping[str, Mapping[str, np.ndarray]],
    speakers: np.ndarray,
    seed: int,
) -> list[dict[str, Any]]:
  """All of `COMPARISONS` whose rows and metrics exist.

  Args:
    scores: Row key -> score -> [N].
    speakers: [N] labels of the speakers.
    seed: Seed of the bootstrap.

  Returns:
    JSON-ready entries; `wins` is the share of images where a is above b.
  """
  entries = []
  for item in COMPARISONS:
    a = scores.get(item.a, {}).get(item.metric)
    b = scores.get(item.b, {}).get(item.metric)
    if a is None or b is None:
      continue
    difference = metrics.paired_difference(a, b, speakers, seed=seed)
    usable = np.isfinite(a) & np.isfinite(b)
    wins = float(np.mean(a[usable] > b[usable])) if usable.any() else None
    entries.append({
        **dataclasses.asdict(item), **dataclasses.asdict(difference),
        'wins': wins})
  return entries
