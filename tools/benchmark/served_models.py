"""What the inference suite measures: models of a preset, random weights."""

from __future__ import annotations

import contextlib
from typing import Any, Callable, Iterator
from unittest import mock

import numpy as np


def random_model(preset: str, precision: str = 'float32') -> Any:
  """A preset's model, the same weights each time; loads TensorFlow.

  Args:
    preset: Sizes of the networks.
    precision: As `training.precision`; networks of another than float32 are
      folded one after the other, for the memory's sake.
  """
  from earsr_tf import environment
  environment.load_tensorflow()
  from earsr_tf import presets
  from earsr_tf.models import super_resolver
  from earsr_tf.stages import networks
  sizes, made = presets.get(preset).model, {}
  for name, build in (
      ('audio_encoder', lambda: networks.audio_encoder(sizes, precision)),
      ('fusion', lambda: networks.fusion(sizes, precision)),
      ('generator', lambda: networks.generator(sizes, precision)),
      ('low_res_encoder', lambda: networks.low_res_encoder(sizes))):
    made[name] = _seeded(build)
    if precision != 'float32':
      super_resolver.fold(made[name])
  return super_resolver.SuperResolver(**made, code_norm=sizes.code_norm)


def _seeded(build: Callable[[], Any]) -> Any:
  """A network whose weights are random, the same each time, and not zero.

  Kernels that start at zero would make one grey face of everything.
  """
  import tensorflow as tf
  tf.keras.utils.set_random_seed(1)
  network = build()
  random = np.random.default_rng(1)
  for variable in network.variables if tf.executing_eagerly() else ():
    if len(variable.shape) > 1 and not np.any(variable):
      scale = np.prod(variable.shape[:-1]) ** -0.5
      variable.assign(scale * random.standard_normal(variable.shape))
  return network


def low_size(preset: str) -> int:
  """The side of a preset's `image_low`."""
  from earsr_tf import presets
  return presets.get(preset).model.low_res_size


@contextlib.contextmanager
def convolutions() -> Iterator[None]:
  """No convolution is traced as patches."""
  from earsr_tf.ops import convolution
  with mock.patch.object(convolution, 'largest_patch_batch', lambda *_: 0):
    yield


def _served(model: Any, low_res_size: int) -> Callable[..., Any]:
  """The signature `super_resolve`, which keeps the model alive."""
  from earsr_tf.serving import signatures
  served = signatures.ServedModel(model=model, low_res_size=low_res_size)
  function = served.super_resolve.get_concrete_function()
  return lambda **inputs: (function(**inputs), served)[0]['image_high']


def plain_and_exported(preset: str) -> dict[str, Callable[..., Any]]:
  """The plain graph, and what is exported; they share E_a, E_l and F."""
  model = random_model(preset)
  from earsr_tf import presets
  from earsr_tf.models import super_resolver
  from earsr_tf.stages import networks
  sizes = presets.get(preset).model
  with convolutions():
    plain = _served(model, sizes.low_res_size)
  folded = super_resolver.SuperResolver(
      generator=_seeded(lambda: networks.generator(sizes)),
      low_res_encoder=model.low_res_encoder,
      audio_encoder=model.audio_encoder, fusion=model.fusion,
      code_norm=sizes.code_norm)
  super_resolver.fold(folded)
  return {'plain graph': plain, 'exported': _served(
      folded, sizes.low_res_size)}


def float32_and_bf16(preset: str) -> dict[str, Callable[..., Any]]:
  """What is exported in float32, and in bfloat16 with the same weights."""
  near = random_model(preset, 'mixed_bfloat16')  # first: needs less memory
  exact = random_model(preset)
  from earsr_tf.models import super_resolver
  super_resolver.fold(exact)
  return {'float32': _served(exact, low_size(preset)),
          'bf16': _served(near, low_size(preset))}


def inputs(batch: int, preset: str) -> dict[str, Any]:
  """Noise to look at and to listen to, for `super_resolve`."""
  import tensorflow as tf

  from earsr_tf.ops import spectrogram
  random, side = np.random.default_rng(0), low_size(preset)
  return {
      'image_low': tf.constant(random.integers(
          0, 256, [batch, side, side, 3], np.uint8)),
      'waveform': tf.constant(0.1 * random.standard_normal(
          [batch, spectrogram.NUM_SAMPLES], np.float32))}
