"""python -m tools.ablations --run_root=DIR --data_dir=DIR: (e), (f), (g).

Trains the ablations of Table 1 beside a finished run, each in
<run_root>/ablations/<name> and with the run's own settings but for those that
it is about. Earlier stages are links to the run's. A finished one is not
trained again, an interrupted one goes on; `earsr_tf.evaluate` then shows rows.
"""

from __future__ import annotations

import os
import pathlib

from absl import flags

from earsr_tf import cli
from earsr_tf import flags as shared_flags

_SHARED = ('generator', 'invert', 'finetune', 'low_res', 'audio')
_NAMES = ('one_layer', 'zero_audio', 'fixed_audio_encoder')


def train(run_root: str, data_dir: str, *, dataset: str = 'synthetic',
          only: tuple[str, ...] = (), restart: bool = False) -> list[str]:
  """Trains ablations of a run whose stage `fusion` is finished.

  Args:
    run_root: Folder of the run's stages.
    data_dir: Folder of the shards.
    dataset: Name of the data set the shards were made from.
    only: Names of ablations; all if empty.
    restart: Whether to throw earlier runs of these away.

  Returns:
    The run folders.

  Raises:
    CheckpointError: If the run is not finished, and what `train.run` raises.
    InputError: If links cannot be made.
  """
  from earsr_tf import environment
  environment.load_tensorflow()
  from earsr_tf import train as train_lib
  from earsr_tf.evaluation import ablations
  from earsr_tf.training import checkpoints
  main = checkpoints.load_config(run_root, 'fusion')
  checkpoints.check_finished(run_root, ['fusion'], main.preset)
  made = []
  for ablation in ablations.ABLATIONS:
    if only and ablation.name not in only:
      continue
    root = ablations.run_root(run_root, ablation.name)
    _link(run_root, root)
    config = shared_flags.apply_settings(main, list(ablation.settings))
    print(f'{ablation.row.label}: {", ".join(ablation.settings)}', flush=True)
    # F_1 is another model section than that of the stages it restores.
    train_lib.run(
        config, 'fusion', dataset=dataset, data_dir=data_dir, run_root=root,
        restart=restart, allow_other_inputs=True)
    made.append(root)
  return made


def _link(main: str, root: str) -> None:
  """Makes the stages of the main run seen in another run folder."""
  pathlib.Path(root).mkdir(parents=True, exist_ok=True)
  for stage in _SHARED:
    source, link = pathlib.Path(main, stage), pathlib.Path(root, stage)
    if not source.exists() or link.exists():
      continue
    try:
      link.symlink_to(os.path.relpath(source.resolve(), pathlib.Path(root)
                                      .resolve()), target_is_directory=True)
    except OSError as error:
      raise cli.InputError(
          f'{link}: cannot link to {source} ({error.strerror}); use a '
          '--run_root where links can be made', cli.USAGE) from error


def main() -> None:
  """Trains what the flags name."""
  values = flags.FLAGS
  for root in train(
      values.run_root, values.data_dir, dataset=values.dataset,
      only=tuple(values.only), restart=values.restart):
    print(root)


if __name__ == '__main__':
  flags.DEFINE_string('run_root', 'runs', 'Folder of all stages of a run.')
  flags.DEFINE_string('data_dir', 'data', 'Folder of the prepared shards.')
  flags.DEFINE_string('dataset', 'synthetic', 'What the shards were made from.')
  flags.DEFINE_multi_enum(
      'only', [], _NAMES, 'Which ablations; all by default.')
  flags.DEFINE_bool('restart', False, 'Throw earlier runs of these away.')
  cli.run(main)
