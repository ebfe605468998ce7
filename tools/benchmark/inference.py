"""The inference suite of tools/benchmark: a face and a voice to a face.

The networks have random weights. What `earsr_tf.export` writes is measured
beside the plain graph: TensorFlow's convolutions everywhere, and kernels that
every call scales and spreads. Numbers per core-second are the ones to compare
when others use the machine.
"""

from __future__ import annotations

from concurrent import futures
import contextlib
import dataclasses
import functools
import multiprocessing
import tempfile
from typing import Any, Callable, Iterator
from unittest import mock

import numpy as np

from tools.benchmark import measurement

PARTS = ('memory', 'batch_1', 'batch_8', 'batch_32')

_ROOFLINE = {1: '>= 0.60', 8: '>= 0.80', 32: '>= 0.92'}  # at the paper's size
_FASTER = {1: '>= 1.8', 8: '>= 1.3', 32: '>= 1.3'}
_MATRIX_SIDE = 4096
_STREAMED_SIDE = 8192  # 268 MB: more than a cache holds
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
    functions = _functions(options.preset)
    for batch in batches:
      yield from _batch_rows(batch, functions, layers, options)


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
  low_size = _low_size(preset)
  with tf.Graph().as_default(), _convolutions():
    model = _model(preset)
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


def _model(preset: str, precision: str = 'float32') -> Any:
  """The model of a preset with random weights."""
  from earsr_tf import presets
  from earsr_tf.models import super_resolver
  from earsr_tf.stages import networks
  sizes = presets.get(preset).model
  return super_resolver.SuperResolver(
      generator=networks.generator(sizes, precision),
      low_res_encoder=networks.low_res_encoder(sizes),
      audio_encoder=networks.audio_encoder(sizes, precision),
      fusion=networks.fusion(sizes, precision), code_norm=sizes.code_norm)


def _low_size(preset: str) -> int:
  from earsr_tf import presets
  return presets.get(preset).model.low_res_size


def _copy(network: Any, other: Any) -> Any:
  """Gives a network the weights of another; returns it."""
  for ours, theirs in zip(network.variables, other.variables, strict=True):
    ours.assign(theirs)
  return network


@contextlib.contextmanager
def _convolutions() -> Iterator[None]:
  """No convolution is traced as patches."""
  from earsr_tf.ops import convolution
  with mock.patch.object(convolution, 'largest_patch_batch', lambda *_: 0):
    yield


def _served(model: Any, low_size: int) -> Callable[..., Any]:
  """The signature `super_resolve`, which keeps the model alive."""
  from earsr_tf.serving import signatures
  served = signatures.ServedModel(model=model, low_res_size=low_size)
  function = served.super_resolve.get_concrete_function()
  return lambda **inputs: (function(**inputs), served)[0]['image_high']


def _functions(preset: str) -> dict[str, Callable[..., Any]]:
  """The plain graph, and what is exported; they share E_a, E_l and F."""
  from earsr_tf import presets
  from earsr_tf.models import super_resolver
  from earsr_tf.stages import networks
  model, low_size = _model(preset), _low_size(preset)
  with _convolutions():
    plain = _served(model, low_size)
  sizes = presets.get(preset).model
  folded = super_resolver.SuperResolver(
      generator=_copy(networks.generator(sizes), model.generator),
      low_res_encoder=model.low_res_encoder,
      audio_encoder=model.audio_encoder, fusion=model.fusion,
      code_norm=sizes.code_norm)
  folded.fold()
  return {'plain graph': plain, 'exported': _served(folded, low_size)}


def _inputs(batch: int, low_size: int) -> dict[str, Any]:
  """Noise to look at and to listen to."""
  import tensorflow as tf

  from earsr_tf.ops import spectrogram
  random = np.random.default_rng(0)
  return {
      'image_low': tf.constant(random.integers(
          0, 256, [batch, low_size, low_size, 3], np.uint8)),
      'waveform': tf.constant(0.1 * random.standard_normal(
          [batch, spectrogram.NUM_SAMPLES], np.float32))}


