"""Turns a snapshot of NVIDIA's StyleGAN into a finished stage `generator`.

    python -m tools.import_stylegan \
        --pickle=karras2019stylegan-ffhq-1024x1024.pkl --run_root=runs

Then `python -m earsr_tf.train --stage=invert --preset=paper` goes on from it.
See docs/official_weights.md.
"""

from __future__ import annotations

from absl import flags

from earsr_tf import cli
from earsr_tf import environment
from earsr_tf import flags as flags_lib
from earsr_tf import presets

_PICKLE = flags.DEFINE_string(
    'pickle', None, 'Snapshot of StyleGAN v1: G, D and Gs.', required=True)
_RUN_ROOT = flags.DEFINE_string(
    'run_root', None, 'Folder of the stages, without a stage generator.',
    required=True)
_SET = flags.DEFINE_multi_string(
    'set', [], 'Overrides a value of the configuration `paper`, as those of '
    'the training that follows.')


def main() -> None:
  """Imports what the flags name."""
  config = flags_lib.apply_settings(presets.get('paper'), _SET.value)
  environment.load_tensorflow()
  from tools.official import stylegan
  record = stylegan.write(_PICKLE.value, _RUN_ROOT.value, config)
  for network, count in record['networks'].items():
    print(f'{network}: {count} tensors')
  print(f'left out, above {config.model.image_size}x'
        f'{config.model.image_size}: '
        f'{sum(map(len, record["left_out"].values()))} tensors')
  settings = ''.join(f' --set={setting}' for setting in _SET.value)
  print(f'{_RUN_ROOT.value}: stage generator is written; next: python -m '
        'earsr_tf.train --stage=invert --preset=paper --run_root='
        f'{_RUN_ROOT.value} --data_dir=DATA{settings}')


if __name__ == '__main__':
  cli.run(main)
