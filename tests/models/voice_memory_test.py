"""The memory of voices equals NumPy and forgets whom it is told to."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.models import voice_memory

_PLACES, _WIDTH = 5, 6
_KNOWN = np.array([True, True, False, True, True])


def _memory(directions: int = 3) -> tuple[
    voice_memory.VoiceMemory, dict[str, np.ndarray]]:
  random = np.random.default_rng(1)
  memory = voice_memory.VoiceMemory(
      in_features=_WIDTH, places=_PLACES, num_styles=2, latent_dim=3)
  values = {
      'mean': random.normal(size=[_WIDTH]),
      'directions': random.normal(size=[_WIDTH, directions]),
      'voices': random.normal(size=[_PLACES, directions]),
      'faces': random.normal(size=[_PLACES, 6]), 'is_known': _KNOWN}
  memory.fill(**values)
  return memory, values


def _expected(values: dict[str, np.ndarray], x: np.ndarray,
              forgotten: tuple[int, ...]) -> np.ndarray:
  made = []
  for row, without in zip(x, forgotten):
    where = (row - values['mean']) @ values['directions']
    people = [p for p in range(_PLACES) if _KNOWN[p] and p != without]
    near = np.array([
        np.sum((where - values['voices'][p]) ** 2) ** -6.0 for p in people])
    made.append(near @ values['faces'][people] / near.sum())
  return np.reshape(made, [-1, 2, 3])


def _voices(count: int) -> np.ndarray:
  return np.random.default_rng(2).normal(
      size=[count, _WIDTH]).astype(np.float32)


def test_faces_are_weighted_by_how_near_their_voices_are() -> None:
  memory, values = _memory()
  x = _voices(4)
  np.testing.assert_allclose(
      memory(tf.constant(x)), _expected(values, x, (-1,) * 4), rtol=1e-4,
      atol=1e-5)


def test_whoever_is_left_out_and_empty_places_have_no_weight() -> None:
  memory, values = _memory()
  x, without = _voices(4), (-1, 0, 3, 4)
  made = memory(tf.constant(x), tf.constant(without))
  np.testing.assert_allclose(
      made, _expected(values, x, without), rtol=1e-4, atol=1e-5)
  assert not np.allclose(made[1:], memory(tf.constant(x))[1:], atol=1e-3)


def test_a_known_voice_gets_its_own_face() -> None:
  memory, values = _memory()
  x = values['mean'] + values['voices'] @ np.linalg.pinv(values['directions'])
  made = memory(tf.constant(x, tf.float32)).numpy().reshape(_PLACES, -1)
  np.testing.assert_allclose(
      made[_KNOWN], values['faces'][_KNOWN], atol=1e-3)


def test_more_directions_than_it_keeps_are_cut_off() -> None:
  count = voice_memory.DIRECTIONS
  memory, values = _memory(count + 2)
  np.testing.assert_allclose(
      memory.directions, values['directions'][:, :count], rtol=1e-6)
  np.testing.assert_allclose(
      memory.voices, values['voices'][:, :count], rtol=1e-6)


def test_nothing_of_it_is_trained() -> None:
  memory, _ = _memory()
  assert not memory.trainable_variables


def test_a_wrong_width_is_refused() -> None:
  memory, _ = _memory()
  with pytest.raises(ValueError, match='memory input'):
    memory(tf.zeros([2, _WIDTH + 1]))
