"""tools.pretrain_judge: pictures, training and the weights it writes."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.models import face_descriptor
from tools.pretrain_judge import stills
from tools.pretrain_judge import training


def test_pictures_do_not_depend_on_the_number_of_workers() -> None:
  one = stills.draw(speakers=4, videos=2, seed=3, workers=1)
  two = stills.draw(speakers=4, videos=2, seed=3, workers=2)
  assert one.pictures.shape == (4, 2, 128, 128, 3)
  np.testing.assert_array_equal(one.pictures, two.pictures)
  np.testing.assert_array_equal(one.gender, two.gender)
  assert sorted(one.gender) == [0, 0, 1, 1]
  # Of two videos, so in another light and place.
  assert np.abs(one.pictures[:, 0].astype(int) - one.pictures[:, 1]).mean() > 5


def test_folded_weights_answer_as_the_trained_network() -> None:
  tf.keras.utils.set_random_seed(0)
  model = training.network()
  for layer in model.layers:
    if layer.name.startswith('norm_'):
      layer.set_weights([
          np.random.default_rng(1).uniform(0.5, 1.5, value.shape)
          for value in layer.get_weights()])
  image = tf.random.stateless_uniform([3, 64, 64, 3], [1, 2], -1.0, 1.0)
  expected = model(image, training=False)[0].numpy()
  found = face_descriptor.FaceDescriptor(
      weights=training.folded(model))(image).numpy()
  scale = np.abs(expected).max()
  np.testing.assert_allclose(found / scale, expected / scale, atol=3e-3)


@pytest.mark.slow
def test_training_learns_people_and_reports_strangers() -> None:
  rng = np.random.default_rng(0)
  looks = rng.integers(40, 216, [6, 1, 4, 4, 3]).repeat(32, 2).repeat(32, 3)
  noise = rng.integers(-30, 30, [6, 6, 128, 128, 3])
  world = stills.Stills(
      (looks + noise).astype(np.uint8), np.arange(6, dtype=np.int32) % 2,
      np.linspace(20, 60, 6).astype(np.float32))
  seen: list[training.Seen] = []
  weights = training.train(
      world, held_out=2, images=6_400 + 64 * 20, seed=1, report_every=3_200,
      report=seen.append)
  assert [one.images for one in seen] == [3_200, 6_400, 7_680]
  assert seen[-1].loss < 0.8 * seen[0].loss
  assert seen[-1].person == 1.0
  assert weights['kernel_dense'].dtype == np.float16
  assert set(weights) == {
      f'{kind}_{name}' for kind in ('kernel', 'bias')
      for name in [*map(str, range(7)), 'dense']}
