"""The judges of an evaluation: compact ones, or others' weights (section 4.4).

C_i is a linear discriminant over VGG-Face's features where the paper tunes
VGG-Face for ten epochs; C_g and C_a are taken as their files have them. C_a is
DEX's: the expected value of 101 probabilities.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
from typing import Any, Mapping

import numpy as np
import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf.evaluation import attributes
from earsr_tf.evaluation import feature_distances
from earsr_tf.evaluation import judge as judge_lib
from earsr_tf.evaluation import judge_choice
from earsr_tf.models import face_descriptor
from earsr_tf.models import vgg_face

_GENDERS, _AGES = 2, 101
_EPSILON = 1e-12


@dataclasses.dataclass(frozen=True)
class Judges:
  """What an evaluation's pictures are judged by.

  Attributes:
    classifier: C_i, C_g and C_a; None if there are none.
    names: Judge -> `is`, `is_substitute`, and `file` and `sha256` of its
      weights, if any; empty without judges.
    features: What FID and KID are made of, if they are asked for.
    features_name: How tables name these features.
  """
  classifier: attributes.Classifier | None
  names: Mapping[str, Mapping[str, Any]]
  features: feature_distances.Features | None = None
  features_name: str = ''


def assemble(config: config_lib.Config,
             trained: attributes.Classifier | None, data_dir: str,
             batch_size: int, choice: judge_choice.JudgeChoice) -> Judges:
  """Makes the judges: one pass over the galleries.

  Args:
    config: The run's.
    trained: What stage `attributes` left, if anything.
    data_dir: Folder of prepared shards.
    batch_size: Images at a time.
    choice: Weights of others.

  Returns:
    The judges.

  Raises:
    ConfigError: If a file is unusable, or nobody is there to be C_i.
    DataError: If the data are damaged or hold nothing to learn from.
  """
  network = {}  # read before the galleries: a wrong file is told at once
  for field, outputs in (('vgg_face', None), ('gender_weights', _GENDERS),
                         ('age_weights', _AGES)):
    if path := getattr(choice, field):
      network[field] = vgg_face.VGGFace(
          layers=vgg_face.read(path, f'--{field}', outputs),
          subtracts_mean=field == 'vgg_face')
  reader, what = _reader(config, trained, network.get('vgg_face'))
  if reader is None:
    if network:
      raise config_lib.ConfigError(
          f'--{next(iter(network))}: there is nobody to be C_i; name '
          '--vgg_face=FILE, too, or train stage attributes')
    return Judges(None, {}, *_features(None, '', choice))
  features = _features(reader, what, choice)
  judge = judge_lib.enroll(reader, data_dir, batch_size)
  return Judges(_combined(judge, network), _names(what, choice), *features)


def expected_age(probabilities: tf.Tensor) -> tf.Tensor:
  """DEX: [B, 101] probabilities of the ages 0 to 100 -> [B] years."""
  return tf.linalg.matvec(
      probabilities, tf.range(_AGES, dtype=probabilities.dtype))


def _reader(config: config_lib.Config, trained: attributes.Classifier | None,
            vgg: vgg_face.VGGFace | None
            ) -> tuple[judge_lib.Reader | None, str]:
  """What C_i reads, and what that is called."""
  if vgg is not None:
    return judge_lib.descriptor_reader(
        lambda image: vgg(image)['features']), 'VGG-Face'
  if config.attributes.descriptor:
    return judge_lib.descriptor_reader(
        face_descriptor.load(face_descriptor.JUDGE)), ''
  return (None if trained is None
          else judge_lib.classifier_reader(trained)), ''


def _features(reader: judge_lib.Reader | None, what: str,
              choice: judge_choice.JudgeChoice
              ) -> tuple[feature_distances.Features | None, str]:
  """What FID and KID are made of, and its name."""
  if not choice.fid:
    return None, ''
  if choice.fid != 'judge':
    return (feature_distances.load(choice.fid),
            f'SavedModel {os.path.basename(os.path.normpath(choice.fid))}')
  if reader is None:
    raise config_lib.ConfigError(
        '--fid=judge: there is no judge; name a SavedModel, or train stage '
        'attributes')
  name = what or judge_choice.COMPACT
  return (lambda image: np.asarray(reader.read(image))[:, reader.pixels:],
          f"{name}, a substitution for Inception's")


def _combined(judge: judge_lib.Judge,
              network: Mapping[str, vgg_face.VGGFace]
              ) -> attributes.Classifier:
  """A classifier of which some heads are others' networks."""
  def classify(image_high: tf.Tensor) -> dict[str, tf.Tensor]:
    """As `attributes.Classifier`."""
    said = judge(image_high)
    if 'gender_weights' in network:
      found = network['gender_weights'](image_high)['probabilities']
      said['gender_logits'] = tf.math.log(tf.maximum(found, _EPSILON))
    if 'age_weights' in network:
      said['age'] = expected_age(
          network['age_weights'](image_high)['probabilities'])
    return said
  return classify if {*network} - {'vgg_face'} else judge


def _names(what: str, choice: judge_choice.JudgeChoice
           ) -> dict[str, dict[str, Any]]:
  """How tables and evaluation.json name the judges."""
  base = {'is': f'linear discriminant over {what}' if what
          else judge_choice.COMPACT, 'is_substitute': not what}
  if what:
    base |= _file(choice.vgg_face)
  names = {'C_i': base, 'C_g': dict(base), 'C_a': {
      **base, 'is_substitute': True}}
  if choice.gender_weights:
    names['C_g'] = {'is': 'VGG-Face of two outputs', 'is_substitute': False,
                    **_file(choice.gender_weights)}
  if choice.age_weights:
    names['C_a'] = {
        'is': 'VGG-Face of 101 outputs, expected value as DEX',
        'is_substitute': False, **_file(choice.age_weights)}
  return names


def _file(path: str) -> dict[str, str]:
  """Names a file for good."""
  with open(path, 'rb') as file:
    digest = hashlib.file_digest(file, 'sha256').hexdigest()
  return {'file': os.path.basename(path), 'sha256': digest}
