"""PhaseConfig -> Phase: fills in what a phase leaves to its stage."""

from __future__ import annotations

from earsr_tf import config as config_lib
from earsr_tf.stages import stage as stage_lib


def make(config: config_lib.Config, name: str
         ) -> tuple[stage_lib.Phase, ...]:
  """The schedule of stage `name`, with defaults resolved."""
  return tuple(
      stage_lib.Phase(
          resolution=phase.resolution or config.model.image_size,
          batch_size=phase.batch_size,
          images=phase.images,
          fade_images=phase.fade_images,
          learning_rate=phase.learning_rate or config.optimizer.learning_rate)
      for phase in getattr(config, name).phases)


def main_adam(config: config_lib.Config) -> dict[str, stage_lib.AdamConfig]:
  """Adam of the encoder stages (paper, section 4.2)."""
  optimizer = config.optimizer
  return {'main': stage_lib.AdamConfig(
      optimizer.beta_1, optimizer.beta_2, optimizer.epsilon)}
