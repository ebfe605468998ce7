"""Latent codes: normalisation, Z+ / W+, style mixing, truncation.

StyleGAN (Karras et al. 2018, section 3 and appendix B); the k = 12 codes per
image are the paper's section 3.2.
"""

from __future__ import annotations

import tensorflow as tf

from earsr_tf.ops import shapes


def pixel_norm(x: tf.Tensor, epsilon: float = 1e-8) -> tf.Tensor:
  """Scales vectors along the last axis to mean square 1.

  Args:
    x: [..., d] floating point.
    epsilon: Added to the mean square.

  Returns:
    [..., d]; a zero vector stays zero.

  Raises:
    ValueError: If `x` is not floating point.
  """
  shapes.assert_floating(x, 'latent code')
  mean_square = tf.reduce_mean(tf.square(x), axis=-1, keepdims=True)
  return x * tf.math.rsqrt(mean_square + epsilon)


def unit_norm(code: tf.Tensor) -> tf.Tensor:
  """Scales each row of a code to length sqrt(d): `code_norm = 'unit'`.

  The mapping network's pixel norm ignores the length of each row, so the raw
  L1 of Eqs. (3)-(5) asks the encoders to regress a quantity without effect on
  the image; this removes it.

  Args:
    code: [B, L, d] floating point.

  Returns:
    [B, L, d]; each row has length sqrt(d).

  Raises:
    ValueError: If `code` is not rank 3 or not floating point.
  """
  shapes.assert_shape(code, [None, None, None], 'code')
  # Far below the squares of a young encoder's codes, unlike 1e-8.
  return pixel_norm(code, epsilon=1e-12)


def broadcast_styles(z: tf.Tensor, num_styles: int) -> tf.Tensor:
  """Repeats one latent per image for all style layers.

  Args:
    z: [B, d].
    num_styles: L.

  Returns:
    [B, L, d].

  Raises:
    ValueError: If `z` is not rank 2.
  """
  shapes.assert_shape(z, [None, None], 'z')
  return tf.tile(z[:, tf.newaxis, :], [1, num_styles, 1])


def arrange(values: tf.Tensor, num_styles: int, leading: int) -> tf.Tensor:
  """Values of a picture -> the rows of its code.

  Row j holds the leading values, which all rows share, then its own.

  Args:
    values: [B, leading + L * own], leading values first, then row by row.
    num_styles: L.
    leading: Shared values, 0 or more.

  Returns:
    [B, L, leading + own].

  Raises:
    ValueError: If `values` is not rank 2 or does not divide into L rows.
  """
  shapes.assert_shape(values, [None, None], 'values')
  if leading < 0 or (values.shape[1] - leading) % num_styles:
    raise ValueError(
        f'{values.shape[1]} values, {leading} of them shared, do not divide '
        f'into {num_styles} rows.')
  shared = tf.repeat(values[:, tf.newaxis, :leading], num_styles, axis=1)
  own = tf.reshape(values[:, leading:], [
      tf.shape(values)[0], num_styles,
      (values.shape[1] - leading) // num_styles])
  return tf.concat([shared, own], axis=-1)


def values_of(z_plus: tf.Tensor, leading: int) -> tf.Tensor:
  """The rows of a code -> its values; undoes `arrange`.

  Args:
    z_plus: [B, L, d].
    leading: Values that the rows share; where they differ (nothing keeps an
      encoder from that), their mean counts.

  Returns:
    [B, leading + L * (d - leading)].

  Raises:
    ValueError: If `z_plus` is not rank 3 or `leading` is not in [0, d].
  """
  shapes.assert_shape(z_plus, [None, None, None], 'z_plus')
  _, num_styles, dim = z_plus.shape
  if not 0 <= leading <= dim:
    raise ValueError(f'leading={leading}: use 0 to {dim}.')
  shared = tf.reduce_mean(z_plus[..., :leading], axis=1)
  own = tf.reshape(z_plus[..., leading:], [
      tf.shape(z_plus)[0], num_styles * (dim - leading)])
  return tf.concat([shared, own], axis=-1)


def sample_cutoff(
    seed: tf.Tensor, num_active: int, probability: float) -> tf.Tensor:
  """Draws StyleGAN's crossover layer, once per mini-batch.

  Args:
    seed: [2] int32 key.
    num_active: Style layers in use at the current resolution.
    probability: Share of mini-batches that mix (0.9 in StyleGAN).

  Returns:
    [] int32: uniform in [1, num_active) when mixing, else `num_active`.
  """
  seeds = tf.random.experimental.stateless_split(seed, 2)
  mixes = tf.random.stateless_uniform([], seeds[0]) < probability
  cutoff = tf.random.stateless_uniform(
      [], seeds[1], minval=1, maxval=max(num_active, 2), dtype=tf.int32)
  return tf.where(mixes, tf.minimum(cutoff, num_active), num_active)


def mix_styles(
    first: tf.Tensor, second: tf.Tensor, cutoff: tf.Tensor) -> tf.Tensor:
  """Takes the layers below `cutoff` from `first`, the others from `second`.

  Args:
    first: [B, L, d].
    second: [B, L, d].
    cutoff: [] int32.

  Returns:
    [B, L, d].

  Raises:
    ValueError: If the shapes are not rank 3 and equal.
  """
  shapes.assert_shape(first, [None, None, None], 'first')
  shapes.assert_shape(second, first.shape.as_list(), 'second')
  layer = tf.range(tf.shape(first)[1])[tf.newaxis, :, tf.newaxis]
  return tf.where(layer < cutoff, first, second)


def truncate(
    w_plus: tf.Tensor, w_avg: tf.Tensor, psi: float = 0.7,
    num_layers: int = 8) -> tf.Tensor:
  """Truncation trick: w_avg + psi (w - w_avg) in the first layers.

  Args:
    w_plus: [B, L, d].
    w_avg: [d], the mean of w.
    psi: 1 leaves w as it is, 0 gives w_avg.
    num_layers: Layers that are truncated (8 in StyleGAN).

  Returns:
    [B, L, d].

  Raises:
    ValueError: If the shapes do not fit.
  """
  shapes.assert_shape(w_plus, [None, None, None], 'w_plus')
  shapes.assert_shape(w_avg, [w_plus.shape[-1]], 'w_avg')
  layer = tf.range(tf.shape(w_plus)[1])[tf.newaxis, :, tf.newaxis]
  return tf.where(layer < num_layers, w_avg + psi * (w_plus - w_avg), w_plus)


def normalize_code(code: tf.Tensor, code_norm: str) -> tf.Tensor:
  """Applies the configured normalisation of codes.

  Args:
    code: [B, L, d] floating point.
    code_norm: 'none' leaves the code as it is (the authors'); 'unit' scales
      each row to length sqrt(d), see `unit_norm`.

  Returns:
    [B, L, d].

  Raises:
    ValueError: If `code_norm` is neither.
  """
  if code_norm not in ('none', 'unit'):
    raise ValueError(f"code_norm must be 'none' or 'unit'; got {code_norm!r}.")
  return unit_norm(code) if code_norm == 'unit' else code
