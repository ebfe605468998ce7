"""python -m earsr_tf.page --model=DIR: a page in the browser.

A face from a file or a camera and a voice from a file or a microphone go in;
what comes out stands side by side. For one person at this machine: it listens
on 127.0.0.1 only, sends nothing anywhere, and what was uploaded is removed when
it ends. docs/page.md. For programs there is `python -m earsr_tf.serve`.
"""

from __future__ import annotations

import pathlib
import signal
import tempfile
import threading

from absl import flags

from earsr_tf import cli
from earsr_tf import environment
from earsr_tf import trained_model

_EXTRA = {'gradio': 'gradio'}


def run(model: str, *, port: int = 7860, max_upload_mb: int = 64) -> None:
  """Shows the page until Ctrl-C or SIGTERM.

  Args:
    model: Export folder (its newest version is used) or one version in it.
    port: TCP port; 0: any free one. The address is printed.
    max_upload_mb: Greater files are refused, in MB.

  Raises:
    InputError: If gradio is missing or the port cannot be used.
    ExportError: If the model is missing or damaged.
  """
  if environment.missing(_EXTRA):
    raise cli.InputError(
        'the page needs gradio; run: pip install -c constraints.txt '
        '"gradio>=6,<7"', cli.USAGE)
  loaded = trained_model.load(model)
  environment.load_tensorflow()
  from earsr_tf.page import server
  stop = threading.Event()
  with tempfile.TemporaryDirectory(prefix='earsr_page_') as folder:
    page, address = server.start(
        loaded, pathlib.Path(folder), port=port, max_upload_mb=max_upload_mb)
    for number in (signal.SIGINT, signal.SIGTERM):
      signal.signal(number, lambda *_: stop.set())
    try:
      print(f'{address} shows {loaded.version}; Ctrl-C ends it', flush=True)
      stop.wait()
    finally:
      page.close(verbose=False)


def main() -> None:
  """Shows what the flags name."""
  values = flags.FLAGS
  run(values.model, port=values.port, max_upload_mb=values.max_upload_mb)


if __name__ == '__main__':
  flags.DEFINE_string(
      'model', None, 'An export folder (newest version) or one version in it.')
  flags.DEFINE_integer(
      'port', 7860, 'TCP port; 0 takes any free one.', lower_bound=0,
      upper_bound=65535)
  flags.DEFINE_integer(
      'max_upload_mb', 64, 'Greater files are refused, in MB.', lower_bound=1,
      upper_bound=512)
  flags.mark_flag_as_required('model')
  cli.run(main)
