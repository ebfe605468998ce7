"""The training suite of tools/benchmark: a step of every stage.

Images, voices, weights and codes that are kept on disk are random; nothing is
read. Steps take turns with a 4096^3 product, each stage in a process of its
own. Numbers per core-second are the ones to compare when others use the
machine.
"""

from __future__ import annotations

import dataclasses
from typing import Iterator

from earsr_tf import config as config_lib
from tools.benchmark import measurement
from tools.benchmark import meters

PARTS = config_lib.STAGES

_BATCH = 4  # images at the paper's size, whose batches a CPU is slow at
_TARGETS = {  # of the product, at the paper's size
    'generator': '>= 0.70', 'invert': '>= 0.60'}
_PROCESS_BYTES = 0.7e9  # Python and TensorFlow, which the estimate leaves out


def measure(options: measurement.Options) -> Iterator[measurement.Row]:
  """Measures steps of the stages that are asked for.

  Args:
    options: What to measure, and how often. At the paper's size a step has 4
      images, else those of the stage's last phase.
  """
  for name in options.parts or PARTS:
    yield from measurement.alone(stage_rows, name, options)


def stage_rows(
    name: str, options: measurement.Options) -> list[measurement.Row]:
  """Measures a step of one stage in this process.

  Args:
    name: The stage.
    options: Its preset and rounds count.
  """
  from earsr_tf import environment
  environment.load_tensorflow()
  from earsr_tf import presets
  from tools.benchmark import stage_step
  is_paper = options.preset == 'paper'
  made = stage_step.StageStep(
      name=name, config=_config(presets.get(options.preset)),
      batch_size=_BATCH if is_paper else 0)
  cost = made.cost
  gflop, images = sum(cost.flop.values()) / 1e9, cost.phase.batch_size
  cases = {'step': lambda: (made.take(), images)[1]}
  made.take()  # traces
  made.take()  # warms up
  peak = measurement.peak_memory()
  cases |= meters.matrix_product()
  cases[meters.MATRIX_PRODUCT]()
  found = measurement.rounds(cases, options.rounds)
  product, step = found[meters.MATRIX_PRODUCT], found['step']
  done = measurement.Rate(*(
      rate * gflop / images for rate in dataclasses.astuple(step)))
  title = f'{options.preset}, {name}, batch {images}'
  rate_row = measurement.rate_row
  return [
      measurement.Row(f'{title}: operations', gflop, 'GFLOP a step'),
      rate_row(f'{title}: trained', step, 'images/s'),
      rate_row(f'{title}: operations', done, 'GFLOP/s'),
      rate_row(f'{title}: {meters.MATRIX_PRODUCT}', product, 'GFLOP/s'),
      rate_row(f'{title}: operations / {meters.MATRIX_PRODUCT}',
               measurement.Rate(done.wall / product.wall,
                                done.per_core / product.per_core), 'x',
               _TARGETS.get(name, '') if is_paper else '>= 0.50'),
      measurement.Row(f'{title}: peak memory', peak, 'MB'),
      measurement.Row(
          f'{title}: peak memory / estimate',
          peak * 2 ** 20 / (sum(cost.memory.values()) + _PROCESS_BYTES), 'x',
          '0.75 to 1.25')]


def _config(config: config_lib.Config) -> config_lib.Config:
  """A configuration that needs no files: no VGG16, and 4000 people."""
  return dataclasses.replace(
      config,
      invert=dataclasses.replace(config.invert, vgg16_weights='random'),
      attributes=dataclasses.replace(config.attributes, num_speakers=4000))
