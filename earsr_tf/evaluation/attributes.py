"""What the classifiers C_i, C_g and C_a say of an image (section 4.4).

The classifiers are trained on D, that is on other videos of the closed set's
people; the open set's are named by their galleries (`judge`). Gender and
identity are scored against the labels. The age error is, as in the paper,
|C_a(output) - C_a(ground truth)|; against the label it is given too.
"""

from __future__ import annotations

import dataclasses
from typing import Callable, Mapping

import numpy as np
import tensorflow as tf

from earsr_tf.ops import pixels

Classifier = Callable[[tf.Tensor], Mapping[str, tf.Tensor]]

PROTOCOL = (
    'Compact judges: a linear discriminant over a small CNN and 16x16 pixels '
    '(with attributes.descriptor: over a network trained on synthetic people '
    'of another world), '
    'made from original images of D, so from nobody of the open set; C_i '
    'names the person of D or of open_gallery (other videos than the tests\') '
    'whose mean is nearest. '
    'Accuracies against the labels; age error = |C_a(output) - C_a(ground '
    'truth)| in years; "true age" = |C_a(output) - label|.')


@dataclasses.dataclass(frozen=True)
class Predictions:
  """What the classifiers say of N images.

  Attributes:
    speaker: [N] int64, index into all speakers.
    gender: [N] int64, 0 female, 1 male.
    age: [N] float64, years.
  """
  speaker: np.ndarray
  gender: np.ndarray
  age: np.ndarray


@dataclasses.dataclass(frozen=True)
class Labels:
  """What the records say of N images.

  Attributes:
    speaker: [N] int64, index into all speakers; -1 unknown.
    gender: [N] int64, 0 female, 1 male, -1 unknown.
    age: [N] float64, years; NaN unknown.
  """
  speaker: np.ndarray
  gender: np.ndarray
  age: np.ndarray


def classify(classifier: Classifier, image: tf.Tensor) -> Predictions:
  """Runs the classifiers.

  Args:
    classifier: Maps [B, S, S, 3] in [-1, 1] to `speaker_logits` [B, N],
      `gender_logits` [B, 2] and `age` [B] in years.
    image: [B, S, S, 3] uint8.

  Returns:
    Predictions of length B.
  """
  outputs = classifier(pixels.to_float(image))
  return Predictions(
      speaker=np.argmax(outputs['speaker_logits'].numpy(), axis=-1),
      gender=np.argmax(outputs['gender_logits'].numpy(), axis=-1),
      age=outputs['age'].numpy().astype(np.float64))


def score(
    output: Predictions, original: Predictions, labels: Labels,
) -> dict[str, np.ndarray]:
  """Scores each image; NaN where the label is unknown.

  Args:
    output: Predictions on the outputs.
    original: Predictions on the ground truth images.
    labels: What the records say.

  Returns:
    `gender_correct` and `identity_correct` (0 or 1), `age_error` and
    `age_error_true` in years, each [N] float64.
  """
  return {
      'gender_correct': _correct(output.gender, labels.gender),
      'identity_correct': _correct(output.speaker, labels.speaker),
      'age_error': np.abs(output.age - original.age),
      'age_error_true': np.abs(output.age - labels.age),
  }


def _correct(predicted: np.ndarray, label: np.ndarray) -> np.ndarray:
  """1 where equal, 0 where not, NaN where the label is negative."""
  correct = (predicted == label).astype(np.float64)
  return np.where(label < 0, np.nan, correct)
