"""Which tensor of the authors' is which variable of ours, layouts included.

The encoders are NHWC with HWIO kernels in both programs and flatten alike, so
their tensors are taken as they are. StyleGAN v1 is NCHW: its constant and the
rows of the discriminator's first dense layer change their order. Equalised
weights stay unscaled: both programs apply the scale when running. No kernel
is mirrored: the convolution that upsamples to 128 (and beyond) uses the
authors' fused form here, too, and those below are equal to theirs.
"""

from __future__ import annotations

from typing import Callable, Sequence

import numpy as np
import tensorflow as tf

from earsr_tf.models import audio_encoder as audio_encoder_lib
from earsr_tf.models import blocks
from earsr_tf.models import discriminator as discriminator_lib
from earsr_tf.models import fusion as fusion_lib
from earsr_tf.models import generator as generator_lib
from earsr_tf.models import low_res_encoder as low_res_encoder_lib
from earsr_tf.models import styled_layer as styled_layer_lib
from earsr_tf.models import synthesis as synthesis_lib
from tools.official import weights

LOW_RES_SCOPE = 'LOW_RES_ENCODER'
AUDIO_SCOPE = 'AUDIO_SPECTROGRAM_ENCODER'
FUSION_SCOPE = 'AUDIO_VISUAL_FUSER'

_Slots = dict[str, weights.Slot]


def low_res_encoder(
    network: low_res_encoder_lib.LowResEncoder) -> weights.Slots:
  """Names and slots of E_l."""
  return {
      **_convolutions(LOW_RES_SCOPE, network.blocks),
      **_dense(LOW_RES_SCOPE, [network.hidden, network.head])}


def audio_encoder(network: audio_encoder_lib.AudioEncoder) -> weights.Slots:
  """Names and slots of E_a."""
  return {
      **_convolutions(AUDIO_SCOPE, network.blocks),
      **_dense(AUDIO_SCOPE, [network.hidden, network.head])}


def fusion(network: fusion_lib.Fusion) -> weights.Slots:
  """Names and slots of F."""
  return _dense(FUSION_SCOPE, network.dense_layers)


def generator(network: generator_lib.Generator, mapping: str,
              synthesis: str, w_avg: str | None = None,
              higher: int = 0) -> weights.Slots:
  """Names and slots of G.

  Args:
    network: G.
    mapping: Scope of the mapping network's copy.
    synthesis: Scope of the synthesis network's copy.
    w_avg: Name of the mean of w; None: not taken (inference has no use).
    higher: Resolutions that the file's G has above those of `network`: it
      counts its ToRGBs (`lod`) from the highest one on.

  Returns:
    Tensor name -> slot.
  """
  slots = _synthesis(network.synthesis, synthesis, higher)
  for i, dense in enumerate(network.mapping.dense_layers):
    slots |= _weight_and_bias(f'{mapping}/Dense{i}', dense)
  if w_avg:
    slots[w_avg] = _as_is(network.w_avg, is_optional=True)
  return slots


def discriminator(network: discriminator_lib.Discriminator,
                  higher: int = 0) -> weights.Slots:
  """Names and slots of D; `higher` as of `generator`."""
  slots = {}
  for lod, side in enumerate(reversed(synthesis_lib.sides(
      network.image_size)), start=higher):
    slots |= _weight_and_bias(
        f'FromRGB_lod{lod}', network.from_rgbs[str(side)])
    if str(side) in network.blocks:
      block = network.blocks[str(side)]
      slots |= _weight_and_bias(f'{side}x{side}/Conv0', block.conv)
      slots |= _weight_and_bias(f'{side}x{side}/Conv1_down', block.conv_down)
  slots |= _weight_and_bias('4x4/Conv', network.head_conv)
  slots |= _weight_and_bias('4x4/Dense0', network.head_dense)
  slots |= _weight_and_bias('4x4/Dense1', network.head_logit)
  kernel = network.head_dense.kernel
  slots['4x4/Dense0/weight'] = weights.Slot(
      kernel, tuple(kernel.shape), _rows_chw_to_hwc)
  return slots


def _synthesis(network: synthesis_lib.Synthesis, scope: str,
               higher: int) -> _Slots:
  constant = network.constant
  _, height, width, channels = constant.shape
  slots = {f'{scope}/4x4/Const/const': weights.Slot(
      constant, (1, channels, height, width),
      lambda value: value.transpose(0, 2, 3, 1))}
  all_sides = synthesis_lib.sides(network.image_size)
  for index, side in enumerate(all_sides):
    names = ('Const', 'Conv') if index == 0 else ('Conv0_up', 'Conv1')
    for part, name in enumerate(names):
      slots |= _styled(f'{scope}/{side}x{side}/{name}',
                       network.styled_layers[2 * index + part])
    slots |= _weight_and_bias(
        f'{scope}/ToRGB_lod{len(all_sides) - 1 - index + higher}',
        network.to_rgbs[index])
  return slots


def _styled(name: str, layer: styled_layer_lib.StyledLayer) -> _Slots:
  slots = {} if layer.conv is None else {
      f'{name}/weight': _as_is(layer.conv.kernel)}
  return {
      **slots,
      # Images are rendered without noise, so its strength may be absent.
      f'{name}/Noise/weight': _as_is(layer.noise.strength, is_optional=True),
      f'{name}/bias': _as_is(layer.bias),
      **_weight_and_bias(f'{name}/StyleMod', layer.style.dense)}


def _convolutions(
    scope: str, convolutions: Sequence[blocks.ConvBlock]) -> _Slots:
  slots = {}
  for i, block in enumerate(convolutions):
    name = _numbered(f'{scope}/Conv', i)
    slots[f'{name}/weights'] = _as_is(block.kernel)
    if block.norm is None:
      slots[f'{name}/biases'] = _as_is(block.bias)
    else:
      slots[f'{name}/InstanceNorm/beta'] = _as_is(block.norm.beta)
      slots[f'{name}/InstanceNorm/gamma'] = _as_is(block.norm.gamma)
  return slots


def _dense(scope: str, layers: Sequence[blocks.Dense]) -> _Slots:
  slots = {}
  for i, layer in enumerate(layers):
    name = _numbered(f'{scope}/fully_connected', i)
    slots[f'{name}/weights'] = _as_is(layer.kernel)
    slots[f'{name}/biases'] = _as_is(layer.bias)
  return slots


def _weight_and_bias(name: str, layer: tf.keras.layers.Layer) -> _Slots:
  return {f'{name}/weight': _as_is(layer.kernel),
          f'{name}/bias': _as_is(layer.bias)}


def _as_is(variable: tf.Variable, is_optional: bool = False) -> weights.Slot:
  keep: Callable[[np.ndarray], np.ndarray] = lambda value: value
  return weights.Slot(variable, tuple(variable.shape), keep, is_optional)


def _rows_chw_to_hwc(kernel: np.ndarray) -> np.ndarray:
  """[C * 4 * 4, out] -> [4 * 4 * C, out], the order of our flattening."""
  rows, columns = kernel.shape
  return kernel.reshape(-1, 4, 4, columns).transpose(
      1, 2, 0, 3).reshape(rows, columns)


def _numbered(name: str, index: int) -> str:
  """The name of TensorFlow 1's `index`-th layer of a kind in a scope."""
  return f'{name}_{index}' if index else name
