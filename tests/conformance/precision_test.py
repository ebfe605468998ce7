"""`--precision=mixed_bfloat16`: what is rounded, and that losses follow."""

from __future__ import annotations

import functools
import re
from typing import Any, Callable

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf import config as config_lib
from tests import fakes
from tests import stage_steps

_STEPS = 30
# Of a term's mean over the steps: 8 bits of mantissa, in every layer, for 30
# steps. Of single steps: a share of the largest. R1 has wider ones: a squared
# derivative, small and the sum of many.
_TOLERANCES = {'r1': (0.06, 0.25), 'regularizer/total': (0.06, 0.25)}
_TOLERANCE = (0.03, 0.06)
_ROUNDED = re.compile(
    r'(synthesis|discriminator|image_encoder|audio_encoder|fusion)\w*/')
# The kernel of a change of resolution is spread by a product of its own.
_EXACT = re.compile(
    r'mapping|/style/|low_res_encoder|attribute_classifier|'
    r'conv(_down)?/MatMul|einsum')
_TARGET_STAGES = ('low_res', 'audio', 'fusion')
_PRODUCTS = ('Conv2D', 'Conv2DBackpropInput', 'MatMul', 'Einsum')
# Between two products: resampling and activations; no norm, no loss.
_BETWEEN = {
    'Cast', 'EnsureShape', 'LeakyRelu', 'DepthwiseConv2dNative', 'Reshape',
    'Const', 'Sub', 'Mul', 'AddV2', *_PRODUCTS}


@pytest.fixture(name='name', scope='module', params=config_lib.STAGES)
def _name(request: pytest.FixtureRequest) -> str:
  return request.param


def _save_inputs(name: str, factory: pytest.TempPathFactory) -> str:
  folder = str(factory.mktemp('inputs'))
  fakes.save_inputs(folder, name, stage_steps.config_of())
  return folder


@pytest.fixture(name='run_root', scope='module')
def _run_root(name: str, tmp_path_factory: pytest.TempPathFactory) -> str:
  return _save_inputs(name, tmp_path_factory)


def _graph(terms: Callable[[], Any]) -> tf.Graph:
  return tf.function(
      lambda: terms(), autograph=False  # noqa: PLW0108
  ).get_concrete_function().graph


def _operations(name: str, precision: str) -> list[tf.Operation]:
  """The forward pass of all updates of a stage."""
  stage = fakes.stage(name, stage_steps.config_of(precision))
  networks = stage.build()
  batch = fakes.batch(4)
  clock = fakes.clock(alpha=0.5)
  found = []
  for update in stage.updates:
    terms = functools.partial(update.terms, networks, batch, clock)
    found += _graph(terms).get_operations()
  return found


def test_products_are_rounded_but_where_styles_codes_or_targets_come_from(
    name: str) -> None:
  operations = _operations(name, 'mixed_bfloat16')
  rounded = 0
  for operation in operations:
    if 'gradient_tape' in operation.name or operation.type == 'AddN':  # of R1
      continue
    is_rounded = tf.bfloat16 in [t.dtype for t in operation.outputs]
    rounded += is_rounded
    assert not is_rounded or operation.type in _BETWEEN, operation.name
    if operation.type not in _PRODUCTS:
      continue
    wanted = bool(_ROUNDED.search(operation.name)
                  and not _EXACT.search(operation.name))
    if name in _TARGET_STAGES and 'image_encoder' in operation.name:
      wanted = False
    assert is_rounded == wanted, (operation.name, operation.type)
  assert bool(rounded) == (name != 'attributes')


def test_nothing_is_rounded_in_float32(name: str) -> None:
  for operation in _operations(name, 'float32'):
    assert tf.bfloat16 not in [t.dtype for t in operation.outputs]


def _series(outcome: stage_steps.Outcome) -> dict[str, np.ndarray]:
  """'<update>/<metric>' -> its value at every step."""
  names = [update.name for update in outcome.stage.updates]
  return {f'{update}/{metric}': np.array(
      [row[metric] for row in outcome.metrics[number::len(names)]])
          for number, update in enumerate(names)
          for metric in outcome.metrics[number]}


@pytest.mark.slow
def test_losses_track_those_of_float32(name: str, run_root: str) -> None:
  exact, mixed = (stage_steps.train(
      name, stage_steps.Way(precision=p, steps=_STEPS), run_root)
                  for p in config_lib.PRECISIONS)
  for a, b in zip(exact.before, mixed.before, strict=True):
    np.testing.assert_array_equal(a, b)
  slots = [v for o in mixed.optimizers.values() for v in o.variables()]
  assert {v.dtype for v in slots} == {tf.int64, tf.float32}
  assert {v.dtype for v in mixed.variables()} == {tf.float32}
  differs, wanted, found = False, _series(exact), _series(mixed)
  bad = []
  for key, values in wanted.items():
    assert len(values) == _STEPS
    error = np.abs(found[key] - values)
    print(f'{name} {key}: {values[0]:.4g} -> {values[-1]:.4g}, mean error '
          f'{error.mean() / np.abs(values).mean():.2e}, largest '
          f'{error.max() / np.abs(values).max():.2e}')
    # No losses; and a score near 0 turns its sign at the least difference.
    if key.endswith('/grad_norm') or '/signs/' in key:
      continue
    mean, step = next((t for end, t in _TOLERANCES.items()
                       if key.endswith(end)), _TOLERANCE)
    if (error.mean() > mean * np.abs(values).mean()
        or error.max() > step * np.abs(values).max()):
      bad.append(key)
    differs |= bool(error.max() > 0)
  assert not bad
  assert differs == (name != 'attributes')


@pytest.mark.slow
@pytest.mark.parametrize('name, slice_size', [('generator', 0), ('fusion', 1)])
def test_two_replicas_in_mixed_precision(
    name: str, slice_size: int, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
  run_root = _save_inputs(name, tmp_path_factory)
  two = stage_steps.train(name, stage_steps.Way(
      replicas=2, slice_size=slice_size, precision='mixed_bfloat16',
      rate=1.0, epsilon=1.0), run_root)
  one = stage_steps.train(name, stage_steps.Way(
      precision='mixed_bfloat16', rate=1.0, epsilon=1.0), run_root)
  for a, b in zip(one.metrics, two.metrics, strict=True):
    assert a == pytest.approx(b, rel=0.02)
  for variable in two.variables():
    copies = two.strategy.experimental_local_results(variable)
    assert len(copies) == 2
    np.testing.assert_array_equal(copies[0].numpy(), copies[1].numpy())
