"""Tests of ops/shapes.py."""

from __future__ import annotations

import pytest
import tensorflow as tf

from earsr_tf.ops import shapes


def test_accepts_matching_and_unknown_sizes():
  shapes.assert_shape(tf.zeros([3, 12, 512]), [None, 12, 512], 'z_plus')

  @tf.function(input_signature=[tf.TensorSpec([None, None, 512])])
  def traced(x):
    shapes.assert_shape(x, [None, 12, 512], 'z_plus')
    return x

  assert traced(tf.zeros([1, 12, 512])).shape == (1, 12, 512)


@pytest.mark.parametrize('shape', [[3, 11, 512], [3, 12], [3, 12, 512, 1]])
def test_names_the_tensor_and_both_shapes(shape):
  with pytest.raises(ValueError) as error:
    shapes.assert_shape(tf.zeros(shape), [None, 12, 512], 'z_plus')
  assert str(error.value) == (
      f'z_plus must have shape [any, 12, 512]; got {shape}.')


def test_refuses_integers_where_floats_are_needed():
  with pytest.raises(ValueError, match='image must be floating point'):
    shapes.assert_floating(tf.zeros([1], tf.uint8), 'image')
  shapes.assert_floating(tf.zeros([1], tf.float64), 'image')


def test_doublings_are_a_logarithm() -> None:
  assert [shapes.doublings(factor) for factor in (2, 4, 16)] == [1, 2, 4]
  for factor in (0, 1, 12):
    with pytest.raises(ValueError, match=f'power of two >= 2; got {factor}'):
      shapes.doublings(factor)
