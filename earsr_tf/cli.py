"""What all commands share: one line per mistake, and an exit code.

0 done, 1 usage, 2 locked by another process or unusable TF_CONFIG, 42 stopped
by a signal and saved; 65 bad data, 66 missing input, 69 another worker or a
runner is gone, 70 internal, 71 out of memory, 74 cannot be written
(sysexits.h).
"""

from __future__ import annotations

import json
import os
import pathlib
import sys
from typing import Callable

from absl import app
from absl import flags

from earsr_tf import flag_errors

INTERRUPTED = 42
USAGE, BAD_DATA, MISSING_INPUT, INTERNAL, CANNOT_CREATE = 1, 65, 66, 70, 73
_CODES = {  # by name: importing the classes would import TensorFlow
    'ConfigError': USAGE, 'DeviceError': USAGE, 'TreeError': USAGE,
    'CheckpointError': MISSING_INPUT,
    'TrainingError': INTERNAL, 'EncodeError': INTERNAL,
    'MediaError': BAD_DATA, 'DataError': BAD_DATA}


class InputError(ValueError):
  """A path or file given to a command is unusable.

  Attributes:
    exit_code: What the command ends with.
  """

  def __init__(self, message: str, exit_code: int = MISSING_INPUT):
    """Takes the sentence for the user and the exit code."""
    super().__init__(message)
    self.exit_code = exit_code


def exit_code(error: BaseException) -> int:
  """The exit code of an error that a user can mend, else 0."""
  code = getattr(error, 'exit_code', None)
  if isinstance(code, int):
    return code
  for kind in type(error).__mro__:
    if kind.__name__ in _CODES:
      return _CODES[kind.__name__]
  return CANNOT_CREATE if isinstance(error, OSError) else 0


def printable(text: str) -> str:
  """`text` as one line that a terminal can show, whatever a file is called."""
  return ''.join(
      c if c.isprintable() else '?' for c in ' '.join(text.split()))


def guard(command: Callable[[], object]) -> int:
  """Runs a command; a user's mistake becomes one line on stderr.

  Args:
    command: Does the work; its errors carry sentences for people. An integer
      that it returns is the exit code.

  Returns:
    The exit code.
  """
  try:
    result = command()
  except Exception as error:
    code = exit_code(error)
    if not code:
      raise
    kind = 'stopped' if code == INTERRUPTED else 'error'
    print(f'{kind}: {printable(str(error))}', file=sys.stderr)
    return code
  return result if isinstance(result, int) else 0


def _parse(argv: list[str], *, known_only: bool = False) -> list[str]:
  """Parses flags; a mistake is one line on stderr and exit code 1."""
  try:
    return flags.FLAGS(argv, known_only=known_only)
  except (flags.Error, ValueError) as error:
    print(f'error: {printable(flag_errors.sentence(error))}', file=sys.stderr)
    sys.exit(USAGE)
  except SystemExit:  # absl has printed the help, and calls that a failure
    sys.exit(0)


def run_with_rest(command: Callable[[list[str], list[str]], None]) -> None:
  """As `run`, for a command that hands flags on to another program.

  Args:
    command: Takes the flags that are not its own, and what follows `--`.
  """
  own = sys.argv[:]
  behind: list[str] = []
  if '--' in own:
    at = own.index('--')
    own, behind = own[:at], own[at + 1:]
  rest: list[str] = []

  def parse(argv: list[str]) -> list[str]:
    """Takes the own flags; keeps the other arguments."""
    rest.extend(_parse(argv, known_only=True)[1:])
    return argv[:1]

  app.run(
      lambda _: guard(lambda: command(rest, behind)), argv=own,
      flags_parser=parse)


def run(command: Callable[..., int | None], *, argument: str = '') -> None:
  """Parses flags, refuses stray arguments, runs `command` and exits.

  With --dry_run, which it defines unless the command has its own, it prints
  the command's flags and does no work.

  Args:
    command: Reads its flags and does the work; may return an exit code.
    argument: Name of the one argument that is no flag and that `command` is
      called with; '': there is none.
  """
  os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
  prints_flags = 'dry_run' not in flags.FLAGS
  if prints_flags:
    flags.DEFINE_bool('dry_run', False, 'Print the flags and stop.')

  def checked(argv: list[str]) -> int | None:
    """Checks the arguments and runs the command."""
    wanted = 1 + bool(argument)
    if len(argv) > wanted:
      raise InputError(
          f'{argv[wanted]}: unexpected argument; flags look like --name=value',
          USAGE)
    if len(argv) < wanted and not flags.FLAGS.dry_run:
      raise InputError(f'name the {argument}', USAGE)
    if prints_flags and flags.FLAGS.dry_run:
      own = flags.FLAGS.flags_by_module_dict()[sys.argv[0]]
      print(json.dumps({f.name: f.value for f in own}, indent=2))
      return 0
    return command(*argv[1:])

  app.run(lambda argv: guard(lambda: checked(argv)), flags_parser=_parse)


def check_can_create(path: str) -> None:
  """Refuses a file for --output whose folder cannot be made or written.

  Raises:
    InputError: With `CANNOT_CREATE`; names the nearest folder that exists.
  """
  folder = pathlib.Path(os.path.abspath(path)).parent
  while not os.path.lexists(folder):
    folder = folder.parent
  if not (folder.is_dir() and os.access(folder, os.W_OK)):
    raise InputError(
        f'--output={path}: {folder} is no folder that can be written; name '
        'another', CANNOT_CREATE)


def notice(text: str) -> None:
  """Tells the user something that is not an error, on stderr."""
  print(f'note: {printable(text)}', file=sys.stderr)
