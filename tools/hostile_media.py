"""python -m tools.hostile_media DIR: how the decoders end on hostile files.

Reads every file below DIR as a face and as a voice, the way prepare and
super_resolve do, each in a process of its own, and prints a tally: what was
used, what was refused, the slowest, the peak of memory. Ends with 70 if one
crashed, hung, took 10 s or more, or needed more than 1 GB. --generate first
fills DIR with hostile files that it makes.
"""

from __future__ import annotations

import os
import pathlib
import tempfile

from absl import flags

from earsr_tf import cli
from tools.hostile import corpus
from tools.hostile import reading
from tools.hostile import tally


class LimitError(RuntimeError):
  """A file broke a limit."""
  exit_code = cli.INTERNAL


def main(folder: str) -> None:
  """Examines a folder."""
  values = flags.FLAGS
  if values.generate:
    if os.path.isdir(folder) and os.listdir(folder):
      raise cli.InputError(f'{folder}: is not empty', cli.CANNOT_CREATE)
    corpus.write(folder)
  paths = reading.files(folder)
  if not os.path.isdir(folder) or paths == [folder]:
    raise cli.InputError(f'{folder}: no folder with files in it')
  with tempfile.NamedTemporaryFile(suffix='.wav') as voice:
    voice.write(corpus.voice())
    voice.flush()
    outcomes = [o for path in paths for o in reading.examine(
        path, os.path.relpath(path, folder), voice.name)]
  text = tally.report(outcomes, values.listed)
  print(text, end='')
  if values.output:
    pathlib.Path(values.output).write_text(text, 'utf-8')
  broken = [o for o in outcomes if o.is_broken]
  if broken:
    raise LimitError(f'{len(broken)} readings broke a limit; the first: '
                     f'{tally.line(broken[0])}')


if __name__ == '__main__':
  flags.DEFINE_string(
      'output', '', 'Markdown file for the tally; it is printed in any case.')
  flags.DEFINE_bool(
      'generate', False, 'Fill DIR, absent or empty, with hostile files first.')
  flags.DEFINE_integer(
      'listed', 5, 'Slowest and largest files listed.', lower_bound=0)
  cli.run(main, argument='folder of files')
