"""The authors' checkpoint with random numbers: their names, any widths.

Names and shapes are written down here anew, from the layer tables, and not
taken from the importer.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Mapping

import numpy as np
import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf import presets

Tensors = dict[str, np.ndarray]


def small_config() -> config_lib.Config:
  """The preset `paper` with narrow networks; depths as published."""
  paper = presets.get('paper')
  return dataclasses.replace(paper, model=dataclasses.replace(
      paper.model, latent_dim=8, fmap_base=256, fmap_max=12,
      low_res_filters=4, low_res_max_filters=14, low_res_hidden=96,
      audio_filters=2, audio_max_filters=10, audio_hidden=22,
      fusion_hidden=96))


def shapes(model: config_lib.ModelConfig, copies: int = 3,
           slashes: str = '//') -> dict[str, tuple[int, ...]]:
  """Name -> shape of a checkpoint with several generators.

  Args:
    model: Widths; `paper`'s are the authors'.
    copies: Generators.
    slashes: What stands after the scopes of encoders and fusion.

  Returns:
    Trainable variables and the `lod`, noise and mean-of-w ones.
  """
  made = {}
  for copy in range(copies):
    suffix = f'_{copy}' if copy else ''
    for name, shape in {**synthesis_shapes(model),
                        **idle_shapes(model)}.items():
      made[f'G_synthesis{suffix}/{name}'] = shape
    for name, shape in mapping_shapes(model).items():
      made[f'G_mapping{suffix}/{name}'] = shape
    owner = ('G', 'Gs', 'Gs_1')[copy] if copy < 3 else f'Gs_{copy - 1}'
    made |= {f'{owner}/lod': (), f'{owner}/dlatent_avg': (model.latent_dim,)}
  code = model.num_styles * model.latent_dim
  widths = [min(model.low_res_filters * 3 ** (i // 3),
                model.low_res_max_filters) for i in range(9)]
  made |= _encoder(f'LOW_RES_ENCODER{slashes}', 3, widths, [3] * 9, True)
  made |= _dense(f'LOW_RES_ENCODER{slashes}',
                 [4 * widths[-1], model.low_res_hidden, code])
  widths = [min(model.audio_filters * 2 ** (i // 2), model.audio_max_filters)
            for i in range(13)]
  scope = f'AUDIO_SPECTROGRAM_ENCODER{slashes}'
  made |= _encoder(scope, 1, widths, [4] * 13, False)
  made |= _dense(scope, [9 * widths[-1], model.audio_hidden, code])
  made |= _dense(f'AUDIO_VISUAL_FUSER{slashes}',
                 [2 * code, *[model.fusion_hidden] * 2, code])
  return made


def mapping_shapes(model: config_lib.ModelConfig) -> dict[str, tuple]:
  """Name -> shape of the mapping network."""
  d = model.latent_dim
  made = {}
  for i in range(8):
    made |= {f'Dense{i}/weight': (d, d), f'Dense{i}/bias': (d,)}
  return made


def synthesis_shapes(model: config_lib.ModelConfig) -> dict[str, tuple]:
  """Name -> shape of the trainable part of the synthesis network."""
  d, made, previous = model.latent_dim, {}, None
  last = int(math.log2(model.image_size))
  for log in range(2, last + 1):
    side, width = 2 ** log, _fmaps(model, log - 1)
    names = ('Const', 'Conv') if log == 2 else ('Conv0_up', 'Conv1')
    for part, name in enumerate(names):
      scope = f'{side}x{side}/{name}'
      if name == 'Const':
        made[f'{scope}/const'] = (1, width, 4, 4)
      else:
        made[f'{scope}/weight'] = (3, 3, width if part else previous, width)
      made |= {
          f'{scope}/Noise/weight': (width,), f'{scope}/bias': (width,),
          f'{scope}/StyleMod/weight': (d, 2 * width),
          f'{scope}/StyleMod/bias': (2 * width,)}
    made |= {f'ToRGB_lod{last - log}/weight': (1, 1, width, 3),
             f'ToRGB_lod{last - log}/bias': (3,)}
    previous = width
  return made


def idle_shapes(model: config_lib.ModelConfig) -> dict[str, tuple]:
  """Name -> shape of what the synthesis network does not train."""
  made = {'lod': ()}
  for i in range(model.num_styles):
    side = 2 ** (i // 2 + 2)
    made[f'noise{i}'] = (1, 1, side, side)
  return made


def discriminator_shapes(model: config_lib.ModelConfig) -> dict[str, tuple]:
  """Name -> shape of D."""
  made = {'lod': ()}
  last = int(math.log2(model.image_size))
  for log in range(2, last + 1):
    side, width, out = 2 ** log, _fmaps(model, log - 1), _fmaps(model, log - 2)
    made |= _pair(f'FromRGB_lod{last - log}', (1, 1, 3, width))
    if log == 2:
      made |= _pair('4x4/Conv', (3, 3, width + 1, width))
      made |= _pair('4x4/Dense0', (16 * width, out))
      made |= _pair('4x4/Dense1', (out, 1))
    else:
      made |= _pair(f'{side}x{side}/Conv0', (3, 3, width, width))
      made |= _pair(f'{side}x{side}/Conv1_down', (3, 3, width, out))
  return made


def fill(wanted: Mapping[str, tuple[int, ...]], seed: int) -> Tensors:
  """Seeded random numbers of a trained network's sizes.

  Args:
    wanted: Name -> shape.
    seed: Of the numbers.

  Returns:
    Name -> float32 array.
  """
  random = np.random.default_rng(seed)
  made = {}
  for name, shape in wanted.items():
    value = random.standard_normal(shape, np.float32)
    leaf = name.rsplit('/', maxsplit=1)[-1]
    if leaf == 'weights':  # the encoders scale their weights themselves
      value *= np.float32(math.sqrt(2.0 / math.prod(shape[:-1])))
    elif 'Dense' in name and len(shape) and 'x' not in name:  # G_mapping
      value *= 100.0 if leaf == 'weight' else 10.0
    elif leaf in ('biases', 'bias', 'beta', 'gamma'):
      value = np.float32(0.2) * value + np.float32(leaf == 'gamma')
    made[name] = value
  return made


def write(prefix: str, tensors: Mapping[str, np.ndarray]) -> str:
  """Writes what a TensorFlow 1 Saver would write; returns the prefix."""
  names = list(tensors)
  tf.raw_ops.SaveV2(
      prefix=prefix, tensor_names=names, shape_and_slices=[''] * len(names),
      tensors=[tensors[name] for name in names])
  return prefix


def _fmaps(model: config_lib.ModelConfig, stage: int) -> int:
  return min(model.fmap_base // 2 ** stage, model.fmap_max)


def _pair(name: str, shape: tuple[int, ...]) -> dict[str, tuple]:
  return {f'{name}/weight': shape, f'{name}/bias': (shape[-1],)}


def _encoder(scope: str, channels: int, widths: list[int],
             kernels: list[int], has_norm: bool) -> dict[str, tuple]:
  made = {}
  for i, (width, k) in enumerate(zip(widths, kernels)):
    name = f'{scope}Conv_{i}' if i else f'{scope}Conv'
    made[f'{name}/weights'] = (k, k, channels, width)
    if has_norm and i:
      made |= {f'{name}/InstanceNorm/beta': (width,),
               f'{name}/InstanceNorm/gamma': (width,)}
    else:
      made[f'{name}/biases'] = (width,)
    channels = width
  return made


def _dense(scope: str, widths: list[int]) -> dict[str, tuple]:
  made = {}
  for i, (rows, columns) in enumerate(zip(widths, widths[1:])):
    name = f'{scope}fully_connected' + (f'_{i}' if i else '')
    made |= {f'{name}/weights': (rows, columns), f'{name}/biases': (columns,)}
  return made
