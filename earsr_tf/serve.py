"""python -m earsr_tf.serve --model=DIR: an exported model behind HTTP.

TensorFlow Serving's REST shape: POST /v1/models/NAME:predict. The highest
version in the folder is served; a new one is taken up without a restart once
it is whole. Concurrent requests are computed together. SIGTERM ends the server
when the requests in work are answered. docs/serving.md has examples. Listens
on this machine only unless --host says otherwise: there is no encryption and
no password.
"""

from __future__ import annotations

import functools
import pathlib
import socket
import threading

from absl import flags

from earsr_tf import cli
from earsr_tf import environment
from earsr_tf.serving import export_manifest

_EXTRA = {'kserve': 'kserve'}


def run(model: str, *, host: str = '127.0.0.1', port: int = 8501,
        name: str = 'earsr', max_body_mb: int = 32, poll_seconds: float = 2.0,
        grace_seconds: int = 30, batches: bool = True) -> None:
  """Serves an exported model until SIGTERM or SIGINT.

  Args:
    model: Export folder, or one version in it, which then stays.
    host: Address to listen on.
    port: TCP port; 0: any free one. The address is printed.
    name: What the model is called in addresses.
    max_body_mb: Greater requests are refused, in MB.
    poll_seconds: Time between two looks for another version.
    grace_seconds: How long requests in work may take after the signal.
    batches: Whether concurrent requests are joined.

  Raises:
    InputError: If kserve is missing or the address cannot be used.
    ExportError: If there is no usable version.
  """
  if environment.missing(_EXTRA):
    raise cli.InputError(
        'the server needs kserve; run: pip install -c constraints.txt '
        '"kserve>=0.15,<0.16"', cli.USAGE)
  export_manifest.newest(model)
  listener = _listen(host, port)
  environment.load_tensorflow()
  from earsr_tf.serving import loaded_version
  from earsr_tf.serving import server
  from earsr_tf.serving import version_choice
  choice = version_choice.VersionChoice(
      base=pathlib.Path(model), say=cli.notice,
      load=lambda folder: loaded_version.LoadedVersion(
          folder=folder, batches=batches))
  app = server.application(
      server.ServedVersions(name=name, choice=choice), max_body_mb << 20)
  stop = threading.Event()
  watcher = threading.Thread(
      target=functools.partial(choice.watch, stop, poll_seconds), daemon=True)
  watcher.start()
  listener.listen()
  address = '%s:%d' % listener.getsockname()[:2]
  print(f'serving {model} at http://{address}/v1/models/{name}:predict',
        flush=True)
  try:
    server.serve(app, listener, grace_seconds)
  finally:
    stop.set()


def _listen(host: str, port: int) -> socket.socket:
  """Takes the port at once, so that a mistake is told before models load."""
  try:
    family, *_, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address)
  except OSError as error:
    raise cli.InputError(
        f'--host={host} --port={port}: cannot be listened on '
        f'({error.strerror}); name another', cli.USAGE) from None
  return listener


def main() -> None:
  """Serves what the flags name."""
  values = flags.FLAGS
  run(values.model, host=values.host, port=values.port,
      name=values.model_name, max_body_mb=values.max_body_mb,
      poll_seconds=values.poll_seconds, grace_seconds=values.grace_seconds,
      batches=values.batches)


if __name__ == '__main__':
  flags.DEFINE_string(
      'model', None, 'An export folder (newest version) or one version in it.')
  flags.DEFINE_string('host', '127.0.0.1', 'Address to listen on.')
  flags.DEFINE_integer(
      'port', 8501, 'TCP port; 0 takes any free one.', lower_bound=0,
      upper_bound=65535)
  flags.DEFINE_string(
      'model_name', 'earsr', 'What the model is called in addresses.')
  flags.DEFINE_integer(
      'max_body_mb', 32, 'Greater requests are refused, in MB.', lower_bound=1,
      upper_bound=1024)
  flags.DEFINE_float(
      'poll_seconds', 2.0, 'Between two looks for another version.',
      lower_bound=0.1)
  flags.DEFINE_integer(
      'grace_seconds', 30, 'How long requests in work may take after SIGTERM.',
      lower_bound=1)
  flags.DEFINE_bool(
      'batches', True, 'Whether concurrent requests are computed together.')
  flags.mark_flag_as_required('model')
  cli.run(main)
