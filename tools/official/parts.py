"""Networks filled from published weights, as finished stages of a run folder.

Everything is checked before anything is written, and a folder appears under
its name when it is complete.
"""

from __future__ import annotations

import dataclasses
import gc
import os
import pathlib
import shutil
from typing import Any, Callable, Mapping, Sequence
import uuid

import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf import durable
from earsr_tf.training import checkpoints
from tools.official import weights as weights_lib

RECORD = 'imported.json'
_BYTES = 4  # of a float32


@dataclasses.dataclass(frozen=True)
class Part:
  """One network of the run folder and where its weights come from.

  Attributes:
    stage: Stage that is to hold it.
    network: Its name there.
    build: Makes it.
    slots: Its variables by the names in the file.
    source: The file.
    scopes: Prefixes of names below which nothing may be left over.
  """
  stage: str
  network: str
  build: Callable[[config_lib.ModelConfig], tf.keras.Model]
  slots: Callable[[tf.keras.Model], weights_lib.Slots]
  source: weights_lib.Weights
  scopes: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Checked:
  """What parts take of their files.

  Attributes:
    weights: Numbers in all networks.
    networks: '<stage>/<network>' -> tensors that are used.
    used: '<stage>/<network>' -> their names.
    absent: Optional names that are not there.
  """
  weights: int
  networks: Mapping[str, int]
  used: Mapping[str, list[str]]
  absent: list[str]


def check(parts: Sequence[Part], model: config_lib.ModelConfig) -> Checked:
  """Checks all parts in a graph, where a variable takes no memory.

  Args:
    parts: The networks.
    model: What they are built from.

  Returns:
    What is used of the files.

  Raises:
    WeightsError: If a tensor is missing, unfit, or not expected.
  """
  count, used, absent = 0, {}, []
  for part in parts:
    with tf.Graph().as_default():
      slots = part.slots(part.build(model))
    owner = f'{part.stage}/{part.network}'
    missing = weights_lib.check(slots, part.source, owner, part.scopes)
    absent += missing
    used[owner] = [name for name in slots if name not in missing]
    count += sum(slot.variable.shape.num_elements()
                 for slot in slots.values())
  return Checked(
      count, {owner: len(names) for owner, names in used.items()}, used,
      absent)


def publish(parts: Sequence[Part], run_root: str, config: config_lib.Config,
            record: Mapping[str, Any], record_path: str = RECORD) -> None:
  """Writes finished stages beside the target and renames what is complete.

  Args:
    parts: What `check` has passed.
    run_root: Folder that is absent or holds none of the stages.
    config: Goes into the stages' config.json.
    record: What was imported.
    record_path: Where that is written, in the folder.

  Raises:
    WeightsError: If a tensor cannot be read.
    OSError: If the folder cannot be written; nothing is left behind.
  """
  target = pathlib.Path(os.path.abspath(run_root))
  target.parent.mkdir(parents=True, exist_ok=True)
  partial = target.with_name(
      f'.{target.name}.partial-{os.getpid()}-{uuid.uuid4().hex[:8]}')
  try:
    partial.mkdir()
    for stage in dict.fromkeys(part.stage for part in parts):
      networks = {part.network: _filled(part, config.model)
                  for part in parts if part.stage == stage}
      checkpoints.save_networks(str(partial), stage, networks, config)
      del networks
      gc.collect()  # Keras models are cycles; the next stage needs the room
    durable.write_json(partial / record_path, record)
    for path in partial.rglob('*'):
      durable.sync(path)
    _move(partial, target)
  except tf.errors.OpError as error:
    raise OSError(
        f'--run_root={run_root}: cannot be written '
        f'({str(error).splitlines()[0][:200]})') from error
  finally:
    shutil.rmtree(partial, ignore_errors=True)


def _move(partial: pathlib.Path, target: pathlib.Path) -> None:
  """Gives what is complete its name."""
  if target.is_dir() and any(target.iterdir()):
    for path in partial.iterdir():
      os.rename(path, target / path.name)
    durable.sync(target)
  else:
    os.rename(partial, target)  # an empty folder gives way
    durable.sync(target.parent)


def _filled(part: Part, model: config_lib.ModelConfig) -> tf.keras.Model:
  network = part.build(model)
  weights_lib.fill(part.slots(network), part.source)
  return network


def check_space(run_root: str, weights: int) -> None:
  """Refuses a disk that cannot hold a run folder.

  Args:
    run_root: The folder; may be absent.
    weights: float32 numbers in it.

  Raises:
    WeightsError: If fewer bytes are free.
  """
  needed = weights * _BYTES
  parent = pathlib.Path(os.path.abspath(run_root)).parent
  while not parent.exists():
    parent = parent.parent
  free = shutil.disk_usage(parent).free
  if free < needed:
    raise weights_lib.WeightsError(
        f'--run_root={run_root}: needs {needed / 1e9:.1f} GB of disk, '
        f'{free / 1e9:.1f} GB are free; name a folder on another disk', 73)
