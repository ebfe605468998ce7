"""VGG-Face (Parkhi et al. 2015) and its heads, from weight files people have.

The network of the paper's judges C_i and C_g (section 4.4); with 101 outputs
it is the age estimator C_a after DEX (Rothe et al. 2015). Files are those of
`rcmalli/keras-vggface` (with or without top) and of the package deepface
(vgg_face_weights.h5, gender_model_weights.h5, age_model_weights.h5); nothing
is downloaded.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Iterator, Sequence

import h5py
import numpy as np
import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf.ops import shapes

SIDE = 224
_CONVOLUTIONS = (2, 2, 3, 3, 3)  # in each block, before it is pooled
_LAST_SIDE = SIDE // 2 ** len(_CONVOLUTIONS)
_DENSE = 3  # fc6, fc7 and the head
_MEAN_BGR = (93.5940, 104.7624, 129.1863)
# Activations of one image at 224x224 take 25 MB in the first block alone.
_IMAGES_AT_A_TIME = 16
_MOST_VALUES = 200_000_000
_REMEDY = (
    'name a Keras weights file (.h5) of keras-vggface\'s VGG16 or of deepface '
    '(docs/evaluation.md)')


@dataclasses.dataclass(frozen=True)
class Layer:
  """One layer of a file.

  Attributes:
    kernel: [k, k, in, out] of a convolution, [in, out] of a dense layer.
    bias: [out].
  """
  kernel: np.ndarray
  bias: np.ndarray


class VGGFace(tf.keras.Model):
  """Thirteen 3x3 convolutions in five blocks, fc6, fc7 and a softmax."""

  def __init__(self, *, layers: Sequence[Layer], subtracts_mean: bool,
               name: str = 'vgg_face') -> None:
    """Takes what `read` returned.

    Args:
      layers: Convolutions first; no dense layers, or three.
      subtracts_mean: Whether the file's network reads BGR levels of 255 less
        their mean, as VGG-Face does, or BGR in [0, 1], as deepface feeds its
        age and gender.
      name: Keras name.
    """
    super().__init__(name=name)
    count = sum(_CONVOLUTIONS)
    self._convolutions = [
        (tf.constant(layer.kernel), tf.constant(layer.bias))
        for layer in layers[:count]]
    self._dense = [
        (tf.constant(layer.kernel), tf.constant(layer.bias))
        for layer in layers[count:]]
    self._subtracts_mean = subtracts_mean
    self._run = tf.function(
        self._forward, autograph=False,
        input_signature=[tf.TensorSpec([None, None, None, 3])])
    self.built = True

  def call(self, image_high: tf.Tensor) -> dict[str, tf.Tensor]:
    """Reads faces, a few at a time.

    Args:
      image_high: [B, S, S, 3] float32 in [-1, 1]; resized to 224x224.

    Returns:
      'features' [B, D]: fc7 after its ReLU, or the mean of the last map of a
      file without top; 'probabilities' [B, n], if there is a head.
    """
    size = image_high.shape[1]
    shapes.assert_shape(image_high, [None, size, size, 3], 'image_high')
    parts = [self._run(image_high[first:first + _IMAGES_AT_A_TIME])
             for first in range(0, len(image_high), _IMAGES_AT_A_TIME)]
    return {key: tf.concat([part[key] for part in parts], 0)
            for key in parts[0]}

  def _forward(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
    x = (tf.image.resize(image, [SIDE, SIDE])[..., ::-1] + 1.0) / 2.0
    if self._subtracts_mean:
      x = x * 255.0 - tf.constant(_MEAN_BGR)
    waiting = iter(self._convolutions)
    for convolutions in _CONVOLUTIONS:
      for _ in range(convolutions):
        kernel, bias = next(waiting)
        x = tf.nn.relu(tf.nn.conv2d(x, kernel, 1, 'SAME') + bias)
      x = tf.nn.max_pool2d(x, 2, 2, 'VALID')
    if not self._dense:
      return {'features': tf.reduce_mean(x, [1, 2])}
    x = tf.reshape(x, [-1, self._dense[0][0].shape[0]])
    for kernel, bias in self._dense[:-1]:
      x = tf.nn.relu(tf.linalg.matmul(x, kernel) + bias)
    kernel, bias = self._dense[-1]
    return {'features': x, 'probabilities': tf.nn.softmax(
        tf.linalg.matmul(x, kernel) + bias)}


def read(path: str, flag: str, outputs: int | None = None) -> list[Layer]:
  """Reads a weights file of Keras 2, checked before it is read.

  Args:
    path: The .h5 file.
    flag: What named it, for messages.
    outputs: Outputs of the head; None: any, and a file without top will do.

  Returns:
    13 convolutions, then fc6, fc7 and the head, or nothing.

  Raises:
    ConfigError: If the file is absent, damaged, or of another network.
  """
  where = f'{flag}={path}'
  try:
    with h5py.File(path, 'r') as file:
      pairs = list(_pairs(file))
      _check([pair[0].shape for pair in pairs],
             [pair[1].shape for pair in pairs], outputs)
      layers = [_layer(kernel, bias) for kernel, bias in pairs]
  except FileNotFoundError:
    raise config_lib.ConfigError(
        f'{where}: no such file; {_REMEDY}') from None
  except (OSError, KeyError, ValueError, TypeError, AttributeError,
          RuntimeError) as error:
    raise config_lib.ConfigError(
        f'{where}: is no usable VGG-Face ({str(error)[:160]}); '
        f'{_REMEDY}') from error
  if not all(np.isfinite(layer.kernel).all() and np.isfinite(layer.bias).all()
             for layer in layers):
    raise config_lib.ConfigError(
        f'{where}: holds values that are not finite; {_REMEDY}')
  return layers


def _pairs(file: Any) -> Iterator[tuple[h5py.Dataset, h5py.Dataset]]:
  """Kernel and bias of the layers that have them, first to last."""
  group = file['model_weights'] if 'model_weights' in file else file
  if 'layer_names' not in group.attrs:
    raise ValueError('it has no layer_names, so no Keras 2 wrote it')
  for name in map(_text, group.attrs['layer_names']):
    weights = list(map(_text, group[name].attrs['weight_names']))
    if not weights:
      continue
    found = [group[name][weight] for weight in weights]
    if len(found) != 2 or not all(
        isinstance(part, h5py.Dataset) and part.dtype.kind == 'f'
        and 0 < part.size <= _MOST_VALUES for part in found):
      raise ValueError(f'layer {name} is not a kernel and a bias')
    yield found[0], found[1]


def _check(kernels: list[tuple[int, ...]], biases: list[tuple[int, ...]],
           outputs: int | None) -> None:
  """Refuses shapes that are not VGG-Face's, up to its widths."""
  count = sum(_CONVOLUTIONS)
  if len(kernels) not in (count, count + _DENSE) or (
      outputs and len(kernels) == count):
    raise ValueError(
        f'it has {len(kernels)} layers and not {count + _DENSE}')
  width = 3
  for i, (kernel, bias) in enumerate(zip(kernels, biases)):
    side = 3 if i < count else _LAST_SIDE if i == count else 1
    fits = [(side, side, width, *bias)]
    if i >= count:
      fits.append((side * side * width, *bias))
    if len(bias) != 1 or kernel not in fits:
      raise ValueError(
          f'layer {i + 1} is {list(kernel)} and not {list(fits[0])}')
    width = bias[0]
  if outputs and width != outputs:
    raise ValueError(f'it has {width} outputs and not {outputs}')


def _layer(kernel: h5py.Dataset, bias: h5py.Dataset) -> Layer:
  """Reads a layer; dense ones that are written as convolutions become flat."""
  weights = np.asarray(kernel, np.float32)
  if weights.ndim == 4 and weights.shape[0] != 3:
    weights = weights.reshape(-1, weights.shape[-1])
  return Layer(weights, np.asarray(bias, np.float32))


def _text(name: Any) -> str:
  return name.decode('utf-8') if isinstance(name, bytes) else str(name)
