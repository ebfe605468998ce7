"""python -m tools.report RUN_ROOT [--output=FILE]: a run on one page.

Curves, preview grids, settings, provenance, evaluations and times, in one
HTML file without scripts that needs nothing else. A run in progress is shown
as far as it is.
"""

from __future__ import annotations

import pathlib

from absl import flags

from earsr_tf import cli
from earsr_tf import durable
from tools.report import run_page


def main(folder: str) -> None:
  """Writes the page of a run.

  Raises:
    InputError: If there is no run, or the page cannot be written.
  """
  page = run_page.make(folder, flags.FLAGS.data_dir).encode('utf-8', 'replace')
  output = flags.FLAGS.output or pathlib.Path(folder) / 'report.html'
  try:
    durable.write(output, page)
  except OSError as error:
    raise cli.InputError(
        f'{output}: cannot be written ({error.strerror}); name another place '
        'with --output', cli.CANNOT_CREATE) from error
  print(f'{output}: {len(page) / 1e6:.1f} MB')


if __name__ == '__main__':
  flags.DEFINE_string(
      'output', '', 'HTML file; default: report.html in the run\'s folder.')
  flags.DEFINE_string(
      'data_dir', '', 'Folder of prepared data to describe.')
  cli.run(main, argument='folder of a run')
