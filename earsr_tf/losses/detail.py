"""How much detail there is where, whatever its exact place.

A face whose details are uncertain is blurred by any loss that compares pixel
by pixel: a wrinkle beside its place costs twice what none costs. This compares
the mean size of gradients in small windows, at two scales, so that a blurred
picture is worse than a sharp one. Ours, not the paper's.
"""

from __future__ import annotations

import tensorflow as tf

from earsr_tf.losses import reconstruction
from earsr_tf.ops import resample
from earsr_tf.ops import shapes

_SCALES = 2
_WINDOW = 8  # pixels of each scale


def _strengths(image: tf.Tensor) -> list[tf.Tensor]:
  """Mean |gradient| over windows, [B, h, w, 3] for each scale and axis."""
  strengths = []
  for _ in range(_SCALES):
    down = tf.abs(image[:, 1:] - image[:, :-1])
    right = tf.abs(image[:, :, 1:] - image[:, :, :-1])
    for steps, rim in ((down, [[0, 0], [0, 1], [0, 0], [0, 0]]),
                       (right, [[0, 0], [0, 0], [0, 1], [0, 0]])):
      strengths.append(
          resample.downsample_box(tf.pad(steps, rim), _WINDOW))
    image = resample.downsample_box(image)
  return strengths


def detail_distance(image_a: tf.Tensor, image_b: tf.Tensor) -> tf.Tensor:
  """Mean absolute difference of the strengths of gradients, per image.

  Args:
    image_a: [B, H, W, 3] floating point in [-1, 1], sides multiples of 16.
    image_b: Same shape.

  Returns:
    [B] float32, non-negative, in units of the images a pixel.

  Raises:
    ValueError: If the shapes differ or are no such multiples.
  """
  shapes.assert_shape(image_b, image_a.shape.as_list(), 'image_b')
  distances = [
      reconstruction.l1(a, b)
      for a, b in zip(_strengths(image_a), _strengths(image_b))]
  return tf.add_n(distances) / len(distances)
