"""Refusals inside a graph: InvalidArgument with one sentence for people."""

from __future__ import annotations

import re

import tensorflow as tf

_SENTENCE = re.compile(r'assertion failed: \[(?P<text>.*?)\](?:\s|$)', re.S)
_DECODER = re.compile(r'(?P<text>Invalid (?:PNG|JPEG)[^.\[{,]*)')


def unless(condition: tf.Tensor, *text: tf.Tensor | str) -> tf.Operation:
  """Fails when run unless a condition holds.

  Args:
    condition: [] bool.
    *text: Parts of the sentence; string tensors may be among them.

  Returns:
    The operation, for `tf.control_dependencies`.
  """
  return tf.debugging.Assert(condition, [tf.strings.join(list(text))])


def checked(value: tf.Tensor, *checks: tf.Operation) -> tf.Tensor:
  """`value`, which exists only when the checks have passed."""
  # Eager checks have failed already and give no operation.
  with tf.control_dependencies([c for c in checks if c is not None]):
    return tf.identity(value)


def finite(values: tf.Tensor, name: str = 'waveform') -> tf.Tensor:
  """Refuses NaN and infinities.

  Args:
    values: [N, ...] floating point.
    name: What they are called.

  Returns:
    The same.
  """
  return checked(values, unless(
      tf.reduce_all(tf.math.is_finite(values)),
      f'{name}: has values that are NaN or infinite; give numbers'
      + (' in [-1, 1]' if name == 'waveform' else '')))


def strength(values: tf.Tensor, most: float) -> tf.Tensor:
  """Refuses strengths of the voice outside their range, NaN included.

  Args:
    values: [N] floating point.
    most: Their upper end.

  Returns:
    The same.
  """
  return checked(values, unless(
      tf.reduce_all((values >= 0.0) & (values <= most)),
      f'voice_strength must lie between 0 and {most}'))


def batch(**inputs: tf.Tensor) -> list[tf.Tensor]:
  """Refuses inputs of no rows, and of different numbers of them.

  Args:
    **inputs: [N, ...] each, under their names.

  Returns:
    The same tensors, in order.
  """
  names = ' and '.join(inputs)
  counts = [tf.shape(value)[0] for value in inputs.values()]
  checks = [unless(counts[0] > 0, names, ': give at least one')]
  checks += [unless(count == counts[0], names, ': give as many of each')
             for count in counts[1:]]
  return [checked(value, *checks) for value in inputs.values()]


def sentence(error: tf.errors.InvalidArgumentError) -> str:
  """What a graph's refusal says, without the names of nodes around it.

  Args:
    error: What a signature raised.

  Returns:
    One line.
  """
  text = str(error.message)
  found = _SENTENCE.search(text)
  if found:
    return ' '.join(found['text'].split())
  found = _DECODER.search(text)
  if found:
    return f'image_bytes: is damaged ({found["text"].strip()})'
  if 'Could not parse example' in text or 'Feature: ' in text:
    return ('examples: one is no tf.Example with `frames` (bytes) and `voice` '
            '(one of bytes)')
  return 'the inputs do not fit the signature'
