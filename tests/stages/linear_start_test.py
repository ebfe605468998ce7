"""Linear parts in closed form: equal to NumPy on all images of the stream."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from earsr_tf.data import keys
from earsr_tf.models import linear_base
from earsr_tf.models import linear_path
from earsr_tf.models import voice_memory
from earsr_tf.ops import latent
from earsr_tf.ops import ridge
from earsr_tf.stages import linear_start
from earsr_tf.stages import low_res
from tests import fakes

_SIZES = (16, 16, 8)  # batches of unequal size


def _stream(count: int = 40) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Inputs [N, 5], codes [N, 3, 4] that follow from them, people [N]."""
  random = np.random.default_rng(5)
  x = random.normal(size=[count, 5]).astype(np.float32)
  values = x @ random.normal(size=[5, 2 + 3 * 2]) + 0.5
  values += 0.3 * random.normal(size=values.shape)
  code = latent.arrange(tf.constant(values, tf.float32), 3, 2).numpy()
  return x, code, random.integers(0, 10, count)


def _batches(x: np.ndarray, code: np.ndarray, speaker: np.ndarray):
  ends = np.cumsum(_SIZES)
  for start, end in zip(ends - _SIZES, ends):
    yield {'x': tf.constant(x[start:end]), 'code': tf.constant(
        code[start:end]), keys.SPEAKER: tf.constant(speaker[start:end])}


def _fit(speaker: np.ndarray | None = None, sizes: np.ndarray = np.ones(12)
         ) -> tuple[linear_path.LinearPath, ridge.Regression]:
  x, code, people = _stream()
  path = linear_path.LinearPath(in_features=5, num_styles=3, latent_dim=4)
  found = linear_start.fit_path(
      path, lambda batch: (batch['x'], batch['code']),
      _batches(x, code, people if speaker is None else speaker),
      sizes.astype(np.float32))
  return path, found


def test_a_path_is_the_ridge_of_all_with_a_penalty_for_unseen_people():
  x, code, people = _stream()
  values = code.reshape(len(code), -1)
  path, found = _fit()
  held_back = people % 5 == 0
  parts = [ridge.moments(x[part], values[part])
           for part in (~held_back, held_back)]
  assert found.penalty == ridge.choose(*parts)
  design = np.c_[np.ones(len(x)), (x - x.mean(0)) / x.std(0)]
  penalty = len(x) * found.penalty * np.diag([0.0, 1, 1, 1, 1, 1])
  solved = np.linalg.solve(design.T @ design + penalty, design.T @ values)
  expected = design @ solved
  np.testing.assert_allclose(
      tf.reshape(path(tf.constant(x)), expected.shape), expected, atol=1e-4)
  assert np.square(expected - values).mean() < 0.3 * values.var()


def test_one_person_alone_is_fitted_with_a_fixed_penalty():
  path, found = _fit(np.zeros(40, np.int32))
  assert found.penalty == 1e-2
  assert np.any(path.kernel)


def test_the_penalty_is_chosen_by_what_shows_and_the_code_keeps_its_units():
  x, code, people = _stream()
  sizes = np.array([0.0] + [1e-3] * 10 + [5.0])
  held_back = people % 5 == 0
  shown = code.reshape(len(code), -1) * sizes
  parts = [ridge.moments(x[part], shown[part])
           for part in (~held_back, held_back)]
  path, found = _fit(sizes=sizes)
  assert found.penalty == ridge.choose(*parts)
  plain = ridge.fit(
      ridge.moments(x, code.reshape(len(code), -1)), found.penalty)
  np.testing.assert_allclose(
      path.kernel.numpy()[:, 1:], plain.weights[:, 1:], atol=1e-4)
  assert not np.any(path.kernel.numpy()[:, 0])


def test_the_images_of_a_batch_may_come_several_times():
  x, code, people = _stream()
  path = linear_path.LinearPath(in_features=5, num_styles=3, latent_dim=4)
  linear_start.fit_path(
      path, lambda batch: (
          tf.concat([batch['x'], -batch['x']], 0),
          tf.concat([batch['code'], batch['code'] + 1.0], 0)),
      _batches(x, code, people), np.ones(12, np.float32))
  twice = np.concatenate([x, -x])
  expected = code.mean((0,)).reshape(-1) + 0.5
  made = tf.reshape(path(tf.constant(twice)), [len(twice), -1])
  np.testing.assert_allclose(np.mean(made, 0), expected, atol=1e-4)


def test_a_base_is_fitted_to_all_batches():
  base = linear_base.LinearBase(
      side=4, num_styles=6, latent_dim=3, leading=2)
  images = np.random.default_rng(2).uniform(
      -1, 1, [40, 4, 4, 3]).astype(np.float32)
  linear_start.fit_base(base, iter([
      {keys.IMAGE_HIGH: tf.constant(images[:24])},
      {keys.IMAGE_HIGH: tf.constant(images[24:])}]))
  flat = images.reshape(40, -1)
  np.testing.assert_allclose(base.mean, flat.mean(0).reshape(4, 4, 3),
                             atol=1e-6)
  size = np.linalg.svd(flat - flat.mean(0), compute_uv=False)[:8]
  np.testing.assert_allclose(
      np.linalg.norm(base.basis.numpy().reshape(8, -1), axis=1),
      size / np.sqrt(40), rtol=1e-4)


def test_low_res_starts_at_the_ridge_of_its_pixels():
  config = fakes.linear_config(8)
  stage = low_res.stage(config)
  tf.keras.utils.set_random_seed(1)
  networks = stage.build()
  random = np.random.default_rng(4)
  linear = networks['image_encoder'].linear
  linear.fill(random.normal(size=linear.kernel.shape),
                random.normal(size=linear.bias.shape))
  batch = fakes.batch(32)
  networks['generator'].base.basis.assign(random.normal(
      size=networks['generator'].base.basis.shape))
  stage.start(networks, iter([batch]))
  x_low = low_res.image_low(config, batch[keys.IMAGE_HIGH])
  z = networks['image_encoder'](batch[keys.IMAGE_HIGH])
  z_low = networks['low_res_encoder'](x_low)
  error = np.square(z_low - z).mean()
  assert error < np.square(z - np.mean(z, axis=0)).mean()
  assert {keys.SPEAKER} <= set(stage.inputs)
  assert (stage.start_images, stage.start_batch) == (8, 8)


def test_a_memory_recalls_whom_it_heard_and_passes_over_the_rest() -> None:
  random = np.random.default_rng(3)
  voices, faces = random.normal(size=[5, 8]), random.normal(size=[5, 3, 4])
  person = np.arange(40) % 5
  x = (voices[person] + 0.05 * random.normal(size=[40, 8])).astype(np.float32)
  code = (faces[person] + random.normal(size=[40, 3, 4])).astype(np.float32)
  memory = voice_memory.VoiceMemory(
      in_features=8, places=4, num_styles=3, latent_dim=4)
  linear_start.fit_memory(
      memory, lambda batch: (batch['x'], batch['code']),
      _batches(x, code, person))
  expected = [code[person == known].mean(0) for known in range(4)]
  np.testing.assert_allclose(
      memory(tf.constant(voices[:4], tf.float32)), expected, atol=0.05)
  np.testing.assert_array_equal(memory.is_known, np.ones(4))
  stranger = memory(tf.constant(voices[4:], tf.float32))
  assert np.abs(stranger[0] - code[person == 4].mean(0)).max() > 0.5
