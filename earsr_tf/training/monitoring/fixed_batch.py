"""The batch that previews and observations always see."""

from __future__ import annotations

from earsr_tf import config as config_lib
from earsr_tf.data import batching
from earsr_tf.data import keys
from earsr_tf.data import mixture as mixture_lib
from earsr_tf.stages import stage as stage_lib

# Held-out images come from many clips; four frames of one differ enough.
_FRAMES_PER_CLIP = 4


def splits(stage: stage_lib.Stage, info: batching.DataInfo
           ) -> tuple[str, ...]:
  """Where it comes from: held-out clips if there are any.

  Args:
    stage: One that watches held-out images of its own splits needs no others.
    info: Of the data.
  """
  if stage.watched_images or not info.records.get('closed_test'):
    return stage.splits
  return ('closed_test',)


def read(stage: stage_lib.Stage, config: config_lib.Config,
         data: mixture_lib.Data, info: batching.DataInfo) -> stage_lib.Batch:
  """Reads it.

  Args:
    stage: What is trained.
    config: Its configuration.
    data: Prepared shards.
    info: Of the data.

  Returns:
    `training.preview_size` images; of a stage that watches, up to
    `watched_images` held-out ones, if the data have any.

  Raises:
    DataError: If the data are damaged.
  """
  options = dict(splits=splits(stage, info),
                 inputs=stage.preview_inputs or stage.inputs,
                 batch_size=config.training.preview_size)
  if stage.watched_images:
    held_out = batching.make_eval_dataset(
        data, **options, frames_per_clip=_FRAMES_PER_CLIP).unbatch().filter(
            lambda example: example[keys.HELD_OUT]).take(
                stage.watched_images).batch(stage.watched_images)
    for batch in held_out:
      return batch
  return next(iter(batching.make_eval_dataset(data, **options)))
