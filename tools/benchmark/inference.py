"""The inference suite of tools/benchmark: a face and a voice to a face.

The networks have random weights. What `earsr_tf.export` writes is measured
beside the plain graph: TensorFlow's convolutions everywhere, and kernels that
every call scales and spreads. Numbers per core-second are the ones to compare
when others use the machine.
"""

from __future__ import annotations

import dataclasses
import functools
import tempfile
from typing import Any, Callable, Iterator

import numpy as np

from tools.benchmark import measurement
from tools.benchmark import meters
from tools.benchmark import peers
from tools.benchmark import served_models

PARTS = ('memory', 'batch_1', 'batch_8', 'batch_32', 'bf16')

_ROOFLINE = {1: '>= 0.60', 8: '>= 0.80', 32: '>= 0.92'}  # at the paper's size
_FASTER = {1: '>= 1.8', 8: '>= 1.3', 32: '>= 1.3'}
_FASTER_THAN_TORCH = {1: '>= 1.6', 8: '>= 1.5', 32: '>= 1.5'}
_FASTER_BF16 = {1: '>= 1.4', 8: '>= 1.6'}
_LEAST_IMAGES = 4  # of a turn of a case


@dataclasses.dataclass(frozen=True)
class Layer:
  """A product: its operations for one image, and the bytes of its kernel."""
  flop: int
  kernel: int


def measure(options: measurement.Options) -> Iterator[measurement.Row]:
  """Measures the parts that are asked for; yields rows as they are known.

  Args:
    options: What to measure, and how often.
  """
  parts = options.parts or PARTS
  if 'memory' in parts:
    yield from _memory_rows(options.preset)
  batches = [int(part.rpartition('_')[2]) for part in PARTS
             if part in parts and part.startswith('batch_')]
  if batches:
    layers = products(options.preset)
    yield measurement.Row(
        'operations of an image', sum(x.flop for x in layers) / 1e9, 'GFLOP')
    functions = served_models.plain_and_exported(options.preset)
    for batch in batches:
      yield from _batch_rows(batch, functions, layers, options)
    if 'torch' in options.peers:
      for batch in batches:
        yield from _peer_rows(batch, functions['exported'], options)
    del functions  # before there is another model in memory
  if 'bf16' in parts:
    functions = served_models.float32_and_bf16(options.preset)
    for batch, target in _FASTER_BF16.items():
      rates, pictures = _turns(batch, functions, options)
      yield from _comparison_rows(batch, rates, pictures, target)


def products(preset: str) -> list[Layer]:
  """The convolutions and matrix products that make an image.

  Args:
    preset: Sizes of the networks.
  """
  from earsr_tf import environment
  environment.load_tensorflow()
  import tensorflow as tf

  from earsr_tf.ops import spectrogram
  from earsr_tf.training import cost
  low_size = served_models.low_size(preset)
  with tf.Graph().as_default(), served_models.convolutions():
    model = served_models.random_model(preset)
    # The spectrogram is a loop over the batch and 0.1 % of the time.
    low, voice = (tf.compat.v1.placeholder(tf.float32, shape) for shape in (
        [1, low_size, low_size, 3],
        [1, spectrogram.NUM_FRAMES, spectrogram.NUM_BINS, 1]))
    image = model.generator(model.fusion(
        model.low_res_encoder(low), model.audio_encoder(voice)))
    # A product with a constant makes a kernel.
    return [
        Layer(cost.count_flop([operation]),
              4 * operation.inputs[1].shape.num_elements())
        for operation in cost.needed([image])
        if operation.type in ('Conv2D', 'Conv2DBackpropInput', 'MatMul')
        and operation.inputs[0].op.type != 'Const']


def roofline(layers: list[Layer], batch: int, flop_rate: float,
             byte_rate: float) -> float:
  """Seconds of a batch if every layer met one of the machine's two limits.

  Args:
    layers: Of one image.
    batch: Images.
    flop_rate: Operations per second of a large matrix product.
    byte_rate: Bytes per second at which kernels are read.
  """
  return sum(max(batch * layer.flop / flop_rate, layer.kernel / byte_rate)
             for layer in layers)


