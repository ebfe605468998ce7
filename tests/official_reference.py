"""The authors' inference in float64 NumPy, from the facts, in their layouts.

Encoders are NHWC, StyleGAN is NCHW; kernels are [k, k, in, out]. Tensors come
as the checkpoint names them.
"""

from __future__ import annotations

import math
from typing import Mapping

import numpy as np

_Tensors = Mapping[str, np.ndarray]


def spectrogram(waveform: np.ndarray) -> np.ndarray:
  """[B, 64000] -> [B, 257, 257, 1]: log power, each clip from -1 to 1."""
  frames = np.lib.stride_tricks.sliding_window_view(
      np.asarray(waveform, np.float64), 512, axis=1)[:, ::248]
  window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(512) / 512)
  log = np.log(np.abs(np.fft.rfft(frames * window)) ** 2 + 1e-6)
  low = log.min(axis=(1, 2), keepdims=True)
  high = log.max(axis=(1, 2), keepdims=True)
  return (2.0 * (log + np.abs(low)) / (high - low) - 1.0)[..., np.newaxis]


def low_res_encoder(t: _Tensors, image_low: np.ndarray) -> np.ndarray:
  """E_l: [B, 8, 8, 3] in [-1, 1] -> [B, code]."""
  x = np.asarray(image_low, np.float64)
  for i in range(9):
    name = f'LOW_RES_ENCODER//Conv_{i}' if i else 'LOW_RES_ENCODER//Conv'
    x = _conv_nhwc(x, t[f'{name}/weights'], 2 if i in (3, 6) else 1)
    if i == 0:
      x = x + t[f'{name}/biases']
    else:
      mean = x.mean(axis=(1, 2), keepdims=True)
      variance = x.var(axis=(1, 2), keepdims=True)
      x = (x - mean) / np.sqrt(variance + 1e-6)
      x = (x * t[f'{name}/InstanceNorm/gamma']
           + t[f'{name}/InstanceNorm/beta'])
    x = _lrelu(x)
  x = _lrelu(_dense(t, 'LOW_RES_ENCODER//fully_connected', _flat(x)))
  return _dense(t, 'LOW_RES_ENCODER//fully_connected_1', x)


def audio_encoder(t: _Tensors, picture: np.ndarray) -> np.ndarray:
  """E_a: [B, 257, 257, 1] -> [B, code]."""
  x = np.asarray(picture, np.float64)
  scope = 'AUDIO_SPECTROGRAM_ENCODER/'
  for i in range(13):
    name = f'{scope}/Conv_{i}' if i else f'{scope}/Conv'
    x = _conv_nhwc(x, t[f'{name}/weights'], 1 if i % 2 else 2)
    x = _lrelu(x + t[f'{name}/biases'])
  x = _lrelu(_dense(t, f'{scope}/fully_connected', _flat(x)))
  return _dense(t, f'{scope}/fully_connected_1', x)


def fusion(t: _Tensors, low: np.ndarray, audio: np.ndarray) -> np.ndarray:
  """F: two [B, code] -> [B, code]."""
  x = np.concatenate([low, audio], axis=1)
  x = _lrelu(_dense(t, 'AUDIO_VISUAL_FUSER//fully_connected', x))
  x = _lrelu(_dense(t, 'AUDIO_VISUAL_FUSER//fully_connected_1', x))
  return _dense(t, 'AUDIO_VISUAL_FUSER//fully_connected_2', x) + low


def mapping(t: _Tensors, scope: str, z: np.ndarray) -> np.ndarray:
  """[..., d] -> [..., d]; pixel norm, learning-rate multiplier 0.01."""
  x = z / np.sqrt(np.mean(z ** 2, axis=-1, keepdims=True) + 1e-8)
  for i in range(8):
    weight = t[f'{scope}Dense{i}/weight']
    scale = math.sqrt(2.0 / weight.shape[0]) * 0.01
    x = _lrelu(x @ (weight * scale) + t[f'{scope}Dense{i}/bias'] * 0.01)
  return x


def synthesis(t: _Tensors, scope: str, w_plus: np.ndarray) -> np.ndarray:
  """[B, 12, d] -> [B, 3, 128, 128], without noise."""
  x = np.repeat(t[f'{scope}4x4/Const/const'], len(w_plus), axis=0)
  x = _epilogue(t, f'{scope}4x4/Const', x, w_plus[:, 0])
  x = _conv(x, _scaled(t, f'{scope}4x4/Conv'))
  x = _epilogue(t, f'{scope}4x4/Conv', x, w_plus[:, 1])
  for log in range(3, 8):
    name = f'{scope}{2 ** log}x{2 ** log}'
    kernel = _scaled(t, f'{name}/Conv0_up')
    x = (_upsample_fused(x, kernel) if log >= 7
         else _conv(x.repeat(2, axis=2).repeat(2, axis=3), kernel))
    x = _epilogue(t, f'{name}/Conv0_up', _blur(x), w_plus[:, 2 * log - 4])
    x = _conv(x, _scaled(t, f'{name}/Conv1'))
    x = _epilogue(t, f'{name}/Conv1', x, w_plus[:, 2 * log - 3])
  x = _conv(x, _scaled(t, f'{scope}ToRGB_lod0', gain=1.0))
  return x + t[f'{scope}ToRGB_lod0/bias'][:, np.newaxis, np.newaxis]


