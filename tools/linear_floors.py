"""What closed forms make of prepared faces, before anything is trained.

    python -m tools.linear_floors --data_dir=faces:1,pairs:1

Principal components of the training frames, and ridge regression from the 8x8
pixels to the picture, are what networks have to beat (beside bicubic). Both see
the training frames of all folders once, whatever the weights; PSNR, SSIM and
the distance to the 8x8 image (in levels) are of people that were held out, for
each folder by itself.
"""

from __future__ import annotations

import dataclasses
from typing import Callable, Iterator, Mapping, Sequence

from absl import flags
import numpy as np

from earsr_tf import cli
from earsr_tf import environment
from earsr_tf.data import manifest as manifest_lib
from earsr_tf.data import mixture as mixture_lib
from earsr_tf.ops import principal_components as pca_lib
from earsr_tf.ops import ridge as ridge_lib

_BATCH = 128
_HELD_BACK = 5  # every fifth batch chooses the penalty
_PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)

Make = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Fitted:
  """Closed forms of training frames.

  Attributes:
    components: Of the frames.
    regression: From 8x8 pixels to pictures, all in [-1, 1].
  """
  components: pca_lib.Components
  regression: ridge_lib.Regression


def fit(data: mixture_lib.Mixture, num_values: int, low_res_size: int,
        mirrored: bool) -> Fitted:
  """Fits to the training frames of all folders.

  Args:
    data: The folders.
    num_values: Components wanted.
    low_res_size: Side of the small images.
    mirrored: Whether each frame is seen mirrored as well.

  Raises:
    DataError: If there are no training frames, or they are damaged.
  """
  pca = pca_lib.IncrementalPca(num_values=num_values)
  sums: dict[bool, ridge_lib.Moments] = {}
  number = 0
  for manifest in data.holding(manifest_lib.TRAINING_SPLITS).manifests:
    for faces in _faces(manifest, manifest_lib.TRAINING_SPLITS):
      for seen in (faces, faces[:, :, ::-1])[:1 + mirrored]:
        rows = _rows(seen)
        pca.add(rows)
        part = ridge_lib.moments(_rows(_small(seen, low_res_size)), rows)
        key = number % _HELD_BACK == 1
        sums[key] = sums[key] + part if key in sums else part
      number += 1
  fitted, penalty = sums[False], _PENALTIES[2]
  if True in sums:
    penalty = ridge_lib.choose(fitted, sums[True], _PENALTIES)
    fitted = fitted + sums[True]
  return Fitted(pca.result(), ridge_lib.fit(fitted, penalty))


def measure(manifest: manifest_lib.Manifest, split: str,
            rows: Mapping[str, Make], low_res_size: int
            ) -> dict[str, tuple[float, float, float]]:
  """Mean PSNR (dB), SSIM and distance to the small image (levels), by row.

  Args:
    manifest: The data.
    split: Of the frames that are measured.
    rows: Name -> (pictures, small images) -> pictures, [B, H, W, 3] uint8.
    low_res_size: Side of the small images.

  Raises:
    DataError: If the split is empty or damaged.
  """
  from earsr_tf.evaluation import metrics
  found: dict[str, list[np.ndarray]] = {name: [] for name in rows}
  for faces in _faces(manifest, (split,)):
    low = _small(faces, low_res_size)
    for name, make in rows.items():
      made = make(faces, low)
      found[name].append(np.stack([
          metrics.psnr(made, faces), metrics.ssim(made, faces),
          metrics.lr_consistency(made, low)]))
  return {name: tuple(np.concatenate(parts, axis=1).mean(axis=1))
          for name, parts in found.items()}


def rows_of(fitted: Fitted, values: Sequence[int]) -> dict[str, Make]:
  """The rows that are measured: name -> how its pictures are made."""
  components = fitted.components
  made: dict[str, Make] = {
      'bicubic': _enlarged,
      'ridge of the small image': lambda faces, low: _pictures(
          fitted.regression.predict(_rows(low)), faces.shape)}
  for count in values:
    part = components.leading(count)
    made[f'PCA of the original, {len(part.basis)} values'] = (
        lambda faces, low, part=part: _pictures(
            part.decode(part.encode(_rows(faces))), faces.shape))
  return made


def _faces(manifest: manifest_lib.Manifest, splits: Sequence[str]
           ) -> Iterator[np.ndarray]:
  """All frames of splits, [B, S, S, 3] uint8."""
  from earsr_tf.data import batching
  from earsr_tf.data import stream
  from earsr_tf.ops import pixels
  chosen = [name for name in splits if manifest.splits.get(name)]
  with stream.explained(manifest.data_dir):
    for shard in manifest.shards(chosen or splits):
      for _, image in batching.frames(manifest, shard, _BATCH):
        yield pixels.to_uint8(image).numpy()


def _small(faces: np.ndarray, side: int) -> np.ndarray:
  """[B, side, side, 3] uint8, as the networks get it."""
  from earsr_tf.evaluation import metrics
  return metrics.degrade_uint8(faces, side)


def _rows(faces: np.ndarray) -> np.ndarray:
  """uint8 -> [B, values] float32 in [-1, 1]."""
  return faces.reshape(len(faces), -1).astype(np.float32) / 127.5 - 1.0


def _pictures(rows: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
  """[-1, 1] -> uint8 of a shape."""
  return np.clip(np.round((rows + 1.0) * 127.5), 0, 255).astype(
      np.uint8).reshape(shape)


def _enlarged(faces: np.ndarray, low: np.ndarray) -> np.ndarray:
  """Bicubic."""
  from PIL import Image
  size = faces.shape[1:3]
  return np.stack([np.asarray(Image.fromarray(x).resize(
      size, Image.Resampling.BICUBIC)) for x in low])


def main() -> None:
  """Prints a table for each folder that has held-out people."""
  values = flags.FLAGS
  counts = sorted({int(count) for count in values.values})
  data = mixture_lib.read(values.data_dir, 'generator')
  environment.load_tensorflow()
  fitted = fit(data, counts[-1], values.low_res_size, values.mirrored)
  print(f'{fitted.components.count} training frames; penalty '
        f'{fitted.regression.penalty:g}')
  for manifest in data.holding((values.split,)).manifests:
    people = len(manifest.speakers[values.split])
    print(f'{manifest.data_dir}: {values.split}, {people} people: PSNR, SSIM, '
          'levels')
    for name, found in measure(
        manifest, values.split, rows_of(fitted, counts),
        values.low_res_size).items():
      print('  {:33} {:6.2f} {:6.3f} {:5.2f}'.format(name, *found), flush=True)


if __name__ == '__main__':
  flags.DEFINE_string(
      'data_dir', None, 'Folders of prepared shards, as for training.',
      required=True)
  flags.DEFINE_enum(
      'split', 'open_test', manifest_lib.SPLITS, 'Frames that are measured.')
  flags.DEFINE_list(
      'values', ['64', '256', '768'], 'Numbers of principal components.')
  flags.DEFINE_integer(
      'low_res_size', 8, 'Side of the small images.', lower_bound=1)
  flags.DEFINE_bool(
      'mirrored', False, 'Fit to the mirrored frames, too.')
  cli.run(main)
