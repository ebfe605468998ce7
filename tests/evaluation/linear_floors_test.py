"""Linear floors against closed forms computed here, on tiny data."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest

from earsr_tf.data import batching
from earsr_tf.data import keys
from earsr_tf.evaluation import floor_fitting
from earsr_tf.evaluation import linear_floors
from earsr_tf.evaluation import rows
from earsr_tf.ops import principal_components as pca_lib
from earsr_tf.ops import ridge as ridge_lib
from tests import run_folder

_INPUTS = (keys.IMAGE_HIGH, keys.WAVEFORM, keys.SPEAKER)


@pytest.fixture(scope='module')
def reconstructor(run_root: str) -> rows.Reconstructor:
  """Random networks of the tiny preset."""
  return rows.load(run_root, len(run_folder.PEOPLE))


@pytest.fixture(scope='module')
def floors(reconstructor: rows.Reconstructor, data_dir: str
           ) -> linear_floors.Floors:
  """Fitted on four frames of two people."""
  return floor_fitting.fit(reconstructor, data_dir, seed=0)


def _batch(data_dir: str, split: str, clips: int) -> dict[str, np.ndarray]:
  """All frames of a split, each with a segment of its own."""
  dataset = batching.make_eval_dataset(
      data_dir, splits=(split,), inputs=_INPUTS, batch_size=2 * clips,
      frames_per_clip=2)
  return next(iter(dataset))


def _bytes(image: np.ndarray) -> np.ndarray:
  return np.clip(np.rint((np.asarray(image) + 1) * 127.5), 0, 255).astype(
      np.uint8)


def test_components_are_those_of_all_training_frames(
    floors: linear_floors.Floors, data_dir: str) -> None:
  frames = np.asarray(_batch(data_dir, 'd_pre', 2)[keys.IMAGE_HIGH])
  frames = frames.reshape(4, -1).astype(np.float64)
  _, _, vectors = np.linalg.svd(frames - frames.mean(0), full_matrices=False)
  test = np.asarray(_batch(data_dir, 'open_test', 2)[keys.IMAGE_HIGH])
  flat = test.reshape(4, -1) - frames.mean(0)
  expected = _bytes(
      flat @ vectors[:3].T @ vectors[:3] + frames.mean(0)).reshape(test.shape)
  made = floors.pictures(
      _bytes(test), np.zeros([4, 8, 8, 3], np.uint8), np.zeros([4, 128]))
  difference = np.abs(expected.astype(int) - made['pca64'])
  assert difference.max() <= 1  # a rounding


def test_regressions_see_what_the_networks_see(
    floors: linear_floors.Floors, reconstructor: rows.Reconstructor,
    data_dir: str) -> None:
  batch = _batch(data_dir, 'd_pre', 2)
  low = reconstructor.low(batch[keys.IMAGE_HIGH]).numpy()
  image = np.asarray(batch[keys.IMAGE_HIGH])
  x = low.reshape(4, -1) / 127.5 - 1.0
  codes = floors.components.encode(image.reshape(4, -1))
  regression = floors.regressions['ridge_low']
  direct = ridge_lib.fit(ridge_lib.moments(x, codes), regression.penalty)
  np.testing.assert_allclose(
      regression.predict(x), direct.predict(x), atol=1e-3)
  np.testing.assert_allclose(regression.mean, x.mean(0), atol=1e-5)


def test_silence_is_the_mean_voice_and_x_hears_another(
    floors: linear_floors.Floors, reconstructor: rows.Reconstructor,
    data_dir: str) -> None:
  batch = _batch(data_dir, 'd_pre', 2)
  truth = _bytes(batch[keys.IMAGE_HIGH])
  low = reconstructor.low(batch[keys.IMAGE_HIGH]).numpy()
  voice = linear_floors.voice_statistics(batch[keys.WAVEFORM])
  made = floors.pictures(truth, low, voice)
  own = floors.with_voice(low, voice, truth.shape[1:])['ridge_x']
  np.testing.assert_array_equal(own, made['ridge_both'])
  mean = np.tile(floors.regressions['ridge_both'].mean[-128:], [4, 1])
  silent = floors.with_voice(low, mean, truth.shape[1:])['ridge_x']
  np.testing.assert_array_equal(silent, made['ridge_silent'])
  # Voices of two people, a low and a high hum, are told apart.
  other = floors.with_voice(low, voice[::-1], truth.shape[1:])['ridge_x']
  error = lambda image: np.square(image.astype(float) - truth).mean()
  assert error(own) < error(silent) < error(other)


def test_data_without_training_people_have_no_floors(
    reconstructor: rows.Reconstructor, tmp_path: pathlib.Path) -> None:
  people = (('id0', 0, 30.0, ('open_test',)),)
  data_dir = run_folder.write_data(tmp_path / 'data', people)
  found = floor_fitting.fit(reconstructor, data_dir, seed=0)
  assert set(found.skipped) == {row.key for row in found.rows}
  assert 'fewer than two training frames' in found.skipped['pca64']
  image = np.zeros([1, 128, 128, 3], np.uint8)
  assert found.pictures(image, image[:, :8, :8], np.zeros([1, 128])) == {}
  assert found.with_voice(image[:, :8, :8], np.zeros([1, 128]), (1,)) == {}


def test_voices_that_are_all_alike_make_no_row() -> None:
  random = np.random.default_rng(0)
  x = np.concatenate(
      [random.normal(size=(20, 12)), np.full([20, 128], -1.0)], axis=1)
  moments = ridge_lib.moments(x, random.normal(size=(20, 3)))
  found = floor_fitting._regressions(moments, None, 12)
  assert list(found) == ['ridge_low']
  components = pca_lib.Components(
      np.zeros(4), np.eye(4)[:3], np.ones(3), 3.0, 20)
  assert set(floor_fitting._skipped(components, found)) == {
      'pca', 'ridge_voice', 'ridge_both', 'ridge_x', 'ridge_silent'}
