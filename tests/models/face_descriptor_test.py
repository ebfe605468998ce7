"""The judges' face descriptor: the weights that come with the package."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.models import face_descriptor
from earsr_tf.synthetic import people
from earsr_tf.synthetic import portrait
from earsr_tf.synthetic import pose


def _faces(count: int) -> np.ndarray:
  """[count, 2, 128, 128, 3] in [-1, 1]: people, each in two videos."""
  rows = []
  for person in people.make_population(count, 31, 0.0):
    for video in ('a', 'b'):
      setting = portrait.make_setting(
          person.face, person.seed, person.speaker, video)
      frame = portrait.still(setting, pose.Pose(scale=1.4), 0.2)
      rows.append(tf.image.resize(
          frame.astype(np.float32), [128, 128], antialias=True))
  return (np.stack(rows) / 127.5 - 1).reshape(count, 2, 128, 128, 3)


def test_strangers_of_a_new_world_are_named_by_another_picture() -> None:
  faces = _faces(20)
  codes = face_descriptor.load(face_descriptor.JUDGE)(
      tf.constant(faces.reshape(-1, 128, 128, 3), tf.float32)).numpy()
  assert codes.shape == (40, face_descriptor.WIDTH)
  codes = (codes / np.linalg.norm(codes, axis=1, keepdims=True)).reshape(
      20, 2, -1)
  likeness = codes[:, 0] @ codes[:, 1].T
  named = np.argmax(likeness, 1) == np.arange(20)
  assert named.mean() >= 0.85  # 1 in 20 by chance.


def test_sides_are_averaged_down_and_others_refused() -> None:
  descriptor = face_descriptor.load(face_descriptor.JUDGE)
  image = tf.random.stateless_uniform([2, 64, 64, 3], [1, 2], -1.0, 1.0)
  enlarged = tf.repeat(tf.repeat(image, 2, 1), 2, 2)
  np.testing.assert_allclose(
      descriptor(enlarged), descriptor(image), rtol=1e-4, atol=1e-4)
  with pytest.raises(ValueError):
    descriptor(image[:, :32])
