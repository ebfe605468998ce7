"""python -m tools.paper_step --stage=all: one optimisation step at paper size.

Every stage runs in a process of its own with random images, voices and
weights: no data and no trained stage are needed. Says how long a step took,
how much memory it needed at most and what the loss terms were. VGG16's weights
are random, too; by default the features are those of the discriminator.
"""

from __future__ import annotations

import dataclasses
import json
import resource
import subprocess
import sys
import time
from typing import Any

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


def _step(name: str) -> dict[str, Any]:
  """Runs one step of every update twice: traced, and again."""
  from earsr_tf import environment
  environment.load_tensorflow()
  from earsr_tf.training import memory
  from earsr_tf.training import trial_step
  size = _BATCH_SIZE.value
  made = trial_step.TrialStep(
      name=name, config=_config(), batch_size=size)
  estimate = made.cost
  needed = sum(estimate.memory.values()) + memory.PROCESS_BYTES
  available = memory.available_bytes()
  if needed > available:
    raise _MemoryError(
        f'stage {name} needs about {needed / _GIGA:.1f} GB of memory, '
        f'{available / _GIGA:.1f} GB are free; end other programs or '
        'use a smaller --batch_size')
  seconds, terms = [], {}
  for _ in range(2):
    began = time.monotonic()
    found = made.take()
    seconds.append(round(time.monotonic() - began, 1))
    terms = terms or found
  peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
  return {
      'stage': name, 'batch_size': size, 'seconds': seconds,
      'peak_gb': round(peak / _GIGA, 2),
      'estimated_gb': round(needed / _GIGA, 2),
      'gflop': round(sum(estimate.flop.values()) / _GIGA, 1),
      'trained_parameters': estimate.trained, 'terms': terms}


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
