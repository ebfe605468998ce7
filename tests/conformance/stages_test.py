"""What every stage must do, whatever its equation (design, section 8).

Each stage takes two steps on two logical CPUs and on one; the assertions share
these runs. Networks are tiny: 16x16 output, 4x4 input.
"""

from __future__ import annotations

import dataclasses
import itertools
import re

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf.stages import stage as stage_lib
from earsr_tf.training import checkpoints
from earsr_tf.training import distribution
from earsr_tf.training import optimizers as optimizers_lib
from earsr_tf.training import step as step_lib
from tests import fakes

_BATCH_SIZE = 4
_STEPS = 2
_RATE = 1.0


@dataclasses.dataclass(frozen=True)
class _Case:
  """A stage in one of its phases.

  Attributes:
    stage: Name.
    phase: Number.
    rests: Patterns of trained variables whose gradient is zero there.
    rgb_output: Form of the generator.
    image_size: Of the networks; a phase may have less.
    linear_base: Side of G's linear base, 0: none.
  """
  stage: str
  phase: int = 0
  rests: tuple[str, ...] = ()
  rgb_output: str = 'skip'
  image_size: int = 16
  linear_base: int = 0


# Style layers 4 and 5 and ToRGB 2 make 16x16, 6, 7 and ToRGB 3 make 32x32.
_ABOVE_8 = (r'generator/synthesis/(styled_layers/[45]|to_rgbs/2)/',
            r'discriminator/(from_rgbs|blocks)/16/')
_ABOVE_16 = (r'generator/synthesis/(styled_layers/[67]|to_rgbs/3)/',)
_CASES = {
    # StyleGAN v1 shows the newest ToRGB, or a blend of two, and D likewise.
    'generator': _Case('generator', 0, (
        *_ABOVE_8, r'generator/synthesis/to_rgbs/0/',
        r'discriminator/from_rgbs/4/'), 'fade'),
    'generator-fading': _Case('generator', 1, (
        r'discriminator/from_rgbs/4/',)),
    'invert': _Case('invert'),
    # Outside of stage 0, G runs without noise; here at half its size.
    'finetune': _Case('finetune', 0, (
        r'generator/.*/noise/strength', *_ABOVE_16), image_size=32),
    'low_res': _Case('low_res'),
    'audio': _Case('audio'),
    'fusion': _Case('fusion'),
    'attributes': _Case('attributes'),
    # A linear base, and linear paths beside encoders and F.
    'generator-base': _Case('generator', 1, (
        r'discriminator/from_rgbs/4/',), linear_base=8),
    'finetune-base': _Case('finetune', 0, (
        r'generator/.*/noise/strength',), linear_base=8),
    'low_res-base': _Case('low_res', linear_base=8),
    'audio-base': _Case('audio', linear_base=8),
    'fusion-base': _Case('fusion', linear_base=8),
}


def _config(case: _Case) -> config_lib.Config:
  config = (fakes.linear_config(case.linear_base) if case.linear_base
            else fakes.small_config())
  phases = tuple(dataclasses.replace(p, resolution=16)
                 for p in config.finetune.phases)
  return dataclasses.replace(
      config,
      model=dataclasses.replace(
          config.model, rgb_output=case.rgb_output,
          image_size=case.image_size),
      finetune=dataclasses.replace(config.finetune, phases=phases))


def _paths(name: str, network: tf.keras.Model) -> dict[str, tf.Variable]:
  """'<network>/<attribute>/...' -> variable."""
  found, queue, seen = {}, [(name, network)], set()
  while queue:
    path, node = queue.pop(0)
    if id(node) in seen:
      continue
    seen.add(id(node))
    if isinstance(node, tf.Variable):
      found[path] = node
    else:
      children = node._trackable_children()
      queue += [(f'{path}/{key}', child) for key, child in children.items()]
  return found


