"""Others' judges take the place of the compact ones, and are named."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf.data import batching
from earsr_tf.data import keys
from earsr_tf.evaluation import judge_choice
from earsr_tf.evaluation import judges
from earsr_tf.models import classifiers
from tests import testing
from tests import vgg_face_files


def _pictures(data_dir: str) -> tf.Tensor:
  return next(iter(batching.make_eval_dataset(
      data_dir, splits=('open_test',), inputs=(keys.IMAGE_HIGH,),
      batch_size=4, frames_per_clip=2)))[keys.IMAGE_HIGH]


def _trained() -> tf.keras.Model:
  tf.keras.utils.set_random_seed(0)
  return classifiers.AttributeClassifier(
      side=32, use_norm=False, filters=4, num_speakers=4)


def test_files_give_gender_and_dexs_age(
    data_dir: str, tmp_path: pathlib.Path) -> None:
  age = vgg_face_files.deepface(tmp_path / 'age_model_weights.h5', 101)
  gender = vgg_face_files.deepface(tmp_path / 'gender_model_weights.h5', 2)
  config, trained = testing.tiny_config(), _trained()
  choice = judge_choice.JudgeChoice(
      age_weights=str(tmp_path / 'age_model_weights.h5'),
      gender_weights=str(tmp_path / 'gender_model_weights.h5'))
  found = judges.assemble(config, trained, data_dir, 4, choice)
  image = _pictures(data_dir)
  said = found.classifier(image)
  fed = vgg_face_files.bgr(image.numpy(), subtracts_mean=False)
  np.testing.assert_allclose(
      said['age'], age(fed).numpy() @ np.arange(101), rtol=1e-3)
  np.testing.assert_allclose(
      tf.nn.softmax(said['gender_logits']), gender(fed), rtol=1e-3)
  compact = judges.assemble(
      config, trained, data_dir, 4, judge_choice.JudgeChoice())
  np.testing.assert_allclose(  # C_i stays
      said['speaker_logits'], compact.classifier(image)['speaker_logits'],
      atol=1e-4)
  assert found.names['C_i'] == {
      'is': judge_choice.COMPACT, 'is_substitute': True}
  assert found.names['C_g']['file'] == 'gender_model_weights.h5'
  assert len(found.names['C_a']['sha256']) == 64
  assert not found.names['C_a']['is_substitute']


def test_vgg_face_names_people_without_a_trained_classifier(
    data_dir: str, tmp_path: pathlib.Path) -> None:
  path = tmp_path / 'vggface.h5'
  vgg_face_files.keras_vggface(path)
  config = testing.tiny_config()
  found = judges.assemble(
      config, None, data_dir, 4, judge_choice.JudgeChoice(str(path)))
  said = found.classifier(_pictures(data_dir))
  assert said['speaker_logits'].shape == [4, 4]
  assert np.abs(said['speaker_logits']).max() <= 1.0 + 1e-5
  assert found.names['C_i']['is'] == 'linear discriminant over VGG-Face'
  assert [facts['is_substitute'] for facts in found.names.values()] == [
      False, False, True]


def test_without_anybody_to_be_c_i(
    data_dir: str, tmp_path: pathlib.Path) -> None:
  path = tmp_path / 'age_model_weights.h5'
  vgg_face_files.deepface(path, 101)
  config = testing.tiny_config()
  with pytest.raises(config_lib.ConfigError, match='nobody to be C_i'):
    judges.assemble(config, None, data_dir, 4,
                    judge_choice.JudgeChoice(age_weights=str(path)))
  none = judges.assemble(
      config, None, data_dir, 4, judge_choice.JudgeChoice())
  assert none == judges.Judges(None, {})


def test_expected_age_is_no_argmax() -> None:
  probabilities = np.zeros([1, 101], np.float32)
  probabilities[0, [20, 50]] = 0.6, 0.4
  assert judges.expected_age(tf.constant(probabilities)).numpy() == (
      pytest.approx([32.0]))


def test_a_substitution_is_called_one() -> None:
  compact = {'is': judge_choice.COMPACT, 'is_substitute': True}
  named = {'judges': {
      'C_i': compact, 'C_a': {'is': 'x', 'is_substitute': False}}}
  assert judge_choice.sentence(named) == (
      'Judges: C_i: compact judge of this project, a substitution for the '
      "paper's VGG-Face; C_a: x.")
  assert judge_choice.sentence({}) == ''
