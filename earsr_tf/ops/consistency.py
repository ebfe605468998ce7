"""LR consistency: moves an output towards {x : degrade(x) = image_low}.

Beyond the paper, whose outputs degrade to something 10 levels of 255 from
their input. Two corrections of an image x with input x_l, applied after the
generator; both clip to [-1, 1] after each step, so that a later step mends
what clipping broke.

  back-projection     x + Up(x_l - D(x))                      (Irani and Peleg)
  exact projection    x + A+ (x_l - A x A^T) A+^T, where D(x) = A x A^T

D is the 16x degradation, Up is Pillow's bicubic, A+ the pseudo-inverse.
"""

from __future__ import annotations

from typing import Sequence

import numpy as np
import tensorflow as tf

from earsr_tf.ops import consistency_mode
from earsr_tf.ops import pixels
from earsr_tf.ops import resample
from earsr_tf.ops import shapes

# On outputs of a face model 16 rounds leave 0.0000 levels after rounding to 8
# bit; 32 do so for white noise as well. A round costs four thin products.
ROUNDS = 32


def back_project(
    image: tf.Tensor, image_low: tf.Tensor, steps: int) -> tf.Tensor:
  """x <- clip(x + Up(x_l - D(x))), `steps` times.

  Args:
    image: x, [B, H, W, C] floating point in [-1, 1], H and W known.
    image_low: x_l, [B, h, w, C] of the same type and range; h and w divide H
      and W.
    steps: 0 or more; where nothing is clipped, each shrinks every component
      of the residual x_l - D(x) to 0.73 of it or less (16x: 1 - 0.52^2).

  Returns:
    [B, H, W, C] in [-1, 1] (as given if `steps` is 0). Differentiable; where
    a value was clipped the gradient is zero.

  Raises:
    ValueError: If the images do not fit or `steps` is negative.
  """
  _check(image, image_low)
  if steps < 0:
    raise ValueError(f'steps must be 0 or more; got {steps}.')
  up = [resample.resize_matrix(low, high)
        for high, low in zip(image.shape[1:3], image_low.shape[1:3])]
  return _repeat(image, image_low, up, steps)


def project(image: tf.Tensor, image_low: tf.Tensor,
            rounds: int = ROUNDS) -> tf.Tensor:
  """The nearest image with D(x) = x_l, then rounds of clipping and projecting.

  The projection alone is exact; clipping it to [-1, 1] breaks that a little,
  and alternating the two converges to an image that satisfies both, if there
  is one (8x8 pixels with abrupt black and white may have none).

  Args:
    image: x, [B, H, W, C] floating point in [-1, 1], H and W known.
    image_low: x_l, [B, h, w, C] of the same type and range; h and w divide H
      and W.
    rounds: Projections after the first, 0 or more.

  Returns:
    [B, H, W, C] in [-1, 1]. Differentiable; where a value was clipped the
    gradient is zero.

  Raises:
    ValueError: If the images do not fit or `rounds` is negative.
  """
  _check(image, image_low)
  if rounds < 0:
    raise ValueError(f'rounds must be 0 or more; got {rounds}.')
  up = [np.linalg.pinv(resample.resize_matrix(high, low))
        for high, low in zip(image.shape[1:3], image_low.shape[1:3])]
  return _repeat(image, image_low, up, rounds + 1)


def correct(image: tf.Tensor, image_low: tf.Tensor, mode: str) -> tf.Tensor:
  """Applies a correction by its name.

  Args:
    image: [B, H, W, C] floating point in [-1, 1], H and W known.
    image_low: [B, h, w, C] of the same type and range.
    mode: 'off', 'exact' or a number of back-projection steps.

  Returns:
    [B, H, W, C]; `image` itself if off.

  Raises:
    ValueError: If `mode` is unknown or the images do not fit.
  """
  consistency_mode.check(mode)
  if mode == consistency_mode.OFF:
    return image
  if mode == consistency_mode.EXACT:
    return project(image, image_low)
  return back_project(image, image_low, int(mode))


def correct_uint8(
    image: tf.Tensor, image_low: tf.Tensor, mode: str) -> tf.Tensor:
  """Corrects 8-bit images: the last step of a served or scored output.

  It starts from the 8-bit output, so that a model exported with a correction
  gives what one exported without gives after it.

  Args:
    image: [B, H, W, C] uint8, H and W known.
    image_low: [B, h, w, C] uint8.
    mode: 'off', 'exact' or a number of back-projection steps.

  Returns:
    [B, H, W, C] uint8; `image` itself if off.

  Raises:
    ValueError: If `mode` is unknown or the images do not fit.
  """
  if consistency_mode.check(mode) == consistency_mode.OFF:
    return image
  return pixels.to_uint8(correct(
      pixels.to_float(image), pixels.to_float(image_low), mode))


def _repeat(image: tf.Tensor, image_low: tf.Tensor,
            up: Sequence[np.ndarray], times: int) -> tf.Tensor:
  """x <- clip(x + up_0 (x_l - D(x)) up_1^T), `times` times.

  Args:
    image: x, [B, H, W, C].
    image_low: x_l, [B, h, w, C].
    up: [H, h] and [W, w] float64.
    times: 0 or more.

  Returns:
    [B, H, W, C].
  """
  # Same as `degrade`, in a form of which a loop is several times faster.
  down_rows, down_columns = (
      tf.constant(resample.resize_matrix(high, low), image.dtype)
      for high, low in zip(image.shape[1:3], image_low.shape[1:3]))
  up_rows, up_columns = (tf.constant(matrix, image.dtype) for matrix in up)

  def step(i: tf.Tensor, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Adds what the input has and the degraded output lacks."""
    low = _along_rows(down_rows, x)  # [B, h, W, C]
    low = tf.einsum('jw,biwc->bijc', down_columns, low)  # [B, h, w, C]
    extra = tf.einsum('wj,bijc->biwc', up_columns, image_low - low)
    x += _along_rows(up_rows, extra)  # [B, H, W, C]
    return i + 1, tf.clip_by_value(x, -1.0, 1.0)
  # A loop in the graph: its size does not grow with `times`.
  return tf.while_loop(lambda i, _: i < times, step, (0, image))[1]


def _along_rows(matrix: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
  """[out, in] times [B, in, W, C] -> [B, out, W, C], without transposing x."""
  _, height, width, channels = x.shape
  x = tf.matmul(matrix, tf.reshape(x, [-1, height, width * channels]))
  return tf.reshape(x, [-1, matrix.shape[0], width, channels])


def _check(image: tf.Tensor, image_low: tf.Tensor) -> None:
  """Raises ValueError unless the two are an output and its input."""
  for tensor, name in ((image, 'image'), (image_low, 'image_low')):
    shapes.assert_shape(tensor, [None, None, None, None], name)
    shapes.assert_floating(tensor, name)
  if image.dtype != image_low.dtype:
    raise ValueError(
        'image and image_low must have one type; got '
        f'{image.dtype.name} and {image_low.dtype.name}.')
  for high, low in zip(image.shape[1:3], image_low.shape[1:3]):
    if not high or not low or high % low:
      raise ValueError(
          'image sides must be known multiples of those of image_low; got '
          f'{image.shape} and {image_low.shape}.')
