"""python -m tools.hostile_media DIR: how the decoders end on hostile files.

Reads every file below DIR as a face and as a voice, the way prepare and
super_resolve do, each in a process of its own, and prints a tally: what was
used, what was refused, the slowest, the peak of memory. Ends with 70 if one
crashed, hung, took 10 s or more, or needed more than 1 GB. --generate first
fills DIR with hostile files that it makes.
"""

from __future__ import annotations

import collections
import dataclasses
import multiprocessing
from multiprocessing import connection
import os
import pathlib
import resource
import tempfile
import time
from typing import Any, Callable
import warnings

from absl import flags

from earsr_tf import cli
from earsr_tf.media import child
from earsr_tf.media import clip_files
from earsr_tf.media import reader
from earsr_tf.media import talking_face
from tools.hostile import corpus

LIMIT_S = 10.0
LIMIT_BYTES = child.MEMORY_BYTES
REFUSAL_S = 2.0
_HANG_S = 60.0  # the reader itself is given up
_WANTED = talking_face.Wanted(frames=8, size=128)  # what prepare asks for


class LimitError(RuntimeError):
  """A file broke a limit."""
  exit_code = cli.INTERNAL


@dataclasses.dataclass(frozen=True)
class Outcome:
  """How reading a file in one way ended.

  Attributes:
    file: Its path below the folder.
    role: 'face' or 'voice'.
    reason: Why it was refused; '' if it was used.
    seconds: Wall-clock time.
    bytes: Peak of resident memory, of the reader or of its child.
    is_clean: False if it ended by anything but success or a MediaError.
  """
  file: str
  role: str
  reason: str
  seconds: float
  bytes: int
  is_clean: bool = True


def examine(path: str, name: str, voice: str) -> list[Outcome]:
  """Reads a file as a face and as a voice, each in a process of its own.

  The system counts what this process holds as its children's peak of memory
  too, so a small process must ask.

  Args:
    path: The file.
    name: What it is called in the outcomes.
    voice: A good sound file, the voice that goes with the face.
  """
  return [
      _isolated(name, 'face', lambda: talking_face.read(
          clip_files.Clip('s', 'v', 'c', frames=path, audio=voice), _WANTED)),
      _isolated(name, 'voice', lambda: reader.read_voice(
          path, _WANTED.max_seconds))]


def _isolated(name: str, role: str, read: Callable[[], Any]) -> Outcome:
  """Forks, reads, and takes the outcome from a pipe."""
  context = multiprocessing.get_context('fork')
  ours, theirs = context.Pipe(duplex=False)
  process = context.Process(target=_read, args=(read, theirs))
  began = time.monotonic()
  process.start()
  theirs.close()
  try:
    reason, size, is_clean = (
        ours.recv() if ours.poll(_HANG_S) else ('hangs', 0, False))
  except EOFError:
    reason, size, is_clean = 'the reader crashed', 0, False
  seconds = time.monotonic() - began
  process.kill()
  process.join()
  return Outcome(name, role, reason, seconds, size, is_clean)


def _read(read: Callable[[], Any], pipe: connection.Connection) -> None:
  """In the child: reads and sends (reason, peak bytes, is_clean)."""
  warnings.simplefilter('ignore')
  reason, is_clean = '', True
  try:
    read()
  except reader.MediaError as e:
    reason = e.reason
    is_clean = str(e) == cli.printable(str(e))
  except BaseException as e:  # noqa: BLE001
    reason, is_clean = f'{type(e).__name__}: {e}', False
  peak = max(resource.getrusage(who).ru_maxrss for who in (
      resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
  pipe.send((reason, 1024 * peak, is_clean))


def files(folder: str) -> list[str]:
  """Everything below a folder that is no folder, and folders without files.

  Links are not followed.
  """
  found = []
  for root, folders, names in os.walk(folder):
    found += [os.path.join(root, n) for n in names]
    if not folders and not names:
      found.append(root)
  return sorted(found)


def report(outcomes: list[Outcome], listed: int) -> str:
  """The tally as Markdown."""
  by_file = collections.defaultdict(dict)
  for outcome in outcomes:
    by_file[outcome.file][outcome.role] = outcome
  rows = collections.defaultdict(collections.Counter)
  for name, both in by_file.items():
    group = name.partition('/')[0] if '/' in name else 'files'
    used = [role for role, o in both.items() if not o.reason]
    rows[group][' and '.join(used) or 'refused'] += 1
    rows['**all**'][' and '.join(used) or 'refused'] += 1
  kinds = ('face', 'voice', 'face and voice', 'refused')
  lines = ['| folder | files | face only | voice only | both | refused |',
           '|---|---|---|---|---|---|']
  for group, counts in sorted(rows.items(), key=lambda r: (
      r[0] == '**all**', r[0])):
    lines.append(f'| {group} | {counts.total()} | ' + ' | '.join(
        str(counts[kind]) for kind in kinds) + ' |')
  refusals = [o for o in outcomes if o.reason]
  slow = [o for o in refusals if o.seconds >= REFUSAL_S]
  lines += ['', f'{len(outcomes)} readings, {len(refusals)} refused; '
            f'{len(slow)} refusals took {REFUSAL_S:g} s or more, '
            f'{sum(o.seconds >= LIMIT_S for o in outcomes)} readings '
            f'{LIMIT_S:g} s or more, '
            f'{sum(o.bytes >= LIMIT_BYTES for o in outcomes)} needed 1 GB, '
            f'{sum(not o.is_clean for o in outcomes)} ended badly.', '']
  for title, key in (('slowest', lambda o: -o.seconds),
                     ('largest', lambda o: -o.bytes)):
    lines += [f'- {title}: {_line(o)}'
              for o in sorted(outcomes, key=key)[:listed]]
  return '\n'.join(lines) + '\n'


def _line(o: Outcome) -> str:
  return cli.printable(
      f'`{o.file}` as {o.role}: {o.seconds:.1f} s, {o.bytes >> 20} MB, '
      f'{o.reason or "used"}')


def main(folder: str) -> None:
  """Examines a folder."""
  values = flags.FLAGS
  if values.generate:
    if os.path.isdir(folder) and os.listdir(folder):
      raise cli.InputError(f'{folder}: is not empty', cli.CANNOT_CREATE)
    corpus.write(folder)
  paths = files(folder)
  if not os.path.isdir(folder) or paths == [folder]:
    raise cli.InputError(f'{folder}: no folder with files in it')
  with tempfile.NamedTemporaryFile(suffix='.wav') as voice:
    voice.write(corpus.voice())
    voice.flush()
    outcomes = [o for path in paths for o in examine(
        path, os.path.relpath(path, folder), voice.name)]
  text = report(outcomes, values.listed)
  print(text, end='')
  if values.output:
    pathlib.Path(values.output).write_text(text, 'utf-8')
  broken = [o for o in outcomes if not o.is_clean or o.seconds >= LIMIT_S
            or o.bytes >= LIMIT_BYTES]
  if broken:
    raise LimitError(f'{len(broken)} readings broke a limit; the first: '
                     f'{_line(broken[0])}')


if __name__ == '__main__':
  flags.DEFINE_string(
      'output', '', 'Markdown file for the tally; it is printed in any case.')
  flags.DEFINE_bool(
      'generate', False, 'Fill DIR, absent or empty, with hostile files first.')
  flags.DEFINE_integer(
      'listed', 5, 'Slowest and largest files listed.', lower_bound=0)
  cli.run(main, argument='folder of files')
