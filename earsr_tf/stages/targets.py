"""Targets of Eqs. (3)-(5) that frozen encoders make: computed or read.

E_h does not change after Eq. (2), so its codes can be computed once and read
from then on: `training.cached_targets`. E_h is float32 here in any
`training.precision`, so that both ways give the same codes.
"""

from __future__ import annotations

import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf.data import keys
from earsr_tf.stages import invert
from earsr_tf.stages import networks as networks_lib
from earsr_tf.stages import stage as stage_lib


def of_image_encoder(
    config: config_lib.Config, name: str, compute: stage_lib.ComputeTarget,
    given: stage_lib.Target | None = None) -> stage_lib.Target:
  """A target `name` that E_h of Eq. (2) makes of x_i, [B, L, d]."""
  m = config.model
  return stage_lib.Target(
      name=name, shape=(m.num_styles, m.latent_dim),
      build=lambda: {'image_encoder': networks_lib.image_encoder(m)},
      restores={'image_encoder': 'finetune/image_encoder'}, compute=compute,
      given=given)


def code(config: config_lib.Config) -> stage_lib.Target:
  """z_i = E_h(x_i), Eqs. (3) and (5)."""
  norm = config.model.code_norm
  return of_image_encoder(
      config, keys.CODE,
      lambda networks, x: invert.encode(networks, x, norm))


def read(config: config_lib.Config, target: stage_lib.Target,
         networks: stage_lib.Networks, batch: stage_lib.Batch) -> tf.Tensor:
  """The target of a batch, [B, L, d], without a gradient."""
  if config.training.cached_targets:
    return batch[target.name]
  return tf.stop_gradient(
      target.compute(networks, batch[keys.IMAGE_HIGH]))


def cached(config: config_lib.Config, target: stage_lib.Target
           ) -> tuple[str, ...]:
  """The batch entry of the target, if this run reads it."""
  return (target.name,) if config.training.cached_targets else ()
