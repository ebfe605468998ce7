"""A tree that Beam prepares, here and elsewhere."""

from __future__ import annotations

import pathlib

import pytest

from earsr_tf.data.datasets import synthetic


@pytest.fixture(name='tree', scope='module')
def _tree(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
  """Twelve clips, one of which is text."""
  root = tmp_path_factory.mktemp('twelve') / 'tree'
  synthetic.make_tree(str(root), speakers=4, seed=3)
  next(root.glob('dev/mp4/*/*/*.mp4')).write_text('I am text.')
  return root
