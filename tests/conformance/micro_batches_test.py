"""A step in micro-batches is the undivided step, for every stage."""

from __future__ import annotations

from typing import Iterator

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf import config as config_lib
from tests import fakes
from tests import stage_steps

# A large rate, so that a wrong gradient would show in the weights.
_WAY = {'rate': 1.0, 'epsilon': 1.0}


@pytest.fixture(name='name', scope='module', params=config_lib.STAGES)
def _name(request: pytest.FixtureRequest) -> str:
  return request.param


@pytest.fixture(name='run_root', scope='module')
def _run_root(name: str, tmp_path_factory: pytest.TempPathFactory) -> str:
  folder = str(tmp_path_factory.mktemp('inputs'))
  fakes.save_inputs(folder, name, stage_steps.config_of())
  return folder


@pytest.fixture(name='slice_size', scope='module')
def _slice_size(name: str) -> int:
  """One image; a group of the mini-batch deviation where there is one."""
  return 2 if name == 'generator' else 1


@pytest.fixture(name='sliced', scope='module')
def _sliced(name: str, slice_size: int, run_root: str) -> stage_steps.Outcome:
  return stage_steps.train(
      name, stage_steps.Way(slice_size=slice_size, **_WAY), run_root)


def _bodies(function: tf.types.experimental.GenericFunction
            ) -> Iterator[tuple[bool, tf.compat.v1.NodeDef]]:
  """(whether it is inside a loop's body, node) of a traced step."""
  concrete, = function._list_all_concrete_functions()
  graph = concrete.graph.as_graph_def(add_shapes=True)
  nodes = [*((False, n) for n in graph.node), *(
      ('body' in f.signature.name, n) for f in graph.library.function
      for n in f.node_def)]
  return iter(nodes)


@pytest.mark.slow
def test_it_equals_the_undivided_step(
    name: str, run_root: str, sliced: stage_steps.Outcome) -> None:
  whole = stage_steps.train(name, stage_steps.Way(**_WAY), run_root)
  assert len(whole.metrics) == 2 * len(whole.stage.updates)
  for a, b in zip(sliced.metrics, whole.metrics, strict=True):
    assert a == pytest.approx(b, rel=1e-4, abs=1e-6)
    assert a['is_finite'] == 1.0
  moved = 0
  for start, a, b in zip(
      whole.before, sliced.variables(), whole.variables(), strict=True):
    room = 1e-5 * max(1.0, float(np.abs(start).max()))
    np.testing.assert_allclose(
        a.numpy() - start, b.numpy() - start, rtol=1e-3, atol=room,
        err_msg=b.name)
    moved += float(np.abs(b.numpy() - start).max()) > 100 * room
  assert moved > 3


@pytest.mark.slow
def test_no_convolution_sees_more_than_a_slice(
    slice_size: int, sliced: stage_steps.Outcome) -> None:
  for function in sliced.functions:
    found = 0
    for in_body, node in _bodies(function):
      if node.op == 'While':
        assert node.attr['parallel_iterations'].i == 1
      if node.op not in ('Conv2D', 'Conv2DBackpropInput'):
        continue
      assert in_body, node.name
      shape = node.attr['_output_shapes'].list.shape
      if shape and shape[0].dim:
        assert shape[0].dim[0].size <= slice_size, node.name
        found += 1
    assert found