def discriminator(t: _Tensors, image: np.ndarray) -> np.ndarray:
  """[B, 3, 128, 128] with B <= 4 -> [B, 1]."""
  def layer(x: np.ndarray, name: str) -> np.ndarray:
    bias = t[f'{name}/bias'][:, np.newaxis, np.newaxis]
    return _lrelu(_conv(x, _scaled(t, name)) + bias)

  def dense(x: np.ndarray, name: str, gain: float) -> np.ndarray:
    return x @ _scaled(t, name, gain) + t[f'{name}/bias']

  x = layer(image, 'FromRGB_lod0')
  for log in range(7, 2, -1):
    name = f'{2 ** log}x{2 ** log}'
    x = layer(x, f'{name}/Conv0')
    x = _conv(_blur(x), _scaled(t, f'{name}/Conv1_down'))
    # Fused or not, down-sampling averages 2x2 blocks of the convolution.
    x = 0.25 * sum(x[:, :, i::2, j::2] for i in (0, 1) for j in (0, 1))
    x = _lrelu(x + t[f'{name}/Conv1_down/bias'][:, np.newaxis, np.newaxis])
  deviation = np.mean(np.sqrt(x.var(axis=0) + 1e-8))
  x = np.concatenate([x, np.full_like(x[:, :1], deviation)], axis=1)
  x = _flat(layer(x, '4x4/Conv'))
  x = _lrelu(dense(x, '4x4/Dense0', math.sqrt(2.0)))
  return dense(x, '4x4/Dense1', 1.0)


def _epilogue(
    t: _Tensors, name: str, x: np.ndarray, w: np.ndarray) -> np.ndarray:
  """Bias, leaky ReLU, instance norm, style."""
  x = _lrelu(x + t[f'{name}/bias'][:, np.newaxis, np.newaxis])
  x = x - x.mean(axis=(2, 3), keepdims=True)
  x = x / np.sqrt(np.mean(x ** 2, axis=(2, 3), keepdims=True) + 1e-8)
  style = w @ _scaled(t, f'{name}/StyleMod', gain=1.0)
  style = (style + t[f'{name}/StyleMod/bias']).reshape(
      len(w), 2, x.shape[1], 1, 1)
  return x * (style[:, 0] + 1.0) + style[:, 1]


def _scaled(
    t: _Tensors, name: str, gain: float = math.sqrt(2.0)) -> np.ndarray:
  weight = np.asarray(t[f'{name}/weight'], np.float64)
  return weight * gain / math.sqrt(math.prod(weight.shape[:-1]))


def _lrelu(x: np.ndarray) -> np.ndarray:
  return np.maximum(x, 0.2 * x)


def _flat(x: np.ndarray) -> np.ndarray:
  return x.reshape(len(x), -1)


def _dense(t: _Tensors, name: str, x: np.ndarray) -> np.ndarray:
  return x @ t[f'{name}/weights'] + t[f'{name}/biases']


def _padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
  """TensorFlow's SAME."""
  total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
  return total // 2, total - total // 2


def _conv(x: np.ndarray, kernel: np.ndarray, stride: int = 1) -> np.ndarray:
  """[B, C, H, W] and [k, k, C, O] -> [B, O, H', W']."""
  size = kernel.shape[0]
  x = np.pad(x, [(0, 0), (0, 0), *(
      _padding(side, size, stride) for side in x.shape[2:])])
  patches = np.lib.stride_tricks.sliding_window_view(
      x, (size, size), axis=(2, 3))[:, :, ::stride, ::stride]
  y = np.tensordot(patches, kernel, axes=([4, 5, 1], [0, 1, 2]))
  return np.moveaxis(y, 3, 1)


def _conv_nhwc(x: np.ndarray, kernel: np.ndarray, stride: int) -> np.ndarray:
  return np.moveaxis(_conv(np.moveaxis(x, 3, 1), kernel, stride), 1, 3)


def _blur(x: np.ndarray) -> np.ndarray:
  """[1, 2, 1] x [1, 2, 1] / 16 with zero padding."""
  for axis in (2, 3):
    width = [(0, 0)] * 4
    width[axis] = (1, 1)
    padded = np.moveaxis(np.pad(x, width), axis, 0)
    x = np.moveaxis(
        0.25 * padded[:-2] + 0.5 * padded[1:-1] + 0.25 * padded[2:], 0, axis)
  return x


def _upsample_fused(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
  """StyleGAN's fused form: every pixel leaves its kernel, spread to 4x4."""
  spread = np.zeros((4, 4, *kernel.shape[2:]))
  for i in (0, 1):
    for j in (0, 1):
      spread[i:i + 3, j:j + 3] += kernel
  batch, _, height, width = x.shape
  y = np.zeros((batch, kernel.shape[3], 2 * height + 2, 2 * width + 2))
  for i in range(4):
    for j in range(4):
      y[:, :, i:i + 2 * height:2, j:j + 2 * width:2] += np.einsum(
          'bchw,co->bohw', x, spread[i, j], optimize=True)
  return y[:, :, 1:-1, 1:-1]  # SAME leaves one out on each side
