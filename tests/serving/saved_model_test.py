"""The SavedModel: the same numbers as the networks, whole or absent."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf import export as command
from earsr_tf.data import records
from earsr_tf.evaluation import metrics
from earsr_tf.media import reader
from earsr_tf.ops import consistency
from earsr_tf.serving import export_manifest
from earsr_tf.serving import saved_model
from earsr_tf.serving import signatures

_FRESH = '''
import sys, numpy as np, tensorflow as tf
try:
  import earsr_tf
except ImportError:
  pass
else:
  sys.exit('earsr_tf is on the path')
loaded = tf.saved_model.load(sys.argv[1])
inputs, outputs = dict(np.load(sys.argv[2], allow_pickle=True)), {}
for name, function in sorted(loaded.signatures.items()):
  names = function.structured_input_signature[1]
  made = function(**{key: tf.constant(inputs[key]) for key in names})
  [outputs[name]] = [value.numpy() for value in made.values()]
  if name == 'encode':  # before render, which takes it
    inputs['code'] = outputs[name]
np.savez(sys.argv[3], **outputs)
assert not [name for name in sys.modules
            if name.startswith(('tensorflow_io', 'tensorflow_addons'))]
'''


def _inputs(count: int) -> dict[str, np.ndarray]:
  random = np.random.default_rng(0)
  return {
      'image_low': random.integers(
          0, 256, size=(count, 8, 8, 3), dtype=np.uint8),
      'waveform': random.normal(
          scale=0.1, size=(count, 64_000)).astype(np.float32)}


def test_signature_is_what_the_documentation_says(version: str) -> None:
  function = signatures.load(version)
  inputs = function.structured_input_signature[1]
  assert inputs['image_low'].shape.as_list() == [None, 8, 8, 3]
  assert inputs['image_low'].dtype == tf.uint8
  assert inputs['waveform'].shape.as_list() == [None, 64_000]
  assert inputs['waveform'].dtype == tf.float32
  output = function.structured_outputs['image_high']
  assert output.shape.as_list() == [None, 128, 128, 3]
  assert output.dtype == tf.uint8
  assert signatures.sides(function) == (8, 128)


def test_it_computes_what_the_networks_compute(
    version: str, run_root: str) -> None:
  model, _ = saved_model.load(run_root)
  inputs = _inputs(3)
  expected = model(**{k: tf.constant(v) for k, v in inputs.items()}).numpy()
  function = signatures.load(version)
  together = function(**{k: tf.constant(v) for k, v in inputs.items()})
  difference = np.abs(
      together['image_high'].numpy().astype(int) - expected.astype(int))
  assert difference.max() <= 1
  alone = function(**{k: tf.constant(v[:1]) for k, v in inputs.items()})
  difference = np.abs(
      alone['image_high'].numpy().astype(int) - expected[:1].astype(int))
  assert difference.max() <= 1
  assert expected.std() > 1.0


def test_a_fresh_process_without_the_project_runs_every_signature(
    version: str, tmp_path: pathlib.Path) -> None:
  tensors = _inputs(1)
  levels = np.round(tensors['waveform'] * 32768.0).astype(np.int16)
  tensors['waveform'] = levels / np.float32(32768.0)
  inputs = {**tensors, 'voice_strength': np.ones([1], np.float32)}
  picture = reader.encode_png(tensors['image_low'][0])
  voice = reader.encode_wav(levels[0])
  example = records.encode(records.ClipRecord(
      speaker='', video='', clip='', split='', gender=0, age=1.0,
      frames=[picture, picture], voice=voice))
  inputs |= {'image_bytes': np.array([picture], object),
             'audio_bytes': np.array([voice], object),
             'examples': np.array([example], object)}
  np.savez(tmp_path / 'in.npz', **inputs)
  environment = {
      **os.environ, 'TF_CPP_MIN_LOG_LEVEL': '2', 'PYTHONSAFEPATH': '1'}
  environment.pop('PYTHONPATH', None)
  subprocess.run(
      [sys.executable, '-c', _FRESH, version, str(tmp_path / 'in.npz'),
       str(tmp_path / 'out.npz')],
      cwd=tmp_path, env=environment, check=True, timeout=300)
  outputs = dict(np.load(tmp_path / 'out.npz', allow_pickle=True))
  assert sorted(outputs) == sorted(export_manifest.SIGNATURES)
  functions = signatures.load_all(version)
  expected = functions['super_resolve'](
      **{k: tf.constant(v) for k, v in tensors.items()})['image_high']
  for name in ('super_resolve_bytes', 'serving_default'):
    assert outputs[name].shape == (1,)
    outputs[name] = tf.io.decode_png(outputs[name][0]).numpy()[np.newaxis]
  for name in set(outputs) - {'encode', 'image_only', 'audio_only'}:
    assert _furthest(outputs[name], expected) <= 1, name
  for name in ('image_only', 'audio_only'):
    own = functions[name](**{
        key: tf.constant(value) for key, value in tensors.items()
        if key in functions[name].structured_input_signature[1]})
    assert _furthest(outputs[name], own['image_high']) <= 1, name
    assert _furthest(outputs[name], expected) > 1, name


def test_only_core_operations_are_used(version: str) -> None:
  for function in signatures.load_all(version).values():
    graph = function.graph.as_graph_def()
    names = {node.op for node in graph.node}
    names |= {node.op for f in graph.library.function for node in f.node_def}
    assert not [n for n in names if n.startswith(('IO>', 'Addons>'))]
    assert not names & {'PyFunc', 'EagerPyFunc', 'PyFuncStateless'}


def test_a_correction_is_part_of_the_graph(
    version: str, run_root: str, tmp_path: pathlib.Path) -> None:
  assert export_manifest.verify(pathlib.Path(version))['consistency'] == 'off'
  corrected = command.run(run_root, str(tmp_path), consistency='exact')
  facts = export_manifest.verify(pathlib.Path(corrected))
  assert facts['consistency'] == 'exact'
  inputs = {k: tf.constant(v) for k, v in _inputs(2).items()}
  inputs['image_low'] = 100 + inputs['image_low'] // 8
  plain = signatures.load(version)(**inputs)['image_high']
  got = signatures.load(corrected)(**inputs)['image_high'].numpy()
  expected = consistency.correct_uint8(
      plain, inputs['image_low'], 'exact').numpy()
  assert np.abs(got.astype(int) - expected).max() <= 1
  low = inputs['image_low'].numpy()
  assert metrics.lr_consistency(plain.numpy(), low).min() > 3.0
  assert metrics.lr_consistency(got, low).max() < 0.01
  test_only_core_operations_are_used(corrected)


def _furthest(image_a: np.ndarray, image_b: tf.Tensor) -> int:
  """The greatest difference of two images, in levels."""
  return np.abs(image_a.astype(int) - image_b.numpy().astype(int)).max()


def _write(folder: str) -> None:
  (pathlib.Path(folder) / 'saved_model.pb').write_bytes(b'graph')


def test_versions_count_up_and_leave_nothing_else(
    tmp_path: pathlib.Path) -> None:
  (tmp_path / '1').write_text('not a folder')
  first = saved_model.publish(_write, str(tmp_path), {})
  (tmp_path / '9').mkdir()
  second = saved_model.publish(_write, str(tmp_path), {'note': 'x'})
  assert (first.name, second.name) == ('2', '10')
  assert sorted(os.listdir(tmp_path)) == ['1', '10', '2', '9']
  assert export_manifest.newest(tmp_path) == second
  assert export_manifest.newest(first) == first
  assert export_manifest.verify(second)['note'] == 'x'


def test_no_number_is_visible_before_it_is_whole(
    tmp_path: pathlib.Path) -> None:
  seen = []

  def watch(folder: str) -> None:
    _write(folder)
    seen.extend(export_manifest.versions(tmp_path))
    seen.extend(name for name in os.listdir(tmp_path) if name.isdigit())
  version = saved_model.publish(watch, str(tmp_path), {})
  assert seen == []
  assert sorted(os.listdir(version)) == ['manifest.json', 'saved_model.pb']


def test_a_failed_export_leaves_nothing(tmp_path: pathlib.Path) -> None:
  def fail(folder: str) -> None:
    _write(folder)
    raise OSError('disk full')
  with pytest.raises(OSError, match='disk full'):
    saved_model.publish(fail, str(tmp_path), {})
  assert os.listdir(tmp_path) == []