def _meters() -> dict[str, Callable[[], float]]:
  """Cases for the two limits of the machine: GFLOP and GB."""
  import tensorflow as tf
  square = tf.Variable(tf.ones([_MATRIX_SIDE, _MATRIX_SIDE]))
  kernel = tf.Variable(tf.ones([_STREAMED_SIDE, _STREAMED_SIDE]))
  row = tf.ones([1, _STREAMED_SIDE])
  multiply = tf.function(lambda: tf.reduce_sum(tf.matmul(square, square)))
  stream = tf.function(lambda: tf.reduce_sum(tf.matmul(row, kernel)))
  return {
      'matrix product': lambda: (
          multiply().numpy(), 2e-9 * _MATRIX_SIDE ** 3)[1],
      'kernel read': lambda: (
          stream().numpy(), 4e-9 * _STREAMED_SIDE ** 2)[1]}


def _batch_rows(
    batch: int, functions: dict[str, Callable[..., Any]], layers: list[Layer],
    options: measurement.Options) -> Iterator[measurement.Row]:
  """Rates of the functions and of the machine, in turns."""
  inputs = _inputs(batch, _low_size(options.preset))
  calls = max(1, _LEAST_IMAGES // batch)

  def images(function: Callable[..., Any]) -> int:
    """Calls it; returns the number of images."""
    for _ in range(calls):
      function(**inputs).numpy()
    return calls * batch

  pictures = [function(**inputs).numpy().astype(int)
              for function in functions.values()]  # traces, warms up
  cases = {name: functools.partial(images, function)
           for name, function in functions.items()}
  rates = measurement.rounds({**cases, **_meters()}, options.rounds)
  row = functools.partial(_row, batch)
  for name in functions:
    yield row(name, rates[name], 'images/s')
  has_targets = options.preset == 'paper'
  yield row('exported / plain graph',
            _ratio(rates['exported'], rates['plain graph']), 'x',
            _FASTER[batch] if has_targets else '')
  yield row('largest difference between the two',
            int(np.abs(pictures[1] - pictures[0]).max()), 'levels')
  yield row('matrix product', rates['matrix product'], 'GFLOP/s')
  yield row('kernel read', rates['kernel read'], 'GB/s')
  for name in functions:
    flop = sum(layer.flop for layer in layers) / 1e9
    yield row(name, measurement.Rate(
        rates[name].wall * flop, rates[name].per_core * flop), 'GFLOP/s')
    yield row(f'{name} / roofline', _share(rates, name, layers, batch), 'x',
              _ROOFLINE[batch] if has_targets and name == 'exported' else '')


def _row(batch: int, name: str, value: measurement.Rate | float, unit: str,
         target: str = '') -> measurement.Row:
  """A row of a batch."""
  title = f'batch {batch}: {name}'
  if isinstance(value, measurement.Rate):
    return measurement.Row(title, value.wall, unit, target, value.per_core)
  return measurement.Row(title, value, unit, target)


def _ratio(one: measurement.Rate, other: measurement.Rate
           ) -> measurement.Rate:
  return measurement.Rate(
      one.wall / other.wall, one.per_core / other.per_core)


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


def _export(preset: str, folder: str) -> str:
  """Exports random weights; returns the version's folder."""
  from earsr_tf import environment
  environment.load_tensorflow()
  from earsr_tf.serving import saved_model
  return str(saved_model.save(_model(preset), _low_size(preset), folder, {}))


def _peak_memory(folder: str, low_size: int, batch: int) -> float:
  """Peak MB of a process that loads an export and makes a batch."""
  from earsr_tf import environment
  environment.load_tensorflow()
  from earsr_tf.serving import signatures
  signatures.load(folder)(**_inputs(batch, low_size))
  return measurement.peak_memory()


def _memory_rows(preset: str) -> Iterator[measurement.Row]:
  """Peak memory of serving an export, each in a process of its own."""
  def alone(function: Callable[..., Any], *arguments: Any) -> Any:
    """Calls in a new process."""
    with futures.ProcessPoolExecutor(
        1, mp_context=multiprocessing.get_context('spawn')) as pool:
      return pool.submit(function, *arguments).result()

  with tempfile.TemporaryDirectory() as folder:
    version = alone(_export, preset, folder)
    for batch, target in ((1, '<= 4096'), (8, '')):
      yield measurement.Row(
          f'peak memory of a server, batch {batch}',
          alone(_peak_memory, version, _low_size(preset), batch), 'MB',
          target if preset == 'paper' else '')
