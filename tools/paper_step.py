"""python -m tools.paper_step --stage=all: one optimisation step at paper size.

Every stage runs in a process of its own with random images, voices and
weights: no data and no trained stage are needed. Says how long a step took,
how much memory it needed at most and what the loss terms were. VGG16's weights
are random, too; by default the features are those of the discriminator.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import resource
import subprocess
import sys
import time
from typing import Any, Callable

from absl import flags

from earsr_tf import cli
from earsr_tf import config as config_lib
from earsr_tf import presets

_STAGE = flags.DEFINE_enum(
    'stage', 'all', ('all', *config_lib.STAGES), 'Which stage, or all.')
_PRESET = flags.DEFINE_enum(
    'preset', 'paper', config_lib.PRESETS, 'Sizes of the networks.')
_BATCH_SIZE = flags.DEFINE_integer(
    'batch_size', 1, 'Images of the step.', lower_bound=1)
_FEATURES = flags.DEFINE_enum(
    'features', 'discriminator', ('discriminator', 'vgg16'),
    'phi of Eqs. (1) and (2), with random weights.')
_MICRO_BATCH = flags.DEFINE_integer(
    'micro_batch', 0, 'Images computed at a time, at most; 0: all.',
    lower_bound=0)
_PRECISION = flags.DEFINE_enum(
    'precision', 'float32', config_lib.PRECISIONS,
    'Of convolutions and matrix products.')
_CHILD = flags.DEFINE_bool(
    'child', False, 'Run the step in this process and print JSON.')

_GIGA = 1e9
# Python, TensorFlow and its threads, before the first variable.
_PROCESS_BYTES = 0.7e9


class _MemoryError(RuntimeError):
  """There is too little memory for a stage; says how much it needs."""
  exit_code = cli.INTERNAL


def _config() -> config_lib.Config:
  config = presets.get(_PRESET.value)
  return dataclasses.replace(
      config,
      invert=dataclasses.replace(
          config.invert, features=_FEATURES.value, vgg16_weights='random'),
      attributes=dataclasses.replace(config.attributes, num_speakers=4000),
      training=dataclasses.replace(
          config.training, micro_batch=_MICRO_BATCH.value,
          precision=_PRECISION.value))


def available_bytes() -> float:
  """Memory that a new process can have; infinite where it is not known."""
  try:
    with open('/proc/meminfo', encoding='utf-8') as file:
      for line in file:
        if line.startswith('MemAvailable:'):
          return 1024.0 * int(line.split()[1])
  except OSError:
    pass
  return float('inf')


def _batch(inputs: tuple[str, ...], size: int, image_size: int
           ) -> dict[str, Any]:
  """Random inputs, as the pipeline would give them."""
  import tensorflow as tf

  from earsr_tf.data import keys
  from earsr_tf.ops import spectrogram
  made = {
      keys.IMAGE_HIGH: tf.random.stateless_uniform(
          [size, image_size, image_size, 3], [1, 2], -1.0, 1.0),
      keys.WAVEFORM: tf.random.stateless_uniform(
          [size, spectrogram.NUM_SAMPLES], [3, 4], -1.0, 1.0),
      keys.SPEAKER: tf.range(size), keys.GENDER: tf.range(size) % 2,
      keys.AGE: 20.0 + tf.cast(tf.range(size), tf.float32),
      keys.HELD_OUT: tf.zeros([size], tf.bool),
      keys.INDEX: tf.range(size, dtype=tf.int64)}
  return {name: made[name] for name in (*inputs, keys.INDEX)}


def _step(name: str) -> dict[str, Any]:
  """Runs one step of every update twice: traced, and again."""
  from earsr_tf import environment
  environment.load_tensorflow()
  from earsr_tf.training import cost
  from earsr_tf.training import distribution
  config, size = _config(), _BATCH_SIZE.value
  stage = importlib.import_module(f'earsr_tf.stages.{name}').stage(config)
  distribution.check_batch(size, 1, config.model.stddev_group)
  estimate = cost.estimate(
      stage, config.model.image_size, size, _MICRO_BATCH.value)
  needed = sum(estimate.memory.values()) + _PROCESS_BYTES
  if needed > available_bytes():
    raise _MemoryError(
        f'stage {name} needs about {needed / _GIGA:.1f} GB of memory, '
        f'{available_bytes() / _GIGA:.1f} GB are free; end other programs or '
        'use a smaller --batch_size')
  terms, seconds = _measure(stage, estimate.phase, config)
  peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
  return {
      'stage': name, 'batch_size': size, 'seconds': seconds,
      'peak_gb': round(peak / _GIGA, 2),
      'estimated_gb': round(needed / _GIGA, 2),
      'gflop': round(sum(estimate.flop.values()) / _GIGA, 1),
      'trained_parameters': estimate.trained, 'terms': terms}


def _measure(stage: Any, phase: Any, config: config_lib.Config
             ) -> tuple[dict[str, float], list[float]]:
  """The terms of the first step, and the seconds of the first and second."""
  import tensorflow as tf

  from earsr_tf.training import distribution
  from earsr_tf.training import ema
  from earsr_tf.training import micro_batches
  from earsr_tf.training import optimizers
  from earsr_tf.training import step as step_lib
  strategy = distribution.make_strategy(1)
  tf.keras.utils.set_random_seed(config.seed)
  with strategy.scope():
    networks = dict(stage.build())
    twins = {n: stage.build()[n] for n in stage.averages}
    made = optimizers.make(stage, networks)
  first: dict[str, str] = {}
  for name, source in stage.restores.items():
    # Networks with one source begin equal, as G and G_init of Eq. (2) do.
    if first.setdefault(source, name) != name:
      ema.start(networks[name], networks[first[source]])
  optimizers.set_learning_rate(made, stage, phase.learning_rate)
  shape = step_lib.StepShape(
      phase.resolution, phase.batch_size, config.seed,
      micro_batches.of_phase(stage, config, phase, 1))
  functions = [(update, step_lib.compile_update(
      strategy, networks, update,
      {n: made[update.optimizer_of(n)] for n in update.trains}, shape))
               for update in stage.updates]
  batch = _batch(stage.inputs, phase.batch_size, config.model.image_size)
  seconds, terms = [], {}
  for number in range(2):
    began = time.monotonic()
    for update, function in functions:
      found = _call(update, function, batch, number)
      terms = {**found, **terms}
    for network, twin in twins.items():
      ema.update(twin, networks[network], tf.constant(0.99))
    seconds.append(round(time.monotonic() - began, 1))
  return terms, seconds


def _call(update: Any, function: Callable[..., Any], batch: dict[str, Any],
          number: int) -> dict[str, float]:
  """One step of one update; its terms by '<update>/<term>'."""
  import tensorflow as tf
  metrics = function(
      batch, tf.constant(number, tf.int64), tf.constant(0, tf.int64),
      tf.constant(1.0), {k: tf.constant(float(getattr(w, 'initial', w)))
                         for k, w in update.weights.items()})
  terms = {f'{update.name}/{k}': float(v) for k, v in metrics.items()
           if k in update.weights or k == 'grad_norm'}
  if not float(metrics['is_finite']):
    raise ArithmeticError(f'{update.name}: not finite: {terms}')
  return terms


def _run_child(name: str) -> dict[str, Any]:
  """One stage in a process of its own."""
  done = subprocess.run(
      [sys.executable, '-m', 'tools.paper_step', '--child', f'--stage={name}',
       f'--preset={_PRESET.value}', f'--batch_size={_BATCH_SIZE.value}',
       f'--features={_FEATURES.value}', f'--micro_batch={_MICRO_BATCH.value}',
       f'--precision={_PRECISION.value}'],
      capture_output=True, text=True, check=False)
  if done.returncode == 0:
    return json.loads(done.stdout.splitlines()[-1])
  if done.returncode < 0:
    raise _MemoryError(
        f'stage {name} was ended by signal {-done.returncode}, most likely '
        'because memory ran out; end other programs or use a smaller '
        '--batch_size')
  lines = [line for line in done.stderr.splitlines() if line.strip()]
  message = lines[-1] if lines else f'exit code {done.returncode}'
  raise _MemoryError(message.removeprefix('error: '))


def _row(result: dict[str, Any]) -> str:
  terms = ', '.join(f'{k} {v:.4g}' for k, v in result['terms'].items())
  first, again = result['seconds']
  return (f'| {result["stage"]} | {result["trained_parameters"]:,} '
          f'| {result["gflop"]} | {first} / {again} | {result["peak_gb"]} '
          f'({result["estimated_gb"]}) | {terms} |')


def main() -> None:
  """Measures what the flags name."""
  if _CHILD.value:
    print(json.dumps(_step(_STAGE.value)))
    return
  names = (config_lib.STAGES if _STAGE.value == 'all' else (_STAGE.value,))
  print(f'Preset {_PRESET.value}, batch {_BATCH_SIZE.value}, random data and '
        f'weights, features: {_FEATURES.value} with random weights.')
  print('| stage | trained weights | GFLOP | seconds, first / second step | '
        'peak memory in GB (estimate) | terms |\n|---|---|---|---|---|---|')
  for name in names:
    print(_row(_run_child(name)), flush=True)


if __name__ == '__main__':
  cli.run(main)
