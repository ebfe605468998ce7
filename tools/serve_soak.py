"""python -m tools.serve_soak --model=DIR: many clients at a server, for long.

Starts `earsr_tf.serve` and lets clients send one request after the other: files
in, a face out; one request in `--bad_every` is damaged. Prints requests a
second, percentiles of the time of an answer, unexpected answers and the
server's memory. `--nobatches` starts the server without batches, to compare.
"""

from __future__ import annotations

import base64
import collections
import concurrent.futures
import dataclasses
import http.client
import json
import re
import signal
import subprocess
import sys
import time

from absl import flags
import numpy as np

from earsr_tf import cli
from earsr_tf.media import reader

_RESIDENT = re.compile(r'^process_resident_memory_bytes (\S+)$', re.MULTILINE)
_CPU = re.compile(r'^process_cpu_seconds_total (\S+)$', re.MULTILINE)
_WAIT_S = 120.0
_GOOD, _BAD = 200, 400


@dataclasses.dataclass(frozen=True)
class Answers:
  """What clients have seen.

  Attributes:
    milliseconds: Time of each good answer.
    unexpected: Status -> how often it came where another was due; 0 stands
      for a connection that failed.
    megabytes: The server's memory at each look.
    seconds: From the first request to the last answer.
    cpu_seconds: Of the server, meanwhile.
  """
  milliseconds: list[float]
  unexpected: dict[int, int]
  megabytes: list[float]
  seconds: float
  cpu_seconds: float


def soak(model: str, *, clients: int, seconds: float, bad_every: int,
         batches: bool) -> Answers:
  """Starts a server, loads it, stops it.

  Args:
    model: Export folder.
    clients: Requests at a time.
    seconds: How long.
    bad_every: One request in so many is damaged; 0: none.
    batches: Whether the server joins requests.

  Returns:
    What came back.

  Raises:
    InputError: If the server does not start, answers something unexpected, or
      ends otherwise than with 0.
  """
  process = subprocess.Popen(
      [sys.executable, '-m', 'earsr_tf.serve', f'--model={model}', '--port=0',
       '--batches' if batches else '--nobatches'],
      stdout=subprocess.PIPE, text=True)
  try:
    found = re.search(r':(\d+)/v1/', process.stdout.readline())
    if not found:
      raise cli.InputError(f'--model={model}: the server did not start')
    answers = load(int(found[1]), clients, seconds, bad_every)
    process.send_signal(signal.SIGTERM)
    code = process.wait(_WAIT_S)
  finally:
    process.kill()
  if answers.unexpected or code:
    raise cli.InputError(
        f'unexpected answers: {answers.unexpected}; the server ended with '
        f'{code}', cli.INTERNAL)
  return answers


def load(port: int, clients: int, seconds: float, bad_every: int) -> Answers:
  """Sends requests from several threads until the time is over.

  Args:
    port: Of the server, on this machine.
    clients: Threads.
    seconds: How long.
    bad_every: One request in so many is damaged; 0: none.

  Returns:
    What came back.
  """
  begin, cpu_begin = time.monotonic(), _metric(port, _CPU)
  times: list[float] = []
  unexpected: collections.Counter[int] = collections.Counter()

  def client(number: int) -> None:
    """One client."""
    good, bad = _bodies(number)
    count = number
    while time.monotonic() < begin + seconds:
      count += 1
      is_bad = bool(bad_every) and count % bad_every == 0
      sent = time.monotonic()
      status = _post(port, bad if is_bad else good)
      if status != (_BAD if is_bad else _GOOD):
        unexpected[status] += 1
      elif not is_bad:
        times.append((time.monotonic() - sent) * 1e3)

  with concurrent.futures.ThreadPoolExecutor(clients) as pool:
    running = [pool.submit(client, number) for number in range(clients)]
    memory = []
    while not all(each.done() for each in running):
      memory.append(_metric(port, _RESIDENT) / 1e6)
      concurrent.futures.wait(running, timeout=seconds / 10.0)
  for each in running:
    each.result()
  return Answers(times, dict(unexpected), memory, time.monotonic() - begin,
                 _metric(port, _CPU) - cpu_begin)


def table(answers: Answers) -> str:
  """The figures of a run, one a line."""
  marks = ', '.join(
      f'{np.percentile(answers.milliseconds, share):.0f}'
      for share in (50, 95, 99, 100))
  return '\n'.join([
      f'good answers: {len(answers.milliseconds)} in {answers.seconds:.0f} s, '
      f'{len(answers.milliseconds) / answers.seconds:.1f} a second',
      'ms of CPU for an answer: '
      f'{answers.cpu_seconds / len(answers.milliseconds) * 1e3:.1f}',
      f'ms for an answer (50 %, 95 %, 99 %, longest): {marks}',
      'memory of the server in MB: ' + ', '.join(
          f'{value:.0f}' for value in answers.megabytes)])


def files(seed: int) -> tuple[bytes, bytes]:
  """A PNG of 128x128 and a WAV of 4 s, of noise."""
  random = np.random.default_rng(seed)
  picture = reader.encode_png(
      random.integers(0, 256, size=(128, 128, 3), dtype=np.uint8))
  voice = reader.encode_wav(
      random.normal(scale=3_000.0, size=64_000).astype(np.int16))
  return picture, voice


def _bodies(seed: int) -> tuple[bytes, bytes]:
  """A request that is fine, and one that is not."""
  picture, voice = files(seed)

  def body(sound: bytes) -> bytes:
    """The JSON of a request."""
    row = {name: {'b64': base64.b64encode(content).decode('ascii')}
           for name, content in (('image_bytes', picture),
                                 ('audio_bytes', sound))}
    return json.dumps({'signature_name': 'super_resolve_bytes',
                       'instances': [row]}).encode('ascii')

  return body(voice), body(voice[:1000])


def _post(port: int, body: bytes) -> int:
  """The status of an answer, 0 if there was none."""
  connection = http.client.HTTPConnection('127.0.0.1', port, timeout=_WAIT_S)
  try:
    connection.request('POST', '/v1/models/earsr:predict', body,
                       {'Content-Type': 'application/json'})
    answer = connection.getresponse()
    answer.read()
    return answer.status
  except OSError:
    return 0
  finally:
    connection.close()


def _metric(port: int, pattern: re.Pattern[str]) -> float:
  """A figure that the server tells about itself."""
  connection = http.client.HTTPConnection('127.0.0.1', port, timeout=_WAIT_S)
  try:
    connection.request('GET', '/metrics')
    text = connection.getresponse().read().decode('utf-8')
    return float(pattern.search(text)[1])
  finally:
    connection.close()


def main() -> None:
  """Runs with the flags' values."""
  values = flags.FLAGS
  print(table(soak(
      values.model, clients=values.clients, seconds=values.seconds,
      bad_every=values.bad_every, batches=values.batches)))


if __name__ == '__main__':
  flags.DEFINE_string('model', None, 'An export folder or one version in it.')
  flags.DEFINE_integer('clients', 16, 'Requests at a time.', lower_bound=1)
  flags.DEFINE_float('seconds', 600.0, 'How long.', lower_bound=1.0)
  flags.DEFINE_integer(
      'bad_every', 50, 'One request in so many is damaged; 0: none.',
      lower_bound=0)
  flags.DEFINE_bool('batches', True, 'Whether the server joins requests.')
  flags.mark_flag_as_required('model')
  cli.run(main)
