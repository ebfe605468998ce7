"""Tensors made at import are found, and distribution outside training/."""

from __future__ import annotations

import pathlib

from tests.tools.checks import small_tree
from tools.checks import tensors

_TF = 'import tensorflow as tf\n'

FAULTS = {
    'earsr_tf/ops/constant.py': _TF + 'X = tf.constant(1)\n',
    'earsr_tf/ops/default.py': _TF + 'def f(x=tf.zeros([2])):\n  return x\n',
    'earsr_tf/ops/attribute.py': _TF + 'class A:\n  x = tf.Variable(1.0)\n',
    'earsr_tf/ops/named.py': 'from tensorflow import ones\n\nX = ones([1])\n',
    'earsr_tf/stages/a.py':
        _TF + 'def f():\n  return tf.distribute.get_strategy()\n',
    'earsr_tf/evaluation/a.py': 'from tensorflow import distribute\n',
}
CLEAN = {
    'earsr_tf/ops/inside.py':
        _TF + '@tf.function(input_signature=[tf.TensorSpec([None])])\n'
        'def f(x):\n  return tf.reduce_sum(x)\nG = lambda: tf.constant(1)\n',
    'tools/main_block.py':
        _TF + "if __name__ == '__main__':\n  print(tf.constant(1))\n",
    'earsr_tf/training/owner.py':
        _TF + 'def f():\n  return tf.distribute.get_strategy()\n',
}


def test_finds_each_fault_and_nothing_else(tmp_path: pathlib.Path) -> None:
  small_tree.write(tmp_path, {**FAULTS, **CLEAN})
  problems = dict(p.split(': ') for p in tensors.check(tmp_path))
  runs = 'runs when this is imported'
  owned = 'tensorflow.distribute belongs to earsr_tf/training/'
  assert problems == {
      'earsr_tf/ops/constant.py:2': f'tensorflow.constant() {runs}',
      'earsr_tf/ops/default.py:2': f'tensorflow.zeros() {runs}',
      'earsr_tf/ops/attribute.py:3': f'tensorflow.Variable() {runs}',
      'earsr_tf/ops/named.py:3': f'tensorflow.ones() {runs}',
      'earsr_tf/stages/a.py:3': owned,
      'earsr_tf/evaluation/a.py:1': owned}
