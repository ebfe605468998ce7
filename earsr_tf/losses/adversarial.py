"""StyleGAN's non-saturating logistic losses (paper, section 3.1).

Goodfellow et al. 2014, section 3; per image, unweighted, unreduced.
"""

from __future__ import annotations

import tensorflow as tf

from earsr_tf.ops import shapes


def logistic_generator(fake_logits: tf.Tensor) -> tf.Tensor:
  """softplus(-D(G(z))) = -log sigmoid(D(G(z))).

  Args:
    fake_logits: [B, 1] float32.

  Returns:
    [B] float32, non-negative.

  Raises:
    ValueError: If the shape does not fit.
  """
  shapes.assert_shape(fake_logits, [None, 1], 'fake_logits')
  return tf.nn.softplus(-fake_logits[:, 0])


def logistic_discriminator(
    real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tf.Tensor:
  """softplus(D(G(z))) + softplus(-D(x)).

  Args:
    real_logits: [B, 1] float32.
    fake_logits: [B, 1] float32.

  Returns:
    [B] float32, non-negative.

  Raises:
    ValueError: If a shape does not fit.
  """
  shapes.assert_shape(real_logits, [None, 1], 'real_logits')
  shapes.assert_shape(fake_logits, [real_logits.shape[0], 1], 'fake_logits')
  return (tf.nn.softplus(fake_logits[:, 0])
          + tf.nn.softplus(-real_logits[:, 0]))
