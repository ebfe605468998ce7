"""Scores pictures that exist already, with the metrics of Table 2.

The input is the original's antialiased bicubic 16x degradation, rounded to 8
bit, as everywhere in this project.
"""

from __future__ import annotations

from typing import Any, Iterable, Mapping

import numpy as np
import tensorflow as tf

from earsr_tf.evaluation import comparisons
from earsr_tf.evaluation import corrections
from earsr_tf.evaluation import dlib_faces
from earsr_tf.evaluation import metrics
from earsr_tf.evaluation import picture_folder
from earsr_tf.evaluation import report
from earsr_tf.evaluation import rows as rows_lib
from earsr_tf.ops import consistency_mode
from earsr_tf.ops import pixels
from earsr_tf.ops import resample

_DISTANCE = 'descriptor_distance'
_OUTPUT = rows_lib.Row('output', 'outputs')


def score(
    pictures: Iterable[picture_folder.Picture],
    consistency: str = consistency_mode.OFF,
    descriptor: str = '',
) -> tuple[list[str], dict[str, dict[str, np.ndarray]]]:
  """Scores pictures one after the other.

  Args:
    pictures: At least one; all have the same outputs.
    consistency: Adds corrected rows unless 'off'; see `corrections.rows`.
    descriptor: 'dlib' adds the scores of `dlib_faces.score`.

  Returns:
    [N] names, and row key -> 'psnr', 'ssim', 'lr_consistency' -> [N].

  Raises:
    ConfigError: If dlib is asked for and missing.
  """
  names, scores = [], {}
  for picture in pictures:
    names.append(picture.name)
    truth = picture.truth[np.newaxis]
    low = metrics.degrade_uint8(
        truth, truth.shape[1] // picture_folder.FACTOR)
    outputs = {'bicubic': _upsample(low, *truth.shape[1:3])} | {
        key: image[np.newaxis] for key, image in picture.outputs.items()}
    corrected = corrections.apply(outputs, low, consistency)
    outputs |= {key: image.numpy() for key, image in corrected.items()}
    faces = dlib_faces.find(truth) if descriptor else None
    for key, image in outputs.items():
      made = {'psnr': metrics.psnr(image, truth),
              'ssim': metrics.ssim(image, truth),
              'lr_consistency': metrics.lr_consistency(image, low)}
      if faces:
        made |= dlib_faces.score(image, faces)
      for metric, values in made.items():
        scores.setdefault(key, {}).setdefault(metric, []).append(values)
  return names, {
      key: {metric: np.concatenate(parts) for metric, parts in row.items()}
      for key, row in scores.items()}


def results(
    names: list[str], scores: Mapping[str, Mapping[str, np.ndarray]],
    consistency: str, **facts: Any) -> dict[str, Any]:
  """Means with their protocol and provenance, as they are written.

  Args:
    names: [N] names of the pictures.
    scores: What `score` returns.
    consistency: The correction.
    **facts: Where the pictures come from.

  Returns:
    A JSON-ready mapping.
  """
  base = [row for row in (*rows_lib.ROWS, _OUTPUT) if row.key in scores]
  return {
      'format': 1,
      'provenance': report.provenance(**facts),
      'protocol': [metrics.PROTOCOL] + (
          [dlib_faces.PROTOCOL] if base and _DISTANCE in scores[base[0].key]
          else []),
      'consistency': consistency,
      'pictures': len(names),
      'rows': {
          row.key: {'label': row.label} | _means(scores[row.key])
          for row in (*base, *corrections.rows(base, consistency))}}


def summary(values: Mapping[str, Any]) -> str:
  """The table that is printed.

  Args:
    values: What `results` returns.

  Returns:
    Lines of at most 80 columns, no trailing newline.
  """
  has_faces = any(_DISTANCE in row for row in values['rows'].values())
  lines = [f'{values["pictures"]} pictures',
           f'  {"":40}{"PSNR, dB":>10}{"SSIM":>8}{"LR, levels":>12}'
           + (f'{"dlib":>8}' if has_faces else '')]
  for row in values['rows'].values():
    lines.append(
        f'  {row["label"][:40]:40}{report.number(row["psnr"], 2):>10}'
        f'{report.number(row["ssim"], 3):>8}'
        f'{report.number(row["lr_consistency"], 3):>12}'
        + (f'{report.number(row[_DISTANCE], 3):>8}' if has_faces else ''))
  return '\n'.join(lines)


def _means(scores: Mapping[str, np.ndarray]) -> dict[str, float]:
  """Means of the metrics that there are."""
  means = comparisons.means(scores)
  return {metric: means[metric] for metric in scores}


def _upsample(image_low: np.ndarray, height: int, width: int) -> np.ndarray:
  """Bicubic upsampling of [B, h, w, 3] uint8."""
  return pixels.to_uint8(resample.resize_bicubic(
      pixels.to_float(tf.constant(image_low)), height, width)).numpy()
