"""The serving suite of tools/benchmark: signatures of an export, and a server.

The networks have random weights. Files are a PNG of 128x128 and a WAV of 4 s.
"""

from __future__ import annotations

import functools
import tempfile
from typing import Any, Callable, Iterator

from tools import serve_soak
from tools.benchmark import inference
from tools.benchmark import measurement
from tools.benchmark import served_models

PARTS = ('signatures', 'server')

_BATCHES = (1, 8, 16)
_CLIENTS = 16
_LEAST_FACES = 16  # of a turn of a case
_SECONDS = 20.0  # of load on a server, each turn


def measure(options: measurement.Options) -> Iterator[measurement.Row]:
  """Measures the parts that are asked for; yields rows as they are known.

  Args:
    options: What to measure, and how often.
  """
  parts = options.parts or PARTS
  with tempfile.TemporaryDirectory() as folder:
    version = measurement.alone(
        inference.export_random, options.preset, folder)
    if 'signatures' in parts:
      yield from measurement.alone(_signature_rows, version, options)
    if 'server' in parts:
      yield from _server_rows(folder, options)


def _signature_rows(
    version: str, options: measurement.Options) -> list[measurement.Row]:
  """Tensors to faces, and files to files, at several batches."""
  from earsr_tf import environment
  environment.load_tensorflow()
  import tensorflow as tf

  from earsr_tf.serving import export_manifest
  from earsr_tf.serving import signatures
  loaded, rows = signatures.load_all(version), []
  picture, voice = serve_soak.files(0)
  for batch in _BATCHES:
    cases = {
        name: functools.partial(_faces, loaded[name], given, batch)
        for name, given in (
            (export_manifest.SUPER_RESOLVE,
             served_models.inputs(batch, options.preset)),
            (export_manifest.SUPER_RESOLVE_BYTES, {
                'image_bytes': tf.constant([picture] * batch),
                'audio_bytes': tf.constant([voice] * batch)}))}
    for case in cases.values():
      case()  # warms up
    rows += [
        measurement.rate_row(f'batch {batch}: {name}', rate, 'faces/s')
        for name, rate in measurement.rounds(cases, options.rounds).items()]
  rows.append(measurement.Row(
      'peak memory of all of these', measurement.peak_memory(), 'MB'))
  return rows


def _faces(
    function: Callable[..., dict[str, Any]], given: dict[str, Any], batch: int
) -> int:
  """Calls a signature; returns how many faces it made."""
  calls = max(1, _LEAST_FACES // batch)
  for _ in range(calls):
    for value in function(**given).values():
      value.numpy()
  return calls * batch


def _server_rows(
    folder: str, options: measurement.Options) -> Iterator[measurement.Row]:
  """A server under load, joining requests to batches or not, in turns."""
  found: dict[bool, list[serve_soak.Answers]] = {True: [], False: []}
  for _ in range(options.rounds):
    for batches, answers in found.items():
      answers.append(serve_soak.soak(
          folder, clients=_CLIENTS, seconds=_SECONDS, bad_every=0,
          batches=batches))
  for batches, answers in found.items():
    title = f'server, {_CLIENTS} clients, ' + (
        'batches' if batches else 'one by one')
    yield measurement.rate_row(
        f'{title}: answers', measurement.median_rate([
            measurement.Rate(
                len(each.milliseconds) / each.seconds,
                len(each.milliseconds) / max(each.cpu_seconds, 1e-9))
            for each in answers]), '1/s')
    yield measurement.Row(
        f'{title}: peak memory',
        max(max(each.megabytes) for each in answers), 'MB')
