"""FID and KID with known answers, by features of a file."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf.evaluation import evaluator
from earsr_tf.evaluation import feature_distances
from earsr_tf.evaluation import judge_choice
from earsr_tf.evaluation import judges
from earsr_tf.evaluation import tables
from tests import testing


def _means(image: tf.Tensor) -> np.ndarray:
  return tf.reduce_mean(image, [1, 2]).numpy()


def test_kernel_distance_equals_its_definition() -> None:
  random = np.random.default_rng(0)
  a, b = random.normal(size=(5, 3)), random.normal(size=(4, 3)) + 1.0
  kernel = lambda x, y: (x @ y / 3.0 + 1.0) ** 3
  total = 0.0
  for x in (a, b):
    total += np.mean([kernel(x[i], x[j]) for i in range(len(x))
                      for j in range(len(x)) if i != j])
  total -= 2.0 * np.mean([kernel(x, y) for x in a for y in b])
  assert feature_distances.kernel_distance(a, b) == pytest.approx(total)


def test_kernel_distance_is_unbiased() -> None:
  random = np.random.default_rng(1)
  found = [feature_distances.kernel_distance(
      random.normal(size=(20, 2)), random.normal(size=(20, 2)))
           for _ in range(400)]
  assert abs(np.mean(found)) < 4.0 * np.std(found) / 20.0
  assert min(found) < 0.0


def test_rows_are_compared_with_the_originals() -> None:
  random = np.random.default_rng(2)
  truth = random.integers(0, 256, (40, 8, 8, 3), dtype=np.uint8)
  collected = feature_distances.FeatureDistances(features=_means)
  for key, image in (('original', truth), ('same', truth),
                     ('dark', truth // 2)):
    collected.add(key, image[:30])
    collected.add(key, image[30:])
  found = collected.distances()
  assert list(found) == ['same', 'dark']
  assert found['same']['fid'] == pytest.approx(0.0, abs=1e-9)
  # Half as bright: means of about 0 and -.5 in three colours.
  assert found['dark']['fid'] == pytest.approx(3 * 0.5 ** 2, rel=0.1)
  assert found['dark']['kid'] > 0.1 > abs(found['same']['kid'])


def _save(folder: pathlib.Path, pools: bool) -> str:
  image = tf.keras.Input([None, None, 3])
  pooled = tf.keras.layers.GlobalAveragePooling2D()(image)
  tf.saved_model.save(
      tf.keras.Model(image, pooled if pools else image), str(folder))
  return str(folder)


def test_a_saved_model_gives_the_features(tmp_path: pathlib.Path) -> None:
  image = np.random.default_rng(3).uniform(
      -1.0, 1.0, size=(2, 16, 16, 3)).astype(np.float32)
  features = feature_distances.load(_save(tmp_path / 'means', True))
  np.testing.assert_allclose(
      features(tf.constant(image)), image.mean(axis=(1, 2)), atol=1e-6)
  maps = feature_distances.load(_save(tmp_path / 'maps', False))
  with pytest.raises(config_lib.ConfigError, match=r'not \[2, D\]'):
    maps(tf.constant(image))
  with pytest.raises(config_lib.ConfigError, match='is no SavedModel'):
    feature_distances.load(str(tmp_path))


def test_an_evaluation_by_the_judges_features(
    run_root: str, data_dir: str) -> None:
  results = evaluator.evaluate(
      run_root, data_dir, sets=('open',), frames_per_clip=1, floors=False,
      choice=judge_choice.JudgeChoice(fid='judge')).results
  found = results['sets']['open']['rows']
  assert 'fid' not in found['original']
  assert all(row['fid'] >= 0.0 and np.isfinite(row['kid'])
             for key, row in found.items() if key != 'original')
  assert found['x']['fid'] > 0.0
  table = tables.fidelity_table(results)
  assert 'by features of: compact judge of this project, a substitution' in (
      table)
  assert '| KID x 1000 (open) |' in table


def test_without_a_judge_there_are_no_features_of_it(data_dir: str) -> None:
  with pytest.raises(config_lib.ConfigError, match='there is no judge'):
    judges.assemble(testing.tiny_config(), None, data_dir, 4,
                    judge_choice.JudgeChoice(fid='judge'))
