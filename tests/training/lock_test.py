"""Tests of earsr_tf.training.lock with two processes."""

from __future__ import annotations

import os
import pathlib
import socket
import subprocess
import sys

import pytest

from earsr_tf.training import lock
from tests import testing

_HOLDER = '''
import sys, time
from earsr_tf.training import lock
with lock.hold(sys.argv[1], 'invert'):
  print('held', flush=True)
  time.sleep(60)
'''


def test_the_second_process_is_told_about_the_first(
    tmp_path: pathlib.Path) -> None:
  with subprocess.Popen(
      [sys.executable, '-c', _HOLDER, str(tmp_path)], cwd=testing.ROOT,
      stdout=subprocess.PIPE, text=True) as child:
    assert child.stdout.readline() == 'held\n'
    with pytest.raises(lock.LockedError) as error:
      with lock.hold(str(tmp_path), 'invert'):
        pass
    assert (f'{tmp_path}/invert is being trained by process {child.pid} on '
            f'{socket.gethostname()}; ') in str(error.value)
    assert error.value.exit_code == 2
    with lock.hold(str(tmp_path), 'audio'):  # another stage is free
      pass
    child.kill()
  # Its death, of whatever kind, has freed the folder.
  with lock.hold(str(tmp_path), 'invert'):
    assert (tmp_path / '.invert.lock').read_text() == (
        f'process {os.getpid()} on {socket.gethostname()}\n')
