"""Linear parts of the networks in closed form, before a stage's first step.

Every fit reads a stream of batches once and keeps only sums, so thousands of
images cost the memory of one batch. The penalty of a regression is chosen on
people whom it has not seen, and the regression is then made on all.
"""

from __future__ import annotations

from typing import Callable, Iterator

import numpy as np
import tensorflow as tf

from earsr_tf.data import keys
from earsr_tf.models import linear_base
from earsr_tf.models import linear_path
from earsr_tf.models import voice_memory
from earsr_tf.ops import discriminant
from earsr_tf.ops import principal_components
from earsr_tf.ops import ridge
from earsr_tf.stages import stage as stage_lib

BATCH_SIZE = 64  # images of a batch of the stream, at most
_HELD_BACK = 5  # one person in so many, for the choice of the penalty
_PENALTY = 1e-2  # where nobody can be held back
_VOICE_RIDGE = 0.03  # of the scatter within people, see docs/trials.md

# (batch) -> inputs [n B, P] and the code that they should give, [n B, L, d]:
# the images of the batch n times over, mirrored for instance
Samples = Callable[[stage_lib.Batch], tuple[tf.Tensor, tf.Tensor]]


def batch_size(start_images: int) -> int:
  """Images of a batch of the stream that `start_images` come in."""
  return min(BATCH_SIZE, start_images)


def fit_base(base: linear_base.LinearBase,
             batches: Iterator[stage_lib.Batch]) -> None:
  """Fits G's linear base to faces: their principal components.

  Args:
    base: Its variables change.
    batches: With `keys.IMAGE_HIGH`.
  """
  pca = principal_components.IncrementalPca(
      num_values=base.basis.shape[0])
  for batch in batches:
    pca.add(linear_base.pixels(batch[keys.IMAGE_HIGH], base.side).numpy())
  base.fit(pca.result())


def fit_path(path: linear_path.LinearPath, samples: Samples,
             batches: Iterator[stage_lib.Batch], sizes: np.ndarray
             ) -> ridge.Regression:
  """Fits a linear path by ridge regression.

  The penalty is the one whose pictures err least. All values of a code have
  deviation 1, so errors of the code would choose it for hundreds of values
  that nothing predicts and that hardly show.

  Args:
    path: Its variables change.
    samples: What a batch tells the path, and what the path should say.
    batches: With `keys.SPEAKER` and what `samples` reads.
    sizes: [L * d], what a value is worth: `LinearBase.sizes`.

  Returns:
    The regression, to values times their sizes.
  """
  sums: dict[bool, ridge.Moments] = {}
  compute = tf.function(samples, autograph=False)
  for batch in batches:
    x, code = compute(batch)
    x, y = x.numpy(), tf.reshape(code, [len(x), -1]).numpy()
    held_back = np.tile(
        np.asarray(batch[keys.SPEAKER]) % _HELD_BACK == 0,
        len(x) // len(batch[keys.SPEAKER]))
    for part in (False, True):
      if np.any(held_back == part):
        moments = ridge.moments(
            x[held_back == part], y[held_back == part] * sizes)
        sums[part] = sums[part] + moments if part in sums else moments
  penalty = _PENALTY
  if len(sums) == 2:
    penalty = ridge.choose(sums[False], sums[True])
  found = ridge.fit(sum(list(sums.values())[1:], list(sums.values())[0]),
                    penalty)
  # A value of size 0 is that of a base with fewer components than values.
  per_size = np.divide(1.0, sizes, out=np.zeros_like(sizes), where=sizes > 0)
  path.fill(found.weights * per_size, found.bias * per_size)
  return found


def fit_memory(memory: voice_memory.VoiceMemory, samples: Samples,
               batches: Iterator[stage_lib.Batch]) -> None:
  """Makes E_a's memory: where known voices are, and their mean faces.

  Args:
    memory: Its variables change.
    samples: What a batch tells the memory, and which codes it should recall.
    batches: With `keys.SPEAKER` and what `samples` reads; people without a
      place are passed over.
  """
  places, width = memory.faces.shape[0], memory.mean.shape[0]
  heard = discriminant.Sums(people=places, width=width)
  faces = np.zeros(memory.faces.shape)
  compute = tf.function(samples, autograph=False)
  for batch in batches:
    x, code = compute(batch)
    person = np.asarray(batch[keys.SPEAKER])
    has_place, nothing = person < places, np.full(len(person), np.nan)
    heard.add(*(values[has_place] for values in (
        x.numpy(), person, np.full(len(person), -1), nothing)))
    np.add.at(faces, person[has_place],
              tf.reshape(code, [len(x), -1]).numpy()[has_place])
  found = discriminant.fit(heard, (1,) * width, _VOICE_RIDGE)
  counts = np.maximum(heard.counts, 1.0)[:, np.newaxis]
  memory.fill(
      mean=found.mean, directions=found.people,
      voices=(heard.values / counts - found.mean) @ found.people,
      faces=faces / counts, is_known=heard.counts > 0)
