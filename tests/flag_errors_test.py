"""A mistake on a command line is one sentence and exit code 1."""

from __future__ import annotations

from absl import flags
import pytest

from earsr_tf import flag_errors
from tests import testing

# What every command that has required flags asks for first.
REQUIRED = {
    'earsr_tf.super_resolve': '--model is required: an export folder (newest '
                              'version) or one version in it; --output '
                              'is required, too',
    'earsr_tf.train': '--stage is required: one of generator, invert, '
                      'finetune, low_res, audio, fusion, attributes',
    'earsr_tf.export': '--output is required: a folder of exported versions',
    'tools.prepare_voxceleb2': '--input is required: a folder of clips, or a '
                               'table of them, FILE.csv; --output is '
                               'required, too',
    'tools.make_synthetic': '--output is required: a folder to create',
    'tools.preview_synthetic': '--output is required: a PNG to write',
    'tools.preview_batch': '--output is required: a PNG to write',
    'tools.data_card': '--output is required: an HTML file to write',
    'tools.import_official': '--checkpoint is required: ',
}


def _parsed(*arguments: str) -> str:
  """The sentence for a command line with a flag of each kind."""
  values = flags.FlagValues()
  flags.DEFINE_string('audio', None, 'A sound or video file; a second or more.',
                      flag_values=values, required=True)
  flags.DEFINE_integer('seed', 0, 'Of all.', flag_values=values)
  flags.DEFINE_integer(
      'count', 1, 'Of them.', lower_bound=1, flag_values=values)
  flags.DEFINE_float('share', 0, 'A part.', lower_bound=0, upper_bound=1,
                     flag_values=values)
  flags.DEFINE_enum('size', '', ['', 'small', 'large'], 'How big.',
                    flag_values=values)
  flags.DEFINE_bool('dry_run', False, 'Stop.', flag_values=values)
  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(flags, 'FLAGS', values)
    with pytest.raises((flags.Error, ValueError)) as error:
      values(['program', *arguments])
    return flag_errors.sentence(error.value)


@pytest.mark.parametrize('arguments, sentence', [
    ([], '--audio is required: a sound or video file'),
    (['--seed=x'], '--seed=x: must be an integer'),
    (['--seed=1.5'], '--seed=1.5: must be an integer'),
    (['--seed='], '--seed=: must be an integer'),
    (['--count=0'], '--count=0: must be a positive integer'),
    (['--share=2'], '--share=2: must be a number in the range [0, 1]'),
    (['--size=huge'], '--size=huge: must be one of small, large'),
    (['--size'], '--size needs a value: one of small, large'),
    (['--audio'], '--audio needs a value: a sound or video file'),
    (['--dry_run=maybe'], '--dry_run=maybe: must be true or false'),
    (['--nodry_run=yes'], '--nodry_run=yes does not take an argument'),
    (['--xyzzy=x'], '--xyzzy: there is no such flag; --help lists all'),
    (['--coutn=3'], '--coutn: there is no such flag; did you mean --count?'),
])
def test_a_mistake_is_one_sentence(
    arguments: list[str], sentence: str) -> None:
  assert _parsed(*arguments) == sentence


@pytest.mark.parametrize('module', sorted(REQUIRED))
def test_required_flags_of_commands(module: str) -> None:
  done = testing.run_module(module)
  assert (done.returncode, done.stdout) == (1, '')
  [line] = done.stderr.splitlines()
  assert line.startswith(f'error: {REQUIRED[module]}')


@pytest.mark.parametrize('module, argument, words', [
    ('earsr_tf.evaluate', '--sed=3', '--sed: there is no such flag; did you '
     'mean --seed?'),
    ('pipelines.run', '--seed=x', '--seed=x: must be an integer'),
    ('pipelines.run', 'stray', 'stray: unexpected argument'),
    ('tools.report', '--dry_run=x', '--dry_run=x: must be true or false'),
    ('tools.verify_data', '--nosuch', '--nosuch: there is no such flag')])
def test_other_mistakes_of_commands(
    module: str, argument: str, words: str) -> None:
  done = testing.run_module(module, argument)
  assert (done.returncode, done.stdout) == (1, '')
  [line] = done.stderr.splitlines()
  assert line.startswith(f'error: {words}')


def test_help_is_no_failure() -> None:
  done = testing.run_module('earsr_tf.export', '--help')
  assert (done.returncode, done.stderr) == (0, '')
  assert '--output: A folder of exported versions.' in done.stdout
