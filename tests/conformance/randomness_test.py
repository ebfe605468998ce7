"""Randomness is stateless everywhere: what a resume needs to be exact.

The graphs of the compiled steps are looked at in stages_test.py; here are the
input pipeline and the source.
"""

from __future__ import annotations

import re

import pytest
import tensorflow as tf

from earsr_tf.data import batching
from earsr_tf.data import keys
from tests import fakes
from tests import testing

# Keras layers and functions that keep a random state of their own, TensorFlow
# ops that draw from the global one, and sources of chance outside of it.
_BANNED = re.compile(
    r'\b(?:(?:Spatial|Alpha)?Dropout\w*|Gaussian(?:Noise|Dropout)|'
    r'Random(?:Flip|Crop|Rotation|Zoom|Contrast|Brightness|Translation)|'
    r'tf\.random\.(?!stateless_|experimental\.stateless_)\w+|'
    r'tf\.image\.(?:random_|sample_)\w+|tf\.nn\.(?:dropout|\w*sampled_\w+)|'
    r'np\.random\.(?!default_rng\b|Generator\b)\w+|'
    r'import random|os\.urandom|uuid\.uuid[14]|\.shuffle\()')
# Training runs these; evaluation and serving draw nothing that is saved.
_TRAINED = ('ops', 'models', 'losses', 'stages', 'training', 'data')


def _found(text: str) -> list[str]:
  return _BANNED.findall(text)


@pytest.mark.parametrize('line', [
    'tf.keras.layers.Dropout(0.5)', 'layers.GaussianNoise(1.0)',
    'tf.random.normal([3])', 'x = tf.random.shuffle(x)', 'tf.nn.dropout(x)',
    'np.random.rand()', 'import random', 'dataset.shuffle(10)',
    'tf.image.random_flip_left_right(x)', 'tf.random.uniform([])'])
def test_the_search_finds(line: str) -> None:
  assert _found(line)


@pytest.mark.parametrize('line', [
    'tf.random.stateless_normal([3], seed)', 'np.random.default_rng(3)',
    'tf.random.experimental.stateless_shuffle(x, seed)',
    'tf.keras.initializers.RandomNormal(1.0)'])
def test_the_search_lets_pass(line: str) -> None:
  assert not _found(line)


@pytest.mark.parametrize('package', _TRAINED)
def test_no_source_of_training_has_a_random_state(package: str) -> None:
  files = sorted((testing.ROOT / 'earsr_tf' / package).rglob('*.py'))
  assert files
  problems = []
  for path in files:
    if 'synthetic' in path.parts or path.name == 'synthetic.py':
      continue  # makes media files, before there is any training
    problems += [f'{path.name}: {hit}' for hit in _found(path.read_text())]
  assert not problems


@pytest.mark.parametrize('package', ['ops', 'models', 'losses', 'stages'])
def test_state_is_assigned_by_training_alone(package: str) -> None:
  # An assignment in a replica's forward pass would diverge without a word.
  for path in sorted((testing.ROOT / 'earsr_tf' / package).rglob('*.py')):
    if path.name in ('first_weights.py', 'linear_base.py', 'linear_path.py',
                     'voice_memory.py'):
      continue  # what fills them runs once, before the first step
    assert not re.findall(
        r'\.assign(?:_add|_sub)?\(|\.scatter_\w+\(', path.read_text()), path


def _kinds(dataset: tf.data.Dataset) -> set[str]:
  """Kinds of all operations of an input pipeline, functions included."""
  graph = tf.compat.v1.GraphDef()
  graph.ParseFromString(dataset._as_serialized_graph().numpy())
  return {node.op for node in [
      *graph.node, *(n for f in graph.library.function for n in f.node_def)]}


@pytest.mark.parametrize('memory_bytes', [0, batching.MEMORY_BYTES])
def test_the_input_pipeline_has_no_random_state(
    tmp_path, memory_bytes: int) -> None:
  fakes.write_data(tmp_path / 'data')
  kinds = _kinds(batching.make_dataset(
      str(tmp_path / 'data'), splits=('d_pre', 'd_rest'), inputs=keys.ALL,
      batch_size=4, seed=1, mirror=True, memory_bytes=memory_bytes))
  assert any(kind.startswith('StatelessRandom') for kind in kinds)
  assert not [k for k in kinds if fakes.is_stateful_random(k)]
  # Python between the records would have a state that nobody sees.
  assert not [k for k in kinds if 'PyFunc' in k]


def test_a_stateful_pipeline_is_found() -> None:
  data = tf.data.Dataset.range(9).shuffle(3).map(
      lambda x: tf.random.uniform([]))
  found = {k for k in _kinds(data) if fakes.is_stateful_random(k)}
  assert 'RandomUniform' in found and any('Shuffle' in k for k in found)
