"""Closed forms of faces whose answers are known."""

from __future__ import annotations

import numpy as np
from PIL import Image
import pytest

from earsr_tf.data import mixture
from pipelines.ingest import prepare
from tools import linear_floors

_OPTIONS = prepare.Options(
    image_size=16, shards=1, workers=1, open_share=0.0, detect_faces=False,
    open_speakers=('open',))


@pytest.fixture(name='data', scope='module')
def _data(tmp_path_factory: pytest.TempPathFactory) -> mixture.Mixture:
  """Pictures that are sums of two patterns: one value is seen at 4x4."""
  folder = tmp_path_factory.mktemp('floors')
  random = np.random.default_rng(0)
  coarse = np.kron(random.uniform(-1, 1, [4, 4, 3]), np.ones([4, 4, 1]))
  fine = np.indices([16, 16]).sum(0)[..., np.newaxis] % 2 * 2.0 - 1.0
  for number in range(60):
    a, b = random.uniform(-40, 40, 2)
    picture = np.round(128 + a * coarse + b * fine).astype(np.uint8)
    name = 'open' if number % 4 == 0 else 'closed'
    path = folder / 'tree' / f'{name}{number}.png'
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(picture).save(path)
  prepare.run(str(folder / 'tree'), str(folder / 'data'), 'faces', _OPTIONS)
  return mixture.read(str(folder / 'data'), 'generator')


def test_two_components_hold_it_all(data):
  fitted = linear_floors.fit(data, 2, 4, mirrored=False)
  assert fitted.components.count == 45
  found = linear_floors.measure(
      data.manifests[0], 'open_test', linear_floors.rows_of(fitted, [1, 2]), 4)
  assert list(found) == [
      'bicubic', 'ridge of the small image',
      'PCA of the original, 1 values', 'PCA of the original, 2 values']
  psnr = {name: values[0] for name, values in found.items()}
  # Rounding alone: better than 50 dB. What is fine is not in the small image.
  assert psnr['PCA of the original, 2 values'] > 50
  assert psnr['PCA of the original, 1 values'] < 35
  assert psnr['bicubic'] < psnr['ridge of the small image'] < 35
  assert found['ridge of the small image'][2] < 1.0  # levels


def test_mirrored_frames_are_seen_as_well(data):
  fitted = linear_floors.fit(data, 4, 4, mirrored=True)
  assert fitted.components.count == 90
  mean = fitted.components.mean.reshape(16, 16, 3)
  np.testing.assert_allclose(mean, mean[:, ::-1], atol=1e-5)
