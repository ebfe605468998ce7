"""Another framework's turn, in a child with an interpreter of its own.

PyTorch and TensorFlow each bring threads and libraries of their own, and a
version that fits both may not be there: EARSR_PEER_PYTHON names the Python that
has PyTorch; by default it is the present one.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
from typing import Any, Iterator

from earsr_tf import cli
from earsr_tf import config_model
from tools.benchmark import measurement

PEERS = ('torch',)
_PYTHON = 'EARSR_PEER_PYTHON'
_CHILD = pathlib.Path(__file__).with_name('torch_peer.py')


class Peer:
  """A running child.

  Attributes:
    version: Of PyTorch.
    parameters: Network -> trainable weights.
  """

  def __init__(self, *, process: subprocess.Popen[str]) -> None:
    """Waits until the child has made its networks.

    Raises:
      InputError: If it has no PyTorch, or ends.
    """
    self._process = process
    hello = self._answer()
    self.version: str = hello['version']
    self.parameters: dict[str, int] = hello['parameters']

  def run(self, batch: int, calls: int) -> measurement.Rate:
    """Makes faces.

    Args:
      batch: Images of a call.
      calls: How many.

    Returns:
      Images per second.
    """
    self._process.stdin.write(f'{batch} {calls}\n')
    self._process.stdin.flush()
    found, images = self._answer(), batch * calls
    return measurement.Rate(
        images / found['wall'], images / max(found['processor'], 1e-9))

  def _answer(self) -> dict[str, Any]:
    line = self._process.stdout.readline()
    if line:
      return json.loads(line)
    lines = self._process.communicate()[1].strip().splitlines()
    raise cli.InputError(
        f'--peers=torch: {lines[-1] if lines else "the peer ended"}; install '
        "PyTorch (pip install '.[peers]'), or name a Python that has it in "
        f'{_PYTHON}', 1)


@contextlib.contextmanager
def torch(sizes: config_model.ModelConfig) -> Iterator[Peer]:
  """PyTorch with networks of these sizes; the child ends with the block.

  Args:
    sizes: Of the networks.

  Raises:
    InputError: If they have parts that were not written for PyTorch, or there
      is no PyTorch.
  """
  if sizes.linear_base or sizes.voice_memory or sizes.rgb_output != 'fade':
    raise cli.InputError(
        '--peers=torch: has the networks of the paper, not these, which have a '
        'linear base, a memory or a sum of pictures; use --preset=paper',
        cli.USAGE)
  process = subprocess.Popen(
      [os.environ.get(_PYTHON, sys.executable), str(_CHILD),
       json.dumps(dataclasses.asdict(sizes))],
      stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
      text=True)
  try:
    yield Peer(process=process)
  finally:
    process.kill()
    process.communicate()
