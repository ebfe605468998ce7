"""What the judges read in blurred originals: the scale for soft outputs."""

from __future__ import annotations

import numpy as np

from earsr_tf.data import batching
from earsr_tf.data import keys
from earsr_tf.evaluation import attributes
from earsr_tf.evaluation import comparisons
from earsr_tf.ops import pixels
from earsr_tf.stages import attributes as attributes_stage

_SIDES = (64, 32, 16, 8)
_INPUTS = (keys.IMAGE_HIGH, keys.SPEAKER, keys.GENDER, keys.AGE)


def measure(
    judge: attributes.Classifier, data_dir: str, split: str, *,
    frames_per_clip: int, batch_size: int, seed: int,
) -> dict[str, dict[str, float]]:
  """Accuracy on a split's originals, whole and blurred.

  Args:
    judge: As of `attributes.classify`.
    data_dir: Folder of prepared shards.
    split: A test split.
    frames_per_clip: Frames per clip; with the same seed those of the tables.
    batch_size: Images at a time.
    seed: Chooses the frames.

  Returns:
    '128' (the originals), '64', '32', '16' and '8' -> `identity_accuracy` and
    `gender_accuracy`, shares.

  Raises:
    DataError: If the data are damaged or hold no clip of the split.
  """
  scores: dict[str, list[dict[str, np.ndarray]]] = {}
  for batch in batching.make_eval_dataset(
      data_dir, splits=(split,), inputs=_INPUTS, batch_size=batch_size,
      frames_per_clip=frames_per_clip, seed=seed):
    image = batch[keys.IMAGE_HIGH]
    labels = attributes.Labels(*(
        batch[key].numpy() for key in (keys.SPEAKER, keys.GENDER, keys.AGE)))
    original = attributes.classify(judge, pixels.to_uint8(image))
    size = image.shape[1]
    for side in (size, *(side for side in _SIDES if side < size)):
      said = original if side == size else attributes.classify(
          judge, pixels.to_uint8(
              attributes_stage.softened(image, size // side)))
      scores.setdefault(str(side), []).append(
          attributes.score(said, original, labels))
  return {side: _means(parts) for side, parts in scores.items()}


def _means(parts: list[dict[str, np.ndarray]]) -> dict[str, float]:
  """The two accuracies over all batches."""
  found = comparisons.means({
      name: np.concatenate([part[name] for part in parts])
      for name in parts[0]})
  return {name: found[name] for name in ('identity_accuracy',
                                         'gender_accuracy')}
