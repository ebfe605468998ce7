"""prepare on a cluster of dask.distributed: a scheduler and two workers.

Each is a process of its own on this machine; the pipeline reaches them over
the network.
"""

from __future__ import annotations

import contextlib
import filecmp
import os
import pathlib
import signal
import subprocess
import sys
import time
from typing import Iterator

import pytest

from tests import testing

pytest.importorskip('distributed', reason="pip install 'dask[distributed]'")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
_SHARDS = 3


class _Cluster:
  """Its address, and its processes."""

  def __init__(self, *, stack: contextlib.ExitStack):
    """Starts a scheduler and two workers, which end with the stack."""
    port, = testing.free_ports(1)
    self.address = f'tcp://localhost:{port}'
    self._stack = stack
    self._start('scheduler', f'--port={port}')
    self.workers = [
        self._start('worker', self.address, '--nthreads=1', '--no-nanny')
        for _ in range(2)]

  def _start(self, kind: str, *arguments: str) -> subprocess.Popen:
    process = self._stack.enter_context(subprocess.Popen(
        [sys.executable, '-m', f'distributed.cli.dask_{kind}', *arguments,
         '--no-dashboard'], cwd=testing.ROOT, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL))
    self._stack.callback(process.kill)
    return process

  def wait(self) -> None:
    """Until both workers are there."""
    import distributed
    with distributed.Client(self.address, timeout=120) as client:
      client.wait_for_workers(2, timeout=240)


@pytest.fixture(name='cluster')
def _cluster() -> Iterator[_Cluster]:
  with contextlib.ExitStack() as stack:
    cluster = _Cluster(stack=stack)
    cluster.wait()
    yield cluster


def _command(tree: pathlib.Path, output: pathlib.Path, *flags: str
             ) -> list[str]:
  return ['tools.prepare_voxceleb2', f'--input={tree}', f'--output={output}',
          f'--shards={_SHARDS}', '--workers=1', '--image_size=32',
          '--frames_per_clip=3', '--min_frames_per_speaker=4', *flags]


def _same(one: pathlib.Path, two: pathlib.Path) -> bool:
  names = sorted(os.listdir(one))
  assert names == sorted(os.listdir(two)) and 'manifest.json' in names
  return filecmp.cmpfiles(one, two, names, shallow=False)[0] == names


def test_two_workers_give_the_same_bytes_though_one_is_killed(
    cluster: _Cluster, tree: pathlib.Path, tmp_path: pathlib.Path) -> None:
  here = testing.run_module(*_command(tree, tmp_path / 'here'))
  assert here.returncode == 0, here.stderr
  flags = ('--runner=DaskRunner', f'--dask_client_address={cluster.address}')
  there = testing.run_module(*_command(tree, tmp_path / 'there', *flags))
  assert there.returncode == 0, there.stderr
  assert 'Traceback' not in there.stderr
  assert _same(tmp_path / 'here', tmp_path / 'there')

  out = tmp_path / 'killed'
  with subprocess.Popen(
      [sys.executable, '-m', *_command(tree, out, *flags)], cwd=testing.ROOT,
      stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
    while process.poll() is None and not list(
        out.glob('.progress/*.tfrecord.json')):
      time.sleep(0.01)
    cluster.workers[0].send_signal(signal.SIGKILL)
    assert process.poll() is None  # it was at work
    said = process.stderr.read()
  assert process.returncode == 0, said
  assert cluster.workers[0].wait() == -signal.SIGKILL
  assert _same(tmp_path / 'here', out)


def test_nobody_listening_is_one_line(
    tree: pathlib.Path, tmp_path: pathlib.Path) -> None:
  port, = testing.free_ports(1)
  done = testing.run_module(*_command(
      tree, tmp_path / 'out', '--runner=DaskRunner',
      f'--dask_client_address=tcp://localhost:{port}',
      '--dask_connection_timeout=2'))
  assert done.returncode == 69, done.stderr
  assert 'Traceback' not in done.stderr
  assert '--dask_client_address' in done.stderr
  assert not (tmp_path / 'out' / 'manifest.json').exists()