def _turns(
    batch: int, functions: dict[str, Callable[..., Any]],
    options: measurement.Options
) -> tuple[dict[str, measurement.Rate], list[np.ndarray]]:
  """Rates of the functions and of the machine in turns, and the pictures."""
  inputs = served_models.inputs(batch, options.preset)
  calls = max(1, _LEAST_IMAGES // batch)

  def images(function: Callable[..., Any]) -> int:
    """Calls it; returns the number of images."""
    for _ in range(calls):
      function(**inputs).numpy()
    return calls * batch

  pictures = [function(**inputs).numpy()
              for function in functions.values()]  # traces, warms up
  cases = {name: functools.partial(images, function)
           for name, function in functions.items()}
  return (measurement.rounds({**cases, **meters.both()}, options.rounds),
          pictures)


def _batch_rows(
    batch: int, functions: dict[str, Callable[..., Any]], layers: list[Layer],
    options: measurement.Options) -> Iterator[measurement.Row]:
  """The plain graph, what is exported, and the roofline."""
  rates, pictures = _turns(batch, functions, options)
  has_targets = options.preset == 'paper'
  yield from _comparison_rows(
      batch, rates, pictures, _FASTER[batch] if has_targets else '')
  yield _row(batch, 'matrix product', rates['matrix product'], 'GFLOP/s')
  yield _row(batch, 'kernel read', rates['kernel read'], 'GB/s')
  flop = sum(layer.flop for layer in layers) / 1e9
  for name in functions:
    yield _row(batch, name, measurement.Rate(
        rates[name].wall * flop, rates[name].per_core * flop), 'GFLOP/s')
    yield _row(
        batch, f'{name} / roofline', _share(rates, name, layers, batch), 'x',
        _ROOFLINE[batch] if has_targets and name == 'exported' else '')


def _peer_rows(
    batch: int, function: Callable[..., Any], options: measurement.Options
) -> list[measurement.Row]:
  """What is exported and PyTorch, in turns."""
  from earsr_tf import presets
  inputs = served_models.inputs(batch, options.preset)
  calls = max(1, _LEAST_IMAGES // batch)

  def images() -> int:
    """Calls ours; returns the number of images."""
    for _ in range(calls):
      function(**inputs).numpy()
    return calls * batch

  ours, theirs, products = [], [], []
  with peers.torch(presets.get(options.preset).model) as peer:
    peer.run(batch, 1)  # warms up, as the call here has been
    for _ in range(options.rounds):
      found = measurement.rounds({'ours': images, **meters.matrix_product()}, 1)
      ours.append(found['ours'])
      products.append(found[meters.MATRIX_PRODUCT])
      theirs.append(peer.run(batch, calls))
    version = peer.version
  ours, theirs, product = map(
      measurement.median_rate, (ours, theirs, products))
  name = f'PyTorch {version}, channels last'
  return [
      _row(batch, name, theirs, 'images/s'),
      _row(batch, 'exported, beside it', ours, 'images/s'),
      _row(batch, f'{meters.MATRIX_PRODUCT}, beside it', product, 'GFLOP/s'),
      _row(batch, f'exported / {name}', measurement.Rate(
          ours.wall / theirs.wall, ours.per_core / theirs.per_core), 'x',
           _FASTER_THAN_TORCH[batch] if options.preset == 'paper' else '')]


def _comparison_rows(
    batch: int, rates: dict[str, measurement.Rate],
    pictures: list[np.ndarray], target: str) -> Iterator[measurement.Row]:
  """The first two cases: how fast, how much faster, how different."""
  from earsr_tf.evaluation import metrics
  before, after = list(rates)[:2]
  for name in (before, after):
    yield _row(batch, name, rates[name], 'images/s')
  yield _row(batch, f'{after} / {before}', measurement.Rate(
      rates[after].wall / rates[before].wall,
      rates[after].per_core / rates[before].per_core), 'x', target)
  difference = np.abs(pictures[1].astype(int) - pictures[0])
  yield _row(batch, f'{after}, largest difference to {before}',
             int(difference.max()), 'levels')
  psnr = np.minimum(metrics.psnr(pictures[0], pictures[1]), 99.0)
  yield _row(batch, f'{after}, PSNR to {before}', float(psnr.mean()), 'dB')


def _row(batch: int, name: str, value: measurement.Rate | float, unit: str,
         target: str = '') -> measurement.Row:
  """A row of a batch."""
  title = f'batch {batch}: {name}'
  if isinstance(value, measurement.Rate):
    return measurement.rate_row(title, value, unit, target)
  return measurement.Row(title, value, unit, target)


def _share(rates: dict[str, measurement.Rate], name: str,
           layers: list[Layer], batch: int) -> measurement.Rate:
  """Of the images/s that the roofline allows: by the clock, and per core."""
  def share(field: str) -> float:
    """Of one of the two kinds of time."""
    possible = batch / roofline(
        layers, batch, 1e9 * getattr(rates['matrix product'], field),
        1e9 * getattr(rates['kernel read'], field))
    return getattr(rates[name], field) / possible
  return measurement.Rate(share('wall'), share('per_core'))


def export_random(preset: str, folder: str) -> str:
  """Exports random weights; returns the version's folder.

  Args:
    preset: Sizes of the networks.
    folder: Export folder.
  """
  from earsr_tf import environment
  environment.load_tensorflow()
  from earsr_tf.serving import saved_model
  return str(saved_model.save(
      served_models.random_model(preset), served_models.low_size(preset),
      folder, {}))


def _peak_memory(folder: str, preset: str, batch: int) -> float:
  """Peak MB of a process that loads an export and makes a batch."""
  from earsr_tf import environment
  environment.load_tensorflow()
  from earsr_tf.serving import signatures
  signatures.load(folder)(**served_models.inputs(batch, preset))
  return measurement.peak_memory()


def _memory_rows(preset: str) -> Iterator[measurement.Row]:
  """Peak memory of serving an export, each in a process of its own."""
  with tempfile.TemporaryDirectory() as folder:
    version = measurement.alone(export_random, preset, folder)
    for batch, target in ((1, '<= 4096'), (8, '')):
      yield measurement.Row(
          f'peak memory of a server, batch {batch}',
          measurement.alone(_peak_memory, version, preset, batch), 'MB',
          target if preset == 'paper' else '')
