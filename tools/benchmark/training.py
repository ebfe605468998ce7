"""The training suite of tools/benchmark: a step of every stage.

Images, voices, weights and codes that are kept on disk are random; nothing is
read. Steps take turns with a 4096^3 product, each stage in a process of its
own. Numbers per core-second are the ones to compare when others use the
machine.
"""

from __future__ import annotations

import dataclasses
import typing
from typing import Iterator

from earsr_tf import config as config_lib
from tools.benchmark import measurement
from tools.benchmark import meters

if typing.TYPE_CHECKING:  # they load TensorFlow, which only children need
  from earsr_tf.training import prediction
  from earsr_tf.training import trial_step

PARTS = config_lib.STAGES

_BATCH = 4  # images at the paper's size, whose batches a CPU is slow at
_TARGETS = {  # of the product, at the paper's size
    'generator': '>= 0.70', 'invert': '>= 0.60'}
_PREDICTED = '0.75 to 1.25'
_TRIAL_STEPS = 3  # as many as --dry_run takes


def measure(options: measurement.Options) -> Iterator[measurement.Row]:
  """Measures steps of the stages that are asked for.

  Args:
    options: What to measure, and how often. At the paper's size a step has 4
      images, else those of the stage's last phase.
  """
  for name in options.parts or PARTS:
    predicted = measurement.alone(predicted_step, name, options)
    yield from measurement.alone(stage_rows, name, options, predicted)


def predicted_step(
    name: str, options: measurement.Options) -> prediction.Prediction:
  """What `--dry_run` says of a step, in this process.

  Args:
    name: The stage.
    options: Its preset.
  """
  made = _step(name, options)
  from earsr_tf.training import prediction
  return prediction.predict(made, _TRIAL_STEPS)


def stage_rows(
    name: str, options: measurement.Options,
    predicted: prediction.Prediction) -> list[measurement.Row]:
  """Measures a step of one stage in this process.

  Args:
    name: The stage.
    options: Its preset and rounds count.
    predicted: What another process said of the step.
  """
  is_paper, made = options.preset == 'paper', _step(name, options)
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
      *_against(title, predicted, step, peak)]


def _against(title: str, predicted: prediction.Prediction,
             step: measurement.Rate, peak: float) -> list[measurement.Row]:
  """What was measured over what was predicted: time and memory."""
  images = predicted.batch_size
  return [
      measurement.Row(
          f'{title}: predicted', images / predicted.seconds, 'images/s',
          per_core=images / predicted.processor_seconds),
      measurement.Row(
          f'{title}: step / predicted', images / step.wall / predicted.seconds,
          'x', _PREDICTED,
          images / step.per_core / predicted.processor_seconds),
      measurement.Row(
          f'{title}: peak memory / predicted',
          peak * 2 ** 20 / predicted.peak_bytes, 'x', _PREDICTED)]


def _step(name: str, options: measurement.Options) -> trial_step.TrialStep:
  """A step of the preset, not taken yet; loads TensorFlow."""
  from earsr_tf import environment
  environment.load_tensorflow()
  from earsr_tf import presets
  from earsr_tf.training import prediction
  from earsr_tf.training import trial_step
  return trial_step.TrialStep(
      name=name, config=prediction.without_files(presets.get(options.preset)),
      batch_size=_BATCH if options.preset == 'paper' else 0)
