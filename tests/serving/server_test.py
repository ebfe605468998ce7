"""The server as its users meet it: a process of its own, a plain client."""

from __future__ import annotations

import base64
import concurrent.futures
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time
from typing import Any, Iterator

import numpy as np
from PIL import Image
import pytest
import tensorflow as tf

from earsr_tf.media import reader
from earsr_tf.serving import signatures
from tests import testing

pytest.importorskip(
    'kserve', reason='the extra `serving` is not installed (kserve)')

_WAIT_S = 120


class _Server:
  """A running server."""

  def __init__(self, process: subprocess.Popen, port: int) -> None:
    self.process = process
    self.port = port

  def get(self, path: str) -> tuple[int, str]:
    return self._ask('GET', path, b'')

  def predict(self, body: Any, **headers: str) -> tuple[int, Any]:
    """Posts JSON, or bytes as they are; the answer's JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    status, text = self._ask(
        'POST', '/v1/models/earsr:predict', content, **headers)
    return status, json.loads(text)

  def refusal(self, body: Any) -> str:
    """The sentence of a 400."""
    status, answer = self.predict(body)
    assert status == 400 and list(answer) == ['error'], (status, answer)
    return answer['error']

  def metric(self, name: str) -> float:
    for line in self.get('/metrics')[1].splitlines():
      if line.startswith(f'{name} '):
        return float(line.split()[1])
    raise AssertionError(f'no metric {name}')

  def _ask(self, method: str, path: str, content: bytes,
           **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(
        '127.0.0.1', self.port, timeout=_WAIT_S)
    try:
      connection.request(method, path, content, {
          'Content-Type': 'application/json', **headers})
      answer = connection.getresponse()
      return answer.status, answer.read().decode('utf-8')
    finally:
      connection.close()


def _start(model: pathlib.Path, *flags: str) -> _Server:
  process = subprocess.Popen(
      [sys.executable, '-m', 'earsr_tf.serve', f'--model={model}', '--port=0',
       '--poll_seconds=0.2', *flags],
      cwd=testing.ROOT, env=dict(os.environ, TF_CPP_MIN_LOG_LEVEL='2'),
      stdout=subprocess.PIPE, text=True)
  line = process.stdout.readline()
  assert line.startswith('serving '), line
  return _Server(process, int(line.rsplit(':', 2)[1].split('/')[0]))


@pytest.fixture(scope='module')
def base(version: str, tmp_path_factory: pytest.TempPathFactory
         ) -> pathlib.Path:
  """An export folder with version 1."""
  folder = tmp_path_factory.mktemp('served')
  shutil.copytree(version, folder / '1')
  return folder


@pytest.fixture(scope='module')
def server(base: pathlib.Path) -> Iterator[_Server]:
  """A server of that folder."""
  started = _start(base, '--max_body_mb=4')
  yield started
  started.process.kill()
  started.process.wait()


def _files(seed: int) -> tuple[bytes, bytes]:
  """A picture and a voice."""
  random = np.random.default_rng(seed)
  low = random.integers(0, 256, size=(8, 8, 3), dtype=np.uint8)
  picture = reader.encode_png(
      np.asarray(Image.fromarray(low).resize((160, 150), 3)))
  return picture, reader.encode_wav(
      random.normal(scale=3_000.0, size=64_000).astype(np.int16))


def _b64(content: bytes) -> dict[str, str]:
  return {'b64': base64.b64encode(content).decode('ascii')}


def _body(*pairs: tuple[bytes, bytes]) -> dict[str, Any]:
  return {'signature_name': 'super_resolve_bytes', 'instances': [
      {'image_bytes': _b64(picture), 'audio_bytes': _b64(voice)}
      for picture, voice in pairs]}


def _pixels(prediction: dict[str, str]) -> np.ndarray:
  return tf.io.decode_png(
      base64.b64decode(prediction['b64'])).numpy().astype(int)


def _expected(version: str, *pairs: tuple[bytes, bytes]) -> np.ndarray:
  pictures, voices = zip(*pairs)
  made = signatures.load_all(version)['super_resolve_bytes'](
      image_bytes=tf.constant(pictures), audio_bytes=tf.constant(voices))
  return np.stack([tf.io.decode_png(file).numpy().astype(int)
                   for file in made['image_bytes']])


def test_files_in_a_face_out(server: _Server, version: str) -> None:
  pairs = _files(1), _files(2)
  status, answer = server.predict(_body(*pairs))
  assert status == 200 and len(answer['predictions']) == 2
  got = np.stack([_pixels(each) for each in answer['predictions']])
  assert np.abs(got - _expected(version, *pairs)).max() <= 1


def test_tensors_go_in_rows_and_in_columns(
    server: _Server, version: str) -> None:
  low = np.arange(192).reshape(1, 8, 8, 3)
  expected = signatures.load_all(version)['image_only'](
      image_low=tf.constant(low, tf.uint8))['image_high'].numpy()
  body = {'signature_name': 'image_only'}
  _, columns = server.predict({**body, 'inputs': {'image_low': low.tolist()}})
  _, rows = server.predict({**body, 'instances': low.tolist()})
  for got in (columns['outputs'], rows['predictions']):
    assert np.abs(np.array(got) - expected).max() <= 1


def test_any_type_of_content_is_read_as_json(server: _Server) -> None:
  for kind in ('text/plain', 'application/x-www-form-urlencoded'):
    status, _ = server.predict(
        _body(_files(1)), **{'Content-Type': kind})
    assert status == 200, kind


def test_bad_requests_get_a_sentence_and_the_server_lives(
    server: _Server) -> None:
  picture, voice = _files(3)
  low = {'signature_name': 'image_only'}
  assert 'unexpected end of data' in server.refusal(b'{"instances": [')
  assert 'zero-length' in server.refusal(b'')
  assert 'depth limit' in server.refusal(b'[' * 100_000)
  assert "signature_name 'none' is unknown; there are audio_only" in (
      server.refusal({'signature_name': 'none', 'instances': []}))
  assert server.refusal(_body()) == 'there are 0 rows; give 1 to 64'
  assert 'must have shape [N, 8, 8, 3]; got [1, 8, 9, 3]' in server.refusal(
      {**low, 'inputs': np.zeros([1, 8, 9, 3], int).tolist()})
  assert server.refusal(_body((picture, voice), (b'GIF89a', voice))) == (
      'image_bytes (row 1): is no PNG or JPEG file')
  assert 'is damaged' in server.refusal(_body((picture[:200], voice)))
  assert 'is no WAV file' in server.refusal(_body((picture, picture)))
  assert 'at least one second' in server.refusal(
      _body((picture, voice[:10_000])))
  for value in (float('nan'), 1e300):
    text = server.refusal({'signature_name': 'audio_only',
                           'instances': [[0.1] * 63_999 + [value]]})
    assert 'JSON' in text or 'NaN or infinite' in text
  assert 'is no tf.Example with `frames`' in server.refusal(
      {'instances': [_b64(b'junk\xff')]})
  assert server.predict(_body((picture, voice)))[0] == 200


def test_one_bad_request_does_not_harm_those_beside_it(
    server: _Server, version: str) -> None:
  good = [_files(seed) for seed in range(4)]
  bad = (good[0][0], b'no sound')
  with concurrent.futures.ThreadPoolExecutor(12) as pool:
    answers = list(pool.map(
        lambda n: server.predict(_body(bad if n % 3 == 2 else good[n % 4])),
        range(24)))
  expected = _expected(version, *good)
  for number, (status, answer) in enumerate(answers):
    if number % 3 == 2:
      assert (status, answer['error']) == (
          400, 'audio_bytes (row 0): is no WAV file')
    else:
      [got] = answer['predictions']
      assert status == 200
      assert np.abs(_pixels(got) - expected[number % 4]).max() <= 1


def test_a_body_that_is_too_large_is_refused_unread(server: _Server) -> None:
  for header, content in (
      (b'Content-Length: 1000000000', b''),
      (b'Transfer-Encoding: chunked', b'500000\r\n' + bytes(0x500000))):
    with socket.create_connection(('127.0.0.1', server.port), 60) as client:
      client.sendall(b'POST /v1/models/earsr:predict HTTP/1.1\r\nHost: x\r\n'
                     + header + b'\r\n\r\n')
      try:
        client.sendall(content)
        answer = b''.join(iter(lambda: client.recv(4096), b''))
      except ConnectionError:
        assert content  # Closed while we still sent.
        continue
      assert answer.startswith(b'HTTP/1.1 413') and (
          b'larger than 4194304 bytes' in answer)
  assert server.get('/')[0] == 200


def test_health_and_metrics(server: _Server) -> None:
  assert json.loads(server.get('/')[1]) == {'status': 'alive'}
  assert json.loads(server.get('/v1/models/earsr')[1]) == {
      'name': 'earsr', 'ready': True}
  assert server.get('/v1/models/other')[0] == 404
  for path in ('/docs', '/v2/models/earsr', '/nothing'):
    assert server.get(path)[0] == 404
  assert server.predict(_body(_files(1)))[0] == 200
  assert server.metric('earsr_answers_total{status="200"}') > 1
  assert server.metric('process_resident_memory_bytes') > 1e8


def _wait_for(server: _Server, number: float) -> None:
  until = time.monotonic() + _WAIT_S
  while server.metric('earsr_model_version') != number:
    assert time.monotonic() < until
    time.sleep(0.2)


@pytest.mark.slow
def test_a_new_version_appears_and_half_a_one_never(
    server: _Server, base: pathlib.Path) -> None:
  _wait_for(server, 1)
  whole, half = base / '1', base / '2'
  (half / 'variables').mkdir(parents=True)
  shutil.copytree(whole / 'assets.extra', half / 'assets.extra')
  for name in ('saved_model.pb', 'fingerprint.pb', 'manifest.json',
               'variables/variables.index'):
    shutil.copy(whole / name, half / name)
  data = 'variables/variables.data-00000-of-00001'
  (half / data).write_bytes((whole / data).read_bytes()[:-1])
  for _ in range(5):  # more than one look
    time.sleep(0.2)
    assert server.metric('earsr_model_version') == 1
    assert server.predict(_body(_files(1)))[0] == 200
  shutil.copy(whole / data, half / data)
  _wait_for(server, 2)
  assert server.predict(_body(_files(1)))[0] == 200


@pytest.mark.slow
def test_sigterm_lets_requests_end(base: pathlib.Path) -> None:
  server = _start(base, '--nobatches')
  content = json.dumps(_body(_files(1))).encode()
  with socket.create_connection(('127.0.0.1', server.port), 60) as client:
    client.sendall(
        b'POST /v1/models/earsr:predict HTTP/1.1\r\nHost: x\r\n'
        b'Content-Type: application/json\r\nContent-Length: %d\r\n\r\n'
        % len(content) + content[:-1])
    assert server.get('/')[0] == 200  # the request has begun
    server.process.send_signal(signal.SIGTERM)
    time.sleep(1.0)
    client.sendall(content[-1:])
    answer = b''.join(iter(lambda: client.recv(1 << 16), b''))
  assert answer.startswith(b'HTTP/1.1 200')
  assert b'"predictions"' in answer
  assert server.process.wait(_WAIT_S) == 0
  with pytest.raises(ConnectionRefusedError):
    server.get('/')


def test_mistakes_are_told_before_anything_is_loaded(
    base: pathlib.Path, tmp_path: pathlib.Path) -> None:
  made = testing.run_module('earsr_tf.serve', f'--model={tmp_path}')
  assert made.returncode == 66 and 'holds no exported model' in made.stderr
  with socket.create_server(('127.0.0.1', 0)) as taken:
    port = taken.getsockname()[1]
    made = testing.run_module(
        'earsr_tf.serve', f'--model={base}', f'--port={port}')
  assert made.returncode == 1
  assert f'--port={port}: cannot be listened on' in made.stderr
