"""Whom the memory of voices leaves out: a share, by place in the step."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from earsr_tf.data import keys
from earsr_tf.stages import audio
from earsr_tf.stages import stage as stage_lib
from tests import fakes


def _clock(count: int) -> stage_lib.Clock:
  return stage_lib.Clock(
      step=tf.constant(3, tf.int64), images=tf.constant(24, tf.int64),
      seed=tf.constant([5, 6]), resolution=16, batch_size=count,
      alpha=tf.constant(1.0))


def _left_out(share: float, chosen: slice = slice(None)) -> np.ndarray | None:
  speaker = np.arange(100, dtype=np.int32)
  found = audio.strangers(share, {
      keys.INDEX: tf.constant(np.arange(24, 124)[chosen]),
      keys.SPEAKER: tf.constant(speaker[chosen])}, _clock(100))
  return None if found is None else found.numpy()


def test_nobody_and_everybody() -> None:
  assert _left_out(0.0) is None
  np.testing.assert_array_equal(_left_out(1.0), np.arange(100))


def test_a_share_is_left_out_whichever_replica_asks() -> None:
  found = _left_out(0.3)
  is_stranger = found >= 0
  np.testing.assert_array_equal(found[is_stranger], np.flatnonzero(is_stranger))
  assert 18 <= is_stranger.sum() <= 42
  np.testing.assert_array_equal(_left_out(0.3, slice(50, 100)), found[50:])


def test_stages_hear_strangers_only_if_they_are_asked_to() -> None:
  config = fakes.linear_config(8)
  assert config.audio.stranger_share == config.fusion.stranger_share == 0.5
  for name in ('audio', 'fusion'):
    assert keys.SPEAKER in fakes.stage(name, config).inputs
