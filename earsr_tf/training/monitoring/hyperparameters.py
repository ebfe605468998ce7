"""The settings by which TensorBoard's page HParams tells runs apart."""

from __future__ import annotations

import dataclasses

from earsr_tf import config as config_lib
from earsr_tf.stages import stage as stage_lib


def core_values(config: config_lib.Config, stage: stage_lib.Stage
                ) -> dict[str, bool | int | float | str]:
  """What shapes a run of `stage`, one flat value each.

  Args:
    config: The whole configuration.
    stage: The stage; its own section, those that it `reads`, `model` and
      `optimizer` count.

  Returns:
    '<section>.<field>' -> value, with `preset`, `seed`, and of the schedule
    `images`, `batch_size`, `resolution` and `learning_rate` of the last phase.
  """
  values: dict[str, bool | int | float | str] = {
      'preset': config.preset, 'seed': config.seed}
  for section in ('model', 'optimizer', stage.name, *stage.reads):
    part = getattr(config, section)
    for field in dataclasses.fields(part):
      value = getattr(part, field.name)
      if isinstance(value, (bool, int, float, str)):
        values[f'{section}.{field.name}'] = value
  last = stage.phases[-1]
  values.update(
      images=sum(phase.images for phase in stage.phases),
      batch_size=last.batch_size, resolution=last.resolution,
      learning_rate=last.learning_rate)
  return values
