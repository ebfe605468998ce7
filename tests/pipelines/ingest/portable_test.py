"""Prepare on another runner: a job service and workers that are not ours.

What a Flink or Spark cluster is to this project is Beam's portable job service
and pools of Python workers: the pipeline is shipped there as bytes, runs in
other processes, and only its outcome comes back. Both are started here, from
Beam's own programs; the engine between them is Beam's Python one, for those in
Java cannot be had from PyPI.
"""

from __future__ import annotations

import contextlib
import filecmp
import os
import pathlib
import socket
import subprocess
import sys
import time
from typing import Iterator

import pytest

from tests import testing

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
_BEAM = 'apache_beam.runners'


@contextlib.contextmanager
def _program(module: str, *arguments: str) -> Iterator[None]:
  """A program of Beam's, until the end of the block."""
  # Pools start their workers as `python`, whichever comes first.
  path = f'{os.path.dirname(sys.executable)}:{os.environ["PATH"]}'
  with subprocess.Popen(
      [sys.executable, '-m', f'{_BEAM}.{module}', *arguments],
      cwd=testing.ROOT, env={**os.environ, 'PATH': path},
      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
    try:
      yield
    finally:
      process.terminate()


def _wait_for(port: int) -> None:
  """Until somebody listens."""
  deadline = time.monotonic() + 60
  while True:
    try:
      socket.create_connection(('localhost', port), 1).close()
      return
    except OSError:
      assert time.monotonic() < deadline
      time.sleep(0.1)


@pytest.fixture(name='cluster', scope='module')
def _cluster() -> Iterator[tuple[str, ...]]:
  """Flags that send a pipeline to a job service and its workers."""
  jobs, workers = testing.free_ports(2)
  with _program('portability.local_job_service_main', f'--port={jobs}'), (
      _program('worker.worker_pool_main', f'--service_port={workers}')):
    _wait_for(jobs)
    _wait_for(workers)
    yield (
        '--runner=PortableRunner', f'--job_endpoint=localhost:{jobs}',
        '--environment_type=EXTERNAL',
        f'--environment_config=localhost:{workers}')


def _prepare(
    tree: pathlib.Path, output: pathlib.Path, *flags: str
) -> subprocess.CompletedProcess[str]:
  return testing.run_module(
      'tools.prepare_voxceleb2', f'--input={tree}', f'--output={output}',
      '--shards=3', '--workers=1', '--image_size=32', '--frames_per_clip=3',
      *flags)


def test_a_job_service_gives_the_same_bytes(cluster, tree, tmp_path):
  for folder, flags in (('here', ()), ('there', cluster)):
    done = _prepare(
        tree, tmp_path / folder, '--min_frames_per_speaker=4', *flags)
    assert done.returncode == 0, done.stderr
    assert 'Traceback' not in done.stderr
  names = sorted(os.listdir(tmp_path / 'here'))
  assert names == sorted(os.listdir(tmp_path / 'there'))
  assert sum(name.startswith('rejects-') for name in names) == 1
  assert filecmp.cmpfiles(
      tmp_path / 'here', tmp_path / 'there', names, shallow=False)[0] == names


def test_nobody_listening_is_one_line(tree, tmp_path):
  port, = testing.free_ports(1)
  done = _prepare(
      tree, tmp_path / 'out', '--runner=PortableRunner',
      f'--job_endpoint=localhost:{port}', '--job_server_timeout=2',
      '--environment_type=LOOPBACK')
  assert done.returncode == 69
  assert 'Traceback' not in done.stderr
  assert '--job_endpoint' in done.stderr
  assert not (tmp_path / 'out' / 'manifest.json').exists()