class _Trained:
  """A stage after two steps.

  Attributes:
    stage: The stage.
    strategy: What it ran under.
    variables: Path -> variable, of all networks.
    before: Path -> value before the first step.
    metrics: Those of every update, in order.
    functions: The compiled updates.
    optimizers: By key.
  """

  def __init__(self, case: _Case, replicas: int, run_root: str) -> None:
    config = _config(case)
    self.stage = fakes.stage(case.stage, config)
    self.strategy = distribution.make_strategy(replicas)
    tf.keras.utils.set_random_seed(5)
    with self.strategy.scope():
      self.networks = dict(self.stage.build())
      checkpoints.restore_networks(
          self.networks, self.stage.restores, run_root)
      # A large epsilon keeps steps in proportion to gradients: without it,
      # rounding decides the sign of a step along a gradient of almost zero.
      self.optimizers = optimizers_lib.make(
          dataclasses.replace(self.stage, adam={
              key: dataclasses.replace(adam, epsilon=1.0)
              for key, adam in self.stage.adam.items()}), self.networks)
    optimizers_lib.set_learning_rate(self.optimizers, self.stage, _RATE)
    self.variables = {}
    for name, network in self.networks.items():
      self.variables.update(_paths(name, network))
    for path, variable in self.variables.items():
      if path.endswith('synthesis/constant'):
        # It starts as ones, which the first instance norm divides by their
        # deviation of zero: rounding alone would decide the first layer.
        variable.assign(tf.random.stateless_normal(variable.shape, [1, 2]))
      if case.linear_base and not np.any(variable.numpy()):
        # As if trained: before zeros nothing moves in the first step.
        variable.assign(
            0.1 * tf.random.stateless_normal(variable.shape, [3, 4]))
    self.before = self.values()
    self.metrics: list[dict[str, float]] = []
    self._run(self.stage.phases[case.phase], config)

  def values(self) -> dict[str, np.ndarray]:
    """Path -> value now."""
    return {path: v.numpy() for path, v in self.variables.items()}

  def trained(self) -> set[str]:
    """Paths of the variables that an update trains."""
    names = {n for update in self.stage.updates for n in update.trains}
    return {path for path, v in self.variables.items()
            if path.split('/')[0] in names and v.trainable}

  def _run(self, phase: stage_lib.Phase, config: config_lib.Config) -> None:
    self.functions = [step_lib.compile_update(
        self.strategy, self.networks, update,
        {name: self.optimizers[update.optimizer_of(name)]
         for name in update.trains},
        step_lib.StepShape(phase.resolution, _BATCH_SIZE, 1000))
                      for update in self.stage.updates]
    data = self.strategy.experimental_distribute_dataset(fakes.batches(
        _BATCH_SIZE, image_size=config.model.image_size))
    for step, batch in enumerate(itertools.islice(iter(data), _STEPS)):
      for update, function in zip(self.stage.updates, self.functions):
        weights = {
            term: tf.constant(float(getattr(weight, 'initial', weight)))
            for term, weight in update.weights.items()}
        metrics = function(
            batch, tf.constant(step, tf.int64),
            tf.constant(step * _BATCH_SIZE, tf.int64),
            tf.constant(0.5 if phase.fade_images else 1.0), weights)
        self.metrics.append({k: float(v) for k, v in metrics.items()})


@pytest.fixture(name='case', scope='module', params=list(_CASES))
def _case(request: pytest.FixtureRequest) -> _Case:
  return _CASES[request.param]


@pytest.fixture(name='run_root', scope='module')
def _run_root(case: _Case, tmp_path_factory: pytest.TempPathFactory) -> str:
  folder = str(tmp_path_factory.mktemp('inputs'))
  fakes.save_inputs(folder, case.stage, _config(case))
  return folder


@pytest.fixture(name='two', scope='module')
def _two(case: _Case, run_root: str) -> _Trained:
  return _Trained(case, 2, run_root)


@pytest.fixture(name='one', scope='module')
def _one(case: _Case, run_root: str) -> _Trained:
  return _Trained(case, 1, run_root)


