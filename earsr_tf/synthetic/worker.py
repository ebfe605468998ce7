"""Processes that write a SyntheticVox tree, each its share of the people.

They are started as `python -m` of this module, not forked or spawned from
the caller, so they load neither TensorFlow nor the caller's main module. All
report through one pipe and die with it.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import subprocess
import sys
from typing import Iterator

from earsr_tf.synthetic import encode
from earsr_tf.synthetic import world as world_lib

_ONE_THREAD = {
    'OMP_NUM_THREADS': '1', 'OPENBLAS_NUM_THREADS': '1',
    'MKL_NUM_THREADS': '1'}
_ERROR = 'error '


def _command(
    root: pathlib.Path, world: world_lib.World, index: int,
    workers: int) -> list[str]:
  """The command line of worker `index`."""
  task = json.dumps({
      'root': str(root), 'world': dataclasses.asdict(world), 'index': index,
      'workers': workers})
  return [sys.executable, '-m', 'earsr_tf.synthetic.worker', task]


def run(
    root: pathlib.Path, world: world_lib.World,
    workers: int) -> Iterator[int]:
  """Writes all clips of `world` under `root` in `workers` processes.

  Args:
    root: Folder of the unfinished tree.
    world: What to write.
    workers: How many processes.

  Yields:
    Numbers of clips just written.

  Raises:
    EncodeError: If a worker fails.
  """
  # Children import from where this process does: a clone or an installation.
  environment = dict(os.environ, **_ONE_THREAD, PYTHONPATH=os.pathsep.join(
      os.path.abspath(path) for path in sys.path))
  read_end, write_end = os.pipe()
  children = []
  try:
    for index in range(workers):
      children.append(subprocess.Popen(
          _command(root, world, index, workers), env=environment,
          stdin=subprocess.DEVNULL, stdout=write_end))
    os.close(write_end)
    write_end = -1
    with open(read_end, encoding='utf-8', closefd=False) as reports:
      for line in reports:
        if line.startswith(_ERROR):
          raise encode.EncodeError(line[len(_ERROR):].strip())
        yield int(line)
    codes = [child.wait() for child in children]
    if any(codes):
      raise encode.EncodeError(
          f'{root}: a worker ended with exit code {max(codes, key=abs)}')
  finally:
    for descriptor in (read_end, write_end):
      if descriptor >= 0:
        os.close(descriptor)
    for child in children:
      child.kill()
      child.wait()


def _report(text: str) -> None:
  """Sends one line in one write, so lines of several workers do not mix."""
  os.write(sys.stdout.fileno(), (text[:900] + '\n').encode('utf-8'))


def main(argv: list[str]) -> int:
  """Writes the share of one worker; returns the exit code."""
  task = json.loads(argv[1])
  world = world_lib.World(**task['world'])
  root = pathlib.Path(task['root'])
  try:
    for person in world.population()[task['index']::task['workers']]:
      _report(str(world_lib.write_speaker(root, world, person)))
  except BrokenPipeError:
    return 1
  except (encode.EncodeError, OSError) as error:
    _report(_ERROR + ' '.join(str(error).split()))
    return 1
  return 0


if __name__ == '__main__':
  sys.exit(main(sys.argv))
