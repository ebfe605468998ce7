"""The layer check finds every kind of breach, and nothing in clean code."""

from __future__ import annotations

import pathlib

import pytest

from tools.checks import layers
from tools.checks import source_tree


def _tree(root: pathlib.Path, files: dict[str, str]) -> pathlib.Path:
  for path, text in files.items():
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)
  return root


BREACHES = {
    'a higher layer': {
        'earsr_tf/ops/a.py': 'from earsr_tf.models import b\n',
        'earsr_tf/models/b.py': ''},
    'a sibling': {
        'earsr_tf/losses/a.py': 'import earsr_tf.models.b\n',
        'earsr_tf/models/b.py': ''},
    'inside a function': {
        'earsr_tf/data/a.py':
            'def f():\n  from earsr_tf.losses import b\n  return b\n',
        'earsr_tf/losses/b.py': ''},
    'the commands': {
        'earsr_tf/training/a.py': 'from earsr_tf import flags\n',
        'earsr_tf/__init__.py': '', 'earsr_tf/flags.py': ''},
    'tools': {
        'earsr_tf/train.py': 'from tools.checks import build\n',
        'tools/checks/build.py': ''},
    'tests': {
        'tools/a.py': 'from tests import testing\n', 'tests/testing.py': ''},
    'a particular stage': {
        'earsr_tf/training/a.py': 'from earsr_tf.stages import invert\n',
        'earsr_tf/stages/invert.py': '', 'earsr_tf/stages/__init__.py': ''},
    'flags below': {'earsr_tf/models/a.py': 'from absl import flags\n'},
    'flags as a module': {'earsr_tf/data/a.py': 'import absl.flags\n'},
    'tensorflow_io elsewhere': {
        'earsr_tf/data/image.py': 'import tensorflow_io as tfio\n'},
    'addons elsewhere': {
        'earsr_tf/models/fusion.py':
            'from tensorflow_addons import layers\n'},
    'distribution elsewhere': {
        'earsr_tf/stages/a.py':
            'import tensorflow as tf\n'
            'def f():\n  return tf.distribute.get_strategy()\n'},
    'distribution imported': {
        'earsr_tf/evaluation/a.py': 'from tensorflow import distribute\n'},
    'a constant at import': {
        'earsr_tf/ops/a.py': 'import tensorflow as tf\nX = tf.constant(1)\n'},
    'a default at import': {
        'earsr_tf/ops/a.py':
            'import tensorflow as tf\ndef f(x=tf.zeros([2])):\n  return x\n'},
    'a class attribute': {
        'earsr_tf/models/a.py':
            'import tensorflow as tf\nclass A:\n  x = tf.Variable(1.0)\n'},
    'a missing module': {'earsr_tf/ops/a.py': 'from earsr_tf.ops import b\n'},
}


@pytest.mark.parametrize('name', BREACHES)
def test_finds_breach(name: str, tmp_path: pathlib.Path) -> None:
  problems = layers.check(_tree(tmp_path, BREACHES[name]))
  assert len(problems) == 1, problems


CLEAN = {
    'lower layers': {
        'earsr_tf/stages/a.py':
            'from earsr_tf import config\nfrom earsr_tf.models import b\n'
            'from earsr_tf.losses import c\n',
        'earsr_tf/config.py': '', 'earsr_tf/models/b.py': '',
        'earsr_tf/losses/c.py': '', 'earsr_tf/__init__.py': ''},
    'its own package': {
        'earsr_tf/data/datasets/a.py': 'from earsr_tf.data import b\n',
        'earsr_tf/data/b.py': ''},
    'the records of stages': {
        'earsr_tf/training/a.py': 'from earsr_tf.stages import stage\n',
        'earsr_tf/stages/stage.py': '', 'earsr_tf/stages/__init__.py': ''},
    'owners': {
        'earsr_tf/data/audio.py': 'import tensorflow_io as tfio\n',
        'earsr_tf/models/layers.py': 'import tensorflow_addons as tfa\n',
        'earsr_tf/flags.py': 'from absl import flags\n',
        'earsr_tf/training/distribution.py':
            'import tensorflow as tf\n'
            'def f():\n  return tf.distribute.get_strategy()\n'},
    'harmless at import': {
        'earsr_tf/ops/a.py':
            'import tensorflow as tf\n'
            '@tf.function(input_signature=[tf.TensorSpec([None])])\n'
            'def f(x):\n  return tf.reduce_sum(x)\n'
            'G = lambda: tf.constant(1)\n'},
    'a main block': {
        'tools/a.py':
            "import tensorflow as tf\nif __name__ == '__main__':\n"
            '  print(tf.constant(1))\n'},
}


@pytest.mark.parametrize('name', CLEAN)
def test_accepts(name: str, tmp_path: pathlib.Path) -> None:
  assert not layers.check(_tree(tmp_path, CLEAN[name]))


def test_problem_names_file_and_line(tmp_path: pathlib.Path) -> None:
  _tree(tmp_path, {
      'earsr_tf/ops/a.py': 'import math\nfrom absl import flags\n'})
  [problem] = layers.check(tmp_path)
  assert problem.startswith('earsr_tf/ops/a.py:2: absl.flags belongs to ')


def test_every_file_of_the_project_has_a_layer() -> None:
  root = source_tree.ROOT
  lost = [
      path for path in source_tree.python_files(root)
      if layers.place(path.relative_to(root).as_posix()) is None]
  assert not lost


def test_longest_prefix_wins() -> None:
  assert layers.place('earsr_tf/data/audio.py').group == 'data'
  assert layers.place('earsr_tf/train.py').group == 'commands'
  assert layers.place('earsr_tf/config.py').layer == 0
  assert layers.place('other/a.py') is None
