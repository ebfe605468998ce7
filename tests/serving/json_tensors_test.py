"""Bodies of requests and answers, in TensorFlow Serving's shapes."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.serving import json_tensors

_LOW = tf.TensorSpec([None, 2, 3], tf.uint8)
_WAVE = tf.TensorSpec([None, 4], tf.float32)
_FILE = tf.TensorSpec([None], tf.string)
_OFFERED = {
    'serving_default': {'examples': _FILE},
    'both': {'image_low': _LOW, 'waveform': _WAVE},
    'files': {'image_bytes': _FILE, 'audio_bytes': _FILE},
    'image_only': {'image_low': _LOW}}
_IMAGE = [[0, 1, 2], [3, 4, 255]]


def _b64(content: bytes) -> dict[str, str]:
  return {'b64': base64.b64encode(content).decode()}


def test_rows_and_columns_say_the_same() -> None:
  rows = {'signature_name': 'both', 'instances': [
      {'image_low': _IMAGE, 'waveform': [0, 0.5, -1, 1]},
      {'image_low': _IMAGE, 'waveform': [1, 2, 3, 4]}]}
  columns = {'signature_name': 'both', 'inputs': {
      'image_low': [_IMAGE, _IMAGE],
      'waveform': [[0, 0.5, -1, 1], [1, 2, 3, 4]]}}
  for body, in_rows in ((rows, True), (columns, False)):
    name, inputs, told = json_tensors.read_request(body, _OFFERED)
    assert (name, told) == ('both', in_rows)
    assert inputs['image_low'].dtype == tf.uint8
    np.testing.assert_array_equal(inputs['image_low'], [_IMAGE, _IMAGE])
    assert inputs['waveform'].dtype == tf.float32
    np.testing.assert_array_equal(
        inputs['waveform'], [[0, 0.5, -1, 1], [1, 2, 3, 4]])


def test_a_single_input_needs_no_name() -> None:
  for body in ({'instances': [_b64(b'\xff\0'), _b64(b'')]},
               {'inputs': [_b64(b'\xff\0'), _b64(b'')]},
               {'inputs': {'examples': [_b64(b'\xff\0'), _b64(b'')]}},
               {'instances': [{'examples': _b64(b'\xff\0')},
                              {'examples': _b64(b'')}]}):
    name, inputs, _ = json_tensors.read_request(body, _OFFERED)
    assert name == 'serving_default'
    assert inputs['examples'].numpy().tolist() == [b'\xff\0', b'']


@pytest.mark.parametrize(('body', 'reason'), [
    ([], 'must be a JSON object'),
    (None, 'must be a JSON object'),
    ({}, 'either "instances"'),
    ({'instances': [], 'inputs': []}, 'either "instances"'),
    ({'signature_name': 'x', 'inputs': []}, "signature_name 'x' is unknown"),
    ({'signature_name': {}, 'inputs': []}, 'is unknown; there are both, files'),
    ({'instances': 3}, 'must be a list of rows'),
    ({'instances': []}, 'there are 0 rows; give 1 to 64'),
    ({'instances': [_b64(b'')] * 65}, 'there are 65 rows'),
    ({'inputs': [_b64(b'')] * 65}, 'there are 65 rows'),
    ({'inputs': _b64(b'')}, 'must be a list of'),
    ({'inputs': ['abcd']}, r'examples\[0\]: must be \{"b64"'),
    ({'inputs': [{'b64': 3}]}, r'examples\[0\]: must be \{"b64"'),
    ({'inputs': [{'b64': 'a'}]}, r'examples\[0\]: is not base64'),
    ({'inputs': [{'b64': 'ab\ncd'}]}, r'examples\[0\]: is not base64'),
    ({'signature_name': 'both', 'instances': [{'image_low': _IMAGE}]},
     r"instances\[0\]: must have image_low, waveform; got \['image_low'\]"),
    ({'signature_name': 'both', 'inputs': _IMAGE}, 'got no names'),
    ({'signature_name': 'both', 'inputs': {
        'image_low': [_IMAGE], 'waveform': [[0] * 4] * 2}},
     'different numbers of rows: image_low 1, waveform 2'),
    ({'signature_name': 'image_only', 'inputs': [[[1, 2, 256]] * 2]},
     'whole numbers from 0 to 255'),
    ({'signature_name': 'image_only', 'inputs': [[[1, 2, -1]] * 2]},
     'whole numbers from 0 to 255'),
    ({'signature_name': 'image_only', 'inputs': [[[1, 2, 0.5]] * 2]},
     'whole numbers from 0 to 255'),
    ({'signature_name': 'image_only', 'inputs': [[[1, 2, 10 ** 30]] * 2]},
     'must hold numbers'),
    ({'signature_name': 'image_only', 'inputs': [[[True] * 3] * 2]},
     'must hold numbers'),
    ({'signature_name': 'image_only', 'inputs': [[['a'] * 3] * 2]},
     'must hold numbers'),
    ({'signature_name': 'image_only', 'inputs': [[1], [1, 2]]},
     'rows differ in shape'),
    ({'signature_name': 'image_only', 'inputs': [[[1, 2]] * 2]},
     r'must have shape \[N, 2, 3\]; got \[1, 2, 2\]'),
    ({'signature_name': 'image_only', 'inputs': 7}, r'shape \[N, 2, 3\]')])
def test_what_does_not_fit_is_told(body: Any, reason: str) -> None:
  with pytest.raises(json_tensors.RequestError, match=reason):
    json_tensors.read_request(body, _OFFERED)


def test_answers_have_the_shapes_of_tensorflow_serving() -> None:
  files = {'image_bytes': np.array([b'\x89', b'b'], object)}
  assert json_tensors.answer(files, True) == {
      'predictions': [{'b64': 'iQ=='}, {'b64': 'Yg=='}]}
  assert json_tensors.answer(files, False) == {
      'outputs': [{'b64': 'iQ=='}, {'b64': 'Yg=='}]}
  two = {'a': np.array([[1, 2], [3, 4]], np.uint8), 'b': np.array([0.5, 1.5])}
  assert json_tensors.answer(two, True) == {
      'predictions': [{'a': [1, 2], 'b': 0.5}, {'a': [3, 4], 'b': 1.5}]}
  assert json_tensors.answer(two, False) == {
      'outputs': {'a': [[1, 2], [3, 4]], 'b': [0.5, 1.5]}}
