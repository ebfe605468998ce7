"""Commands of README, index and pipeline page exist and take their flags."""

from __future__ import annotations

import re
import shlex

import pytest

from tests import testing

TEXT = (testing.ROOT / 'README.md').read_text(encoding='utf-8')
_DOCS = [(testing.ROOT / 'docs' / name).read_text(encoding='utf-8')
         for name in ('index.md', 'pipeline.md')]
# What a reader puts something else in the place of.
_PLACEHOLDER = re.compile(r'=(TREE|DIR|FILE\.csv)\b|\.\.\.')


def _commands(text: str) -> set[str]:
  """Commands of a page: lines of sh blocks, and whole code spans."""
  lines = [
      line.partition('  #')[0].strip()
      for block in re.findall(r'```sh\n(.*?)```', text, re.DOTALL)
      for line in block.splitlines()]
  spans = re.findall(r'^\|.*', text, re.MULTILINE)
  lines += re.findall(r'`([^`]*)`', '\n'.join(spans))
  return {line for line in lines if line.startswith('python -m ')}


COMMANDS = sorted(
    command for command in set().union(*map(_commands, [TEXT, *_DOCS]))
    if not _PLACEHOLDER.search(command))
LINES = 130


def test_there_are_commands() -> None:
  assert len(_commands(TEXT)) >= 12
  assert len(COMMANDS) >= 25


@pytest.mark.parametrize('command', COMMANDS)
def test_command_runs_dry(command: str) -> None:
  _, _, module, *arguments = shlex.split(command)
  if module == 'earsr_tf.train':
    arguments.append('--trial_steps=0')  # steps would only take time
  done = testing.run_module(module, *arguments, '--dry_run', timeout_s=180)
  if 'prepare' in module:  # lists the clips of its input, which is not here
    assert (done.returncode, done.stdout) == (66, '')
    assert done.stderr.startswith('error: tree: no such folder')
    return
  assert done.returncode == 0, done.stderr[-500:]
  assert done.stdout.strip()


def test_it_is_short() -> None:
  assert len(TEXT.splitlines()) <= LINES


def test_the_picture_then_the_warning_then_two_commands() -> None:
  places = [TEXT.find(part) for part in (
      '![', 'must not be used to identify', 'tools/demo.sh\n```',
      'tools/test.sh\n```', 'earsr_tf.super_resolve', 'earsr_tf.load(',
      'earsr_tf.train')]
  assert -1 not in places and places == sorted(places)


def test_the_two_commands_are_executable() -> None:
  for name in ('tools/demo.sh', 'tools/test.sh', '.ci/run'):
    assert f'{name}' in TEXT
    assert (testing.ROOT / name).stat().st_mode & 0o111
