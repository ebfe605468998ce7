"""python -m earsr_tf.train in this process, guarded as the command is."""

from __future__ import annotations

from absl import flags
import pytest

from earsr_tf import cli
from earsr_tf import config as config_lib
from earsr_tf import train
from tests import fakes

# tiny on 16x16 pictures: what the fake shards hold.
SMALL = (
    '--preset=tiny', '--set=model.image_size=16', '--set=model.low_res_size=4',
    '--set=finetune.phases.1.resolution=16', '--set=model.classifier_side=0',
    '--set=model.audio_filters=2', '--set=model.audio_max_filters=4')


def main(*arguments: str) -> int:
  """Runs the command; returns its exit code."""
  if 'stage' not in flags.FLAGS:
    flags.DEFINE_enum('stage', None, config_lib.TRAINABLE, 'What to train.')
    flags.DEFINE_bool('restart', False, 'Throw an earlier run away.')
    flags.DEFINE_bool('allow_other_inputs', False, 'Restore other stages.')
    flags.DEFINE_bool('verify_data', True, 'Compare checksums.')
    flags.DEFINE_string('profile_steps', None, 'FIRST:LAST.')
    flags.DEFINE_integer('micro_batch', None, 'Images computed at a time.')
    flags.DEFINE_integer('trial_steps', 3, 'Steps on random data.')
    flags.DEFINE_enum('precision', None, config_lib.PRECISIONS, 'Of products.')
  fakes.parse_flags(*arguments)
  return cli.guard(train.main)


def error(capsys: pytest.CaptureFixture[str]) -> str:
  """The one line on stderr."""
  captured = capsys.readouterr()
  lines = [line for line in captured.err.splitlines() if line.strip()]
  assert len(lines) == 1, captured.err
  assert lines[0].startswith('error: ')
  assert 'Traceback' not in captured.err
  return lines[0]