def test_everything_trained_moves_but_a_written_list(
    case: _Case, two: _Trained) -> None:
  now = two.values()
  still = {path for path in two.trained()
           if np.array_equal(two.before[path], now[path])}
  expected = {path for path in two.trained()
              if any(re.match(pattern, path) for pattern in case.rests)}
  assert still == expected
  for pattern in case.rests:
    assert any(re.match(pattern, path) for path in expected), pattern


def test_everything_frozen_is_bit_identical(two: _Trained) -> None:
  now = two.values()
  moved = {path for path in two.variables
           if not np.array_equal(two.before[path], now[path])}
  state = {'generator/w_avg'} if two.stage.name == 'generator' else set()
  assert moved <= two.trained() | state
  assert state <= moved


def test_all_variables_are_equal_on_all_replicas(two: _Trained) -> None:
  for path, variable in two.variables.items():
    copies = two.strategy.experimental_local_results(variable)
    assert len(copies) == 2
    np.testing.assert_array_equal(
        copies[0].numpy(), copies[1].numpy(), path)


def test_slots_of_optimizers_are_equal_on_all_replicas(two: _Trained) -> None:
  slots = [v for o in two.optimizers.values() for v in o.variables()]
  assert len(slots) > 2 * len(two.trained())
  for variable in slots:
    copies = two.strategy.experimental_local_results(variable)
    assert len(copies) == 2
    np.testing.assert_array_equal(
        copies[0].numpy(), copies[1].numpy(), variable.name)


def _operations(function: tf.types.experimental.GenericFunction
                ) -> set[str]:
  """Kinds of all operations of a traced function, inner functions included."""
  concrete, = function._list_all_concrete_functions()
  graph = concrete.graph.as_graph_def(add_shapes=False)
  nodes = [*graph.node, *(n for f in graph.library.function
                          for n in f.node_def)]
  return {node.op for node in nodes}


def test_all_randomness_of_a_step_is_stateless(
    one: _Trained, two: _Trained) -> None:
  for trained in (one, two):
    for function in trained.functions:
      kinds = _operations(function)
      assert {'AddV2', 'Mul'} <= kinds  # it looked at the right place
      assert not [k for k in kinds if fakes.is_stateful_random(k)]
      # Shapes and learning rates change nothing: it was traced once.
      assert function.experimental_get_tracing_count() == 1


def test_terms_are_finite_and_per_image(case: _Case, one: _Trained) -> None:
  phase = one.stage.phases[case.phase]
  batch = fakes.batch(_BATCH_SIZE, image_size=case.image_size)
  clock = fakes.clock(phase.resolution, batch_size=_BATCH_SIZE)
  for update in one.stage.updates:
    terms = update.terms(one.networks, batch, clock)
    assert set(terms) == {*update.weights, *update.observed}
    for name, term in terms.items():
      assert term.shape == [_BATCH_SIZE], name
      assert term.dtype == tf.float32
      assert np.all(np.isfinite(term)), name


def test_every_step_was_finite(two: _Trained) -> None:
  assert len(two.metrics) == _STEPS * len(two.stage.updates)
  for metrics in two.metrics:
    assert metrics['is_finite'] == 1.0
    assert metrics['grad_norm'] > 0


def test_one_replica_equals_two_on_the_same_batch(
    one: _Trained, two: _Trained) -> None:
  updates = len(one.stage.updates)
  for i, (a, b) in enumerate(zip(one.metrics, two.metrics, strict=True)):
    # From equal weights only the order of sums differs. Adam's first step makes
    # a sign of a gradient near 0, and so more of its last digits.
    assert a == pytest.approx(b, rel=1e-5 if i < updates else 5e-4, abs=1e-6)
  ones, twos = one.values(), two.values()
  for path, start in one.before.items():
    np.testing.assert_array_equal(start, two.before[path], path)
    a, b = ones[path] - start, twos[path] - start
    # Of the variable's own size, or of the step that others take.
    room = 1e-5 * max(1.0, float(np.abs(start).max()))
    np.testing.assert_allclose(a, b, rtol=1e-3, atol=room, err_msg=path)
