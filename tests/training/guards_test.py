"""Tests of earsr_tf.training.guards: what is counted and how it is told."""

from __future__ import annotations

import pytest
import tensorflow as tf

from earsr_tf.training import guards
from tests import fakes


def test_skips_are_counted_in_all_and_in_a_row() -> None:
  skips = guards.Skips(stage=fakes.stage('generator'))
  for discriminator, total, streak in (
      (False, 0, 0), (True, 1, 1), (True, 2, 2), (False, 2, 0), (True, 3, 1)):
    skips.observe({'generator': False, 'discriminator': discriminator})
    assert (int(skips.total), skips.streak()) == (total, streak)
  # An update that rests in a step keeps its streak.
  skips.observe({'generator': False})
  assert (int(skips.total), skips.streak()) == (3, 1)
  skips.observe({'generator': True, 'discriminator': True})
  assert (int(skips.total), skips.streak()) == (4, 2)


def test_skips_are_in_a_checkpoint(tmp_path) -> None:
  skips = guards.Skips(stage=fakes.stage('generator'))
  skips.observe({'generator': True})
  path = tf.train.Checkpoint(skips=skips).write(str(tmp_path / 'c'))
  other = guards.Skips(stage=fakes.stage('generator'))
  tf.train.Checkpoint(skips=other).read(path).assert_consumed()
  assert (int(other.total), other.streak()) == (1, 1)


@pytest.mark.parametrize('metrics, words', [
    ({'l1': float('nan'), 'feature': 2.0},
     'term l1 is not finite (l1=nan, feature=2)'),
    ({'a': float('inf'), 'b': float('nan')},
     'term a and b is not finite (a=inf, b=nan)'),
    ({'l1': 1.0}, 'the terms are finite (l1=1), the gradient is not (norm '
                  'inf)')])
def test_the_culprit_is_named(metrics: dict[str, float], words: str) -> None:
  assert guards.culprit({
      **metrics, 'total': 0.0, 'is_finite': 0.0,
      'grad_norm': float('inf')}) == words


def test_images_are_named_by_position() -> None:
  assert guards.images([12, 13, 14]) == 'images 12 to 14 of the stream'
  assert guards.images([]) == 'no images'


def test_variables_that_are_not_finite_are_named() -> None:
  good = tf.Variable([1.0, -1e38], name='good')
  bad = tf.Variable([1.0, float('inf')], name='bad')
  count = tf.Variable(3, name='count')
  assert guards.non_finite([good, bad, count]) == ['bad:0']
  assert not guards.non_finite([count])
