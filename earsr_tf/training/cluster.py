"""Several machines: what TF_CONFIG says, and this process's place in it.

This module needs no TensorFlow, so that a mistake is told at once.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
from typing import Any

VARIABLE = 'TF_CONFIG'
_EXAMPLE = (
    '{"cluster": {"worker": ["host0:2222", "host1:2222"]}, '
    '"task": {"type": "worker", "index": 0}}')
_ADDRESS = re.compile(r'[^\s:]+:(\d{1,5})|\[[0-9A-Fa-f:.]+\]:(\d{1,5})')
_JOBS = ('chief', 'worker')  # in the order in which they are counted


class ClusterError(ValueError):
  """The workers cannot form a cluster; says what to mend.

  Attributes:
    exit_code: What a command ends with: 2.
  """
  exit_code = 2


class LostWorkerError(RuntimeError):
  """Another worker is gone or cannot be reached, so this one stops.

  Attributes:
    exit_code: What a command ends with: 69, unavailable.
  """
  exit_code = 69


@dataclasses.dataclass(frozen=True)
class Cluster:
  """The processes that train together.

  Attributes:
    addresses: host:port of each, the chief's first; empty: one process.
    index: Which of them this process is.
    tasks: Their names in TF_CONFIG, such as 'worker:1'.
  """
  addresses: tuple[str, ...] = ()
  index: int = 0
  tasks: tuple[str, ...] = ()

  @property
  def count(self) -> int:
    """Number of processes, at least 1."""
    return max(len(self.addresses), 1)

  @property
  def is_chief(self) -> bool:
    """Whether this process writes for all."""
    return self.index == 0

  def name(self, index: int) -> str:
    """Names a process for people: 'worker:1 (host1:2222)'."""
    return f'{self.tasks[index]} ({self.addresses[index]})'

  def find(self, text: str) -> list[int]:
    """The other processes that a message of TensorFlow's names."""
    named = {f'{job}:{number}' for job, number in re.findall(
        r'/job:(\w+)(?:/replica:\d+)?/task:(\d+)', text)}
    return [i for i, task in enumerate(self.tasks)
            if task in named and i != self.index]


def from_environment() -> Cluster:
  """The cluster that TF_CONFIG describes; one process if it is not set.

  Raises:
    ClusterError: If it is malformed.
  """
  text = os.environ.get(VARIABLE, '').strip()
  if not text:
    return Cluster()
  try:
    values = json.loads(text)
  except ValueError as error:
    raise _error(f'is not JSON ({error})') from None
  return _parse(values)


def _error(reason: str) -> ClusterError:
  return ClusterError(
      f'the environment variable {VARIABLE} {reason}; write it like {_EXAMPLE}'
      ', or unset it to train in one process')


def _parse(values: Any) -> Cluster:
  """The cluster of the parsed JSON."""
  if not isinstance(values, dict):
    raise _error(f'must be a JSON object, not {_shown(values)}')
  jobs = values.get('cluster') or {}
  if not isinstance(jobs, dict):
    raise _error(f'has "cluster": {_shown(jobs)}, which must name jobs')
  for job in jobs:
    if job not in _JOBS:
      raise _error(f'has the job {_shown(job)}; here all are workers, and one '
                   'of them may be called chief')
  names, addresses = [], []
  for job in _JOBS:
    for number, address in enumerate(_addresses(job, jobs.get(job, []))):
      names.append(f'{job}:{number}')
      addresses.append(address)
  for address in addresses:
    if addresses.count(address) > 1:
      raise _error(f'names {address} twice')
  if len(jobs.get('chief', [])) > 1:
    raise _error('has more than one chief')
  if len(addresses) < 2:
    return Cluster()
  return Cluster(
      tuple(addresses), _index(values.get('task'), names), tuple(names))


def _addresses(job: str, listed: Any) -> list[str]:
  """The addresses of a job."""
  if not isinstance(listed, list):
    raise _error(f'has "{job}": {_shown(listed)}, which must be a list')
  for address in listed:
    match = _ADDRESS.fullmatch(address) if isinstance(address, str) else None
    if not match or not 0 < int(match[1] or match[2]) < 65536:
      raise _error(f'has the {job} {_shown(address)}, which is no host:port')
  return listed


def _index(task: Any, names: list[str]) -> int:
  """Which of `names` this process is."""
  if not isinstance(task, dict) or not {'type', 'index'} <= set(task):
    raise _error('does not say with "task" which of the workers this is')
  index = task['index']
  if isinstance(index, str) and index.isdecimal():  # as some launchers write
    index = int(index)
  name = f'{task["type"]}:{index}'
  if isinstance(index, bool) or name not in names:
    raise _error(f'says that this is {_shown(name)}, but has only '
                 f'{", ".join(names)}')
  return names.index(name)


def _shown(value: Any) -> str:
  text = json.dumps(value)
  return text if len(text) <= 60 else f'{text[:57]}...'
