"""Fits the linear floors on the training splits of prepared data.

Nothing is learnt from a test person, nor is the penalty: it is chosen on
training people who are held back, and the fit then made on all. Two passes
over the data, none of which memory depends on.
"""

from __future__ import annotations

import time
from typing import Any, Iterator, Mapping

from absl import logging
import numpy as np

from earsr_tf.data import batching
from earsr_tf.data import keys
from earsr_tf.data import manifest as manifest_lib
from earsr_tf.data import stream
from earsr_tf.evaluation import floor_marks
from earsr_tf.evaluation import linear_floors
from earsr_tf.evaluation import rows as rows_lib
from earsr_tf.ops import principal_components as pca_lib
from earsr_tf.ops import ridge as ridge_lib

_BATCH = 128
_HELD_BACK = 5  # every fifth training person chooses the penalty
# Where nobody can be held back; what the choice gives on small data.
_PENALTY = 1e-2
_VOICED = ('ridge_voice', 'ridge_both', 'ridge_x', 'ridge_silent')


def fit(reconstructor: rows_lib.Reconstructor, data_dir: str, *,
        seed: int) -> linear_floors.Floors:
  """Fits all floors on the training splits of prepared data.

  The data are read twice; memory does not grow with them.

  Args:
    reconstructor: Restored networks: says how large the codes are and how
      an image is made small.
    data_dir: Folder of prepared shards.
    seed: Chooses the segments of the voices.

  Returns:
    The floors; if the training splits hold fewer than two frames, all rows
    are skipped.

  Raises:
    DataError: If the data are damaged.
  """
  manifest = manifest_lib.read_manifest(data_dir)
  splits = [name for name in manifest_lib.TRAINING_SPLITS
            if manifest.splits[name]]
  model = reconstructor.config.model
  start = time.monotonic()
  with stream.explained(data_dir):
    components = _components(
        manifest, splits, model.num_styles * model.latent_dim)
    if components is None:
      reason = f'{data_dir} holds fewer than two training frames'
      return linear_floors.Floors(
          linear_floors.rows(0), dict.fromkeys(floor_marks.LINEAR, reason),
          {})
    middle = time.monotonic()
    sums = _moments(reconstructor, manifest, splits, components, seed)
  regressions = _regressions(*sums, 3 * model.low_res_size**2)
  facts = _facts(manifest, splits, components, regressions) | {
      'seconds': {'pca': round(middle - start, 1),
                  'ridge': round(time.monotonic() - middle, 1)}}
  return linear_floors.Floors(
      linear_floors.rows(len(components.basis)),
      _skipped(components, regressions), facts, components, regressions)


def _components(
    manifest: manifest_lib.Manifest, splits: list[str], num_values: int,
) -> pca_lib.Components | None:
  """Principal components of all training frames, if there are two."""
  start, pca = time.monotonic(), pca_lib.IncrementalPca(num_values=num_values)
  for rows in _frames(manifest, splits):
    pca.add(rows)
  if pca.count < 2:
    return None
  found = pca.result()
  logging.info(
      'linear floors: PCA of %d frames, %d values, %.0f s', pca.count,
      len(found.basis), time.monotonic() - start)
  return found


def _frames(manifest: manifest_lib.Manifest, splits: list[str]
            ) -> Iterator[np.ndarray]:
  """All training frames as rows [B, S * S * 3] float32 in [-1, 1]."""
  for shard in manifest.shards(splits) if splits else ():
    for _, image in batching.frames(manifest, shard, _BATCH):
      yield image.numpy().reshape(len(image), -1)


def _moments(
    reconstructor: rows_lib.Reconstructor, manifest: manifest_lib.Manifest,
    splits: list[str], components: pca_lib.Components, seed: int,
) -> tuple[ridge_lib.Moments, ridge_lib.Moments | None]:
  """Moments of (8x8 image, voice) and code; then those of who is held back."""
  dataset = batching.make_eval_dataset(
      manifest, splits=splits, batch_size=_BATCH, seed=seed,
      inputs=(keys.IMAGE_HIGH, keys.WAVEFORM, keys.SPEAKER),
      frames_per_clip=manifest.frames_per_clip)

  held, sums = _held_back(manifest, splits), {}
  for batch in dataset:
    image = batch[keys.IMAGE_HIGH]
    x = linear_floors.join({
        'low': linear_floors.floats(reconstructor.low(image).numpy()),
        'voice': linear_floors.voice_statistics(batch[keys.WAVEFORM])},
        ('low', 'voice'))
    codes = components.encode(image.numpy().reshape(len(x), -1))
    is_held = np.isin(batch[keys.SPEAKER].numpy(), held)
    for key in np.unique(is_held):
      rows = is_held == key
      part = ridge_lib.moments(x[rows], codes[rows])
      sums[key] = sums[key] + part if key in sums else part
  return sums[False], sums.get(True)


def _people(manifest: manifest_lib.Manifest, splits: list[str]) -> list[int]:
  """Indices of the training people, by name."""
  names = {name for split in splits for name in manifest.speakers[split]}
  return [manifest.all_speakers.index(name) for name in sorted(names)]


def _held_back(manifest: manifest_lib.Manifest, splits: list[str]
               ) -> list[int]:
  """Indices of the training people who choose the penalty."""
  people = _people(manifest, splits)
  return people[::_HELD_BACK] if len(people) > 1 else []


def _regressions(
    fitted: ridge_lib.Moments, held_back: ridge_lib.Moments | None,
    num_low: int) -> dict[str, ridge_lib.Regression]:
  """By row; those that hear are left out if all voices are alike."""
  width = len(fitted.xx) - 1
  columns = {'low': range(num_low), 'voice': range(num_low, width)}
  found = {}
  for key, names in linear_floors.INPUTS.items():
    chosen = [column for name in names for column in columns[name]]
    some, penalty = fitted.of_inputs(chosen), _PENALTY
    everyone = some
    if held_back is not None:
      others = held_back.of_inputs(chosen)
      penalty, everyone = ridge_lib.choose(some, others), some + others
    found[key] = ridge_lib.fit(everyone, penalty)
  if not found['ridge_voice'].weights.any():
    return {'ridge_low': found['ridge_low']}
  return found


def _skipped(components: pca_lib.Components,
             regressions: Mapping[str, ridge_lib.Regression]
             ) -> dict[str, str]:
  """Row key -> why it is not made."""
  skipped, values = {}, len(components.basis)
  if values <= linear_floors.FEW_VALUES:
    skipped['pca'] = f'the training frames have {values} values in all'
  if 'ridge_both' not in regressions:
    reason = 'the voices of the training people are all alike'
    skipped |= {key: reason for key in _VOICED}
  return skipped


def _facts(
    manifest: manifest_lib.Manifest, splits: list[str],
    components: pca_lib.Components,
    regressions: Mapping[str, ridge_lib.Regression]) -> dict[str, Any]:
  """What evaluation.json says of the floors."""
  values = len(components.basis)
  kept = float(np.sum(np.square(components.deviation)))
  return {
      'frames': components.count, 'people': len(_people(manifest, splits)),
      'held_back_people': len(_held_back(manifest, splits)),
      'values': {'pca64': min(linear_floors.FEW_VALUES, values), 'pca': values},
      'variance_kept': kept / components.variance if kept else 1.0,
      'penalties': {key: r.penalty for key, r in regressions.items()}}
