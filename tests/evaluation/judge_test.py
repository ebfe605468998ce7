"""The judge of a data set, and what it reads in blurred pictures."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.data import batching
from earsr_tf.data import keys
from earsr_tf.data import manifest as manifest_lib
from earsr_tf.evaluation import attributes
from earsr_tf.evaluation import blur_curve
from earsr_tf.evaluation import judge as judge_lib
from earsr_tf.models import classifiers
from tests import run_folder


@pytest.fixture(name='classifier', scope='module')
def _classifier() -> classifiers.AttributeClassifier:
  tf.keras.utils.set_random_seed(0)
  return classifiers.AttributeClassifier(
      side=32, use_norm=False, filters=4, num_speakers=4)


@pytest.fixture(name='data_dir', scope='module')
def _data_dir(tmp_path_factory: pytest.TempPathFactory) -> str:
  return run_folder.write_data(tmp_path_factory.mktemp('data'))


def _pictures(data_dir: str, split: str) -> tuple[tf.Tensor, np.ndarray]:
  batch = next(iter(batching.make_eval_dataset(
      data_dir, splits=(split,), inputs=(keys.IMAGE_HIGH, keys.SPEAKER),
      batch_size=8, frames_per_clip=2)))
  return batch[keys.IMAGE_HIGH], batch[keys.SPEAKER].numpy()


def test_pictures_of_the_galleries_are_named(
    classifier: tf.keras.Model, data_dir: str) -> None:
  judge = judge_lib.enroll(
      judge_lib.classifier_reader(classifier), data_dir, 8)
  assert np.linalg.norm(judge.means, axis=1) == pytest.approx(1.0, rel=1e-5)
  image, speaker = _pictures(data_dir, 'd_pre')
  output = judge(image)
  assert {k: v.shape.as_list() for k, v in output.items()} == {
      'speaker_logits': [4, 4], 'gender_logits': [4, 2], 'age': [4]}
  np.testing.assert_array_equal(
      np.argmax(output['speaker_logits'], 1), speaker)
  np.testing.assert_array_equal(
      np.argmax(output['gender_logits'], 1), speaker % 2)
  np.testing.assert_allclose(output['age'], 30 + 10 * speaker, atol=2.0)


def test_a_mirrored_face_is_judged_as_the_face(
    classifier: tf.keras.Model, data_dir: str) -> None:
  judge = judge_lib.enroll(
      judge_lib.classifier_reader(classifier), data_dir, 8)
  image, _ = _pictures(data_dir, 'closed_test')
  one, two = judge(image), judge(image[:, :, ::-1])
  for name, value in one.items():
    np.testing.assert_allclose(value, two[name], rtol=1e-3, atol=1e-3)


def test_nothing_is_learned_from_the_open_set(
    classifier: tf.keras.Model, data_dir: str, tmp_path: pathlib.Path) -> None:
  closed = run_folder.write_data(tmp_path / 'closed', [
      (name, gender, age, tuple(
          split for split in splits if not split.startswith('open')))
      for name, gender, age, splits in run_folder.PEOPLE])
  with_open = judge_lib.enroll(
      judge_lib.classifier_reader(classifier), data_dir, 8)
  without = judge_lib.enroll(
      judge_lib.classifier_reader(classifier), closed, 8)
  image, _ = _pictures(data_dir, 'open_test')
  one, two = with_open(image), without(image)
  for name in ('gender_logits', 'age'):
    np.testing.assert_allclose(one[name], two[name], rtol=1e-4, atol=1e-4)
  np.testing.assert_array_equal(without.means[2:], 0.0)
  assert np.all(np.argmax(two['speaker_logits'], 1) < 2)


def test_without_training_clips_there_is_no_judge(
    classifier: tf.keras.Model, tmp_path: pathlib.Path) -> None:
  data_dir = run_folder.write_data(
      tmp_path / 'data', [('id0', 0, 30.0, ('open_gallery', 'open_test'))])
  with pytest.raises(manifest_lib.DataError, match='no records in d_pre'):
    judge_lib.enroll(
      judge_lib.classifier_reader(classifier), data_dir, 8)


def test_the_curve_asks_for_ever_smaller_pictures(data_dir: str) -> None:
  seen = []

  def judge(image: tf.Tensor) -> dict[str, tf.Tensor]:
    """Names person 2 in sharp pictures, 3 in those of 8x8."""
    seen.append(float(tf.math.reduce_std(image)))
    who = 2 if seen[-1] > 0.9 * seen[0] else 3
    return {'speaker_logits': tf.one_hot([who] * len(image), 4),
            'gender_logits': tf.one_hot([0] * len(image), 2),
            'age': tf.zeros([len(image)])}

  curve = blur_curve.measure(
      judge, data_dir, 'open_test', frames_per_clip=2, batch_size=8, seed=0)
  assert list(curve) == ['128', '64', '32', '16', '8']
  assert len(seen) == 5 and seen == sorted(seen, reverse=True)
  assert curve['128'] == {'identity_accuracy': 0.5, 'gender_accuracy': 0.5}


def test_the_protocol_says_who_is_known() -> None:
  assert 'nobody of the open set' in attributes.PROTOCOL


def test_a_descriptor_is_read_instead_of_a_classifier(data_dir: str) -> None:
  def colours(image: tf.Tensor) -> tf.Tensor:
    """[B, 4]: what tells the colours of these data's people apart."""
    mean = tf.reduce_mean(image, [1, 2])
    return tf.concat([mean, mean[:, :1] - mean[:, 1:2]], 1)

  reader = judge_lib.descriptor_reader(colours)
  judge = judge_lib.enroll(reader, data_dir, 8)
  image, speaker = _pictures(data_dir, 'd_pre')
  np.testing.assert_array_equal(
      np.argmax(judge(image)['speaker_logits'], 1), speaker)
  codes = reader.read(image)
  assert codes.shape == (4, 4)
  np.testing.assert_allclose(np.linalg.norm(codes, axis=1), 1.0, rtol=1e-5)
