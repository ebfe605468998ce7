"""dlib's distances: real faces, where dlib is there; columns, always."""

from __future__ import annotations

import importlib.util
import pathlib

import numpy as np
import pytest

from earsr_tf import config as config_lib
from earsr_tf import evaluate
from earsr_tf.data import manifest as manifest_lib
from earsr_tf.evaluation import comparisons
from earsr_tf.evaluation import dlib_faces
from earsr_tf.evaluation import evaluator
from earsr_tf.evaluation import judge_choice
from earsr_tf.evaluation import picture_folder
from earsr_tf.evaluation import pictures
from earsr_tf.evaluation import rows
from earsr_tf.evaluation import sweep
from tests import testing

_IS_THERE = importlib.util.find_spec('dlib') is not None


@pytest.fixture(name='faces')
def fixture_faces(monkeypatch: pytest.MonkeyPatch) -> None:
  """A descriptor that is the mean colour; dark pictures show no face."""
  def find(image: np.ndarray) -> dlib_faces.Originals:
    place = np.ones([len(image), 6, 2], np.int64)
    place[image.max(axis=(1, 2, 3)) < 9] = 0
    return dlib_faces.Originals(place, codes(image, place))

  def codes(image: np.ndarray, place: np.ndarray) -> np.ndarray:
    found = image.mean(axis=(1, 2)) / 255.0
    return np.where(place[:, :1, 0] == 0, np.nan, found)
  monkeypatch.setattr(dlib_faces, 'find', find)
  monkeypatch.setattr(dlib_faces, '_codes', codes)
  monkeypatch.setattr(dlib_faces, 'check_installed', lambda: None)


def test_distances_and_the_share_below_the_threshold(faces: None) -> None:
  truth = np.stack([np.full([32, 32, 3], level, np.uint8)
                    for level in (255, 255, 0)])
  image = np.stack([np.full([32, 32, 3], level, np.uint8)
                    for level in (204, 51, 200)])
  found = dlib_faces.score(image, dlib_faces.find(truth))
  np.testing.assert_allclose(
      found['descriptor_distance'],
      [0.2 * 3 ** 0.5, 0.8 * 3 ** 0.5, np.nan])
  np.testing.assert_array_equal(found['descriptor_same'], [1.0, 0.0, np.nan])
  means = comparisons.means(found)
  assert means['descriptor_same'] == 0.5
  assert means['descriptor_distance'] == pytest.approx(0.5 * 3 ** 0.5)
  assert 'descriptor_same' not in comparisons.means({})


def test_every_row_of_an_evaluation_has_them(
    faces: None, run_root: str, data_dir: str,
    monkeypatch: pytest.MonkeyPatch) -> None:
  reconstructor = rows.load(run_root, 4)
  found = evaluator.evaluate_set(
      reconstructor, data_dir, 'open', frames_per_clip=1, batch_size=4,
      seed=0, descriptor='dlib')
  for key, row in found.report['rows'].items():
    assert 0.0 <= row['descriptor_same'] <= 1.0, key
  assert found.report['rows']['original']['descriptor_distance'] == 0.0
  # Row (x) is made in the second pass, from what the first one kept.
  assert found.report['rows']['x']['descriptor_distance'] > 0.0
  assert {(item['a'], item['b']) for item in found.report['comparisons']
          if item['metric'] == 'descriptor_distance'} == {
              ('h', 'c'), ('h', 'x')}
  assert sweep.Sweep(reconstructor=reconstructor).scores() == {}


def test_drawn_faces_and_a_missing_package_are_refused(
    run_root: str, data_dir: str, monkeypatch: pytest.MonkeyPatch) -> None:
  choice = judge_choice.JudgeChoice(descriptor='dlib')
  monkeypatch.setattr(importlib.util, 'find_spec', lambda name: name)
  with pytest.raises(manifest_lib.DataError, match='reads real faces'):
    evaluator.evaluate(run_root, data_dir, choice=choice)
  monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
  with pytest.raises(config_lib.ConfigError, match='pip install dlib-bin'):
    evaluator.evaluate(run_root, data_dir, choice=choice)


@pytest.mark.skipif(not _IS_THERE, reason='the package dlib-bin is not there')
def test_the_authors_outputs_by_dlib(tmp_path: pathlib.Path) -> None:
  folder = testing.shared_dir() / 'data' / 'official_test7' / 'output'
  names, scores = pictures.score(
      picture_folder.read_strips(str(folder)), descriptor='dlib')
  assert len(names) == 7
  distance = {key: row['descriptor_distance'] for key, row in scores.items()}
  assert {key: values.mean() for key, values in distance.items()} == (
      pytest.approx({'bicubic': 0.691, 'c': 0.742, 'h': 0.581}, abs=0.01))
  assert scores['h']['descriptor_same'].sum() == 4
  results = evaluate.score_pictures(
      str(folder), output=str(tmp_path / 'scores'), descriptor='dlib')
  assert results['rows']['h']['descriptor_distance'] == pytest.approx(
      distance['h'].mean())
  assert dlib_faces.PROTOCOL in results['protocol']
