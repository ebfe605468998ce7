"""Named tensors of a file that others wrote, checked before they are used.

A `Slot` says which tensor fills which variable of ours and how its layout is
changed; `check` compares all slots with a file before anything is allocated,
`fill` then reads one tensor at a time.
"""

from __future__ import annotations

import dataclasses
import re
from typing import Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf

_SHOWN = 5
# Never used outside of training: the fade-in state and stored noise maps.
_IDLE = re.compile(r'(^|/)(lod|noise\d+)$')


class WeightsError(ValueError):
  """A file of published weights is unusable; says which and what to do.

  Attributes:
    exit_code: 66 when nothing is there, 65 when it is damaged or unfit.
  """

  def __init__(self, message: str, exit_code: int = 65) -> None:
    """Takes the sentence for the user and the command's exit code."""
    super().__init__(message)
    self.exit_code = exit_code


@dataclasses.dataclass(frozen=True)
class Slot:
  """A variable and how the authors' tensor becomes its value.

  Attributes:
    variable: Variable of ours.
    shape: Shape in the authors' layout.
    convert: Authors' array -> array of the variable's shape.
    is_optional: Whether the tensor may be absent: the variable then keeps its
      initial value, which has no effect on images.
  """
  variable: tf.Variable
  shape: tuple[int, ...]
  convert: Callable[[np.ndarray], np.ndarray]
  is_optional: bool = False


Slots = Mapping[str, Slot]


@dataclasses.dataclass(frozen=True)
class Weights:
  """What a file holds.

  Attributes:
    where: File, for messages.
    shapes: Name, slashes single -> shape.
    read: Name -> array; reads that tensor only.
    remedy: What the user can do when the file is unfit.
  """
  where: str
  shapes: Mapping[str, tuple[int, ...]]
  read: Callable[[str], np.ndarray]
  remedy: str


def check(slots: Slots, weights: Weights, owner: str,
          scopes: Sequence[str]) -> list[str]:
  """Checks that slots and tensors of some scopes pair up one to one.

  Args:
    slots: Tensor name -> slot.
    weights: The file.
    owner: Network, for messages.
    scopes: Prefixes 'SCOPE/' below which nothing may be left over, but
      `lod`, noise maps and an optimizer's slots of a tensor that is used.

  Returns:
    Optional names that are absent.

  Raises:
    WeightsError: If a tensor is missing, unfit, or not expected.
  """
  absent = [name for name in slots if name not in weights.shapes]
  missing = [name for name in absent if not slots[name].is_optional]
  if missing:
    raise WeightsError(
        f'{weights.where}: lacks {len(missing)} of {len(slots)} tensors of '
        f'{owner}: {_some(missing)}; {weights.remedy}')
  unfit = [
      f'{name} is {list(weights.shapes[name])} and not {list(slot.shape)}'
      for name, slot in slots.items()
      if tuple(weights.shapes.get(name, slot.shape)) != slot.shape]
  if unfit:
    raise WeightsError(
        f'{weights.where}: does not fit {owner}: {_some(unfit)}; '
        f'{weights.remedy}')
  extra = [
      name for name in weights.shapes
      if name.startswith(tuple(scopes)) and name not in slots
      and not _IDLE.search(name) and name.rpartition('/')[0] not in slots]
  if extra:
    raise WeightsError(
        f'{weights.where}: holds tensors that {owner} has no place for: '
        f'{_some(extra)}; {weights.remedy}')
  return absent


def fill(slots: Slots, weights: Weights) -> None:
  """Assigns every slot, one tensor at a time.

  Args:
    slots: Slots that `check` has passed.
    weights: The file.

  Raises:
    WeightsError: If a tensor cannot be read or has a value that is not finite.
  """
  for name, slot in slots.items():
    if name not in weights.shapes:
      continue
    value = weights.read(name)
    if not np.isfinite(np.sum(value, dtype=np.float64)):
      raise WeightsError(
          f'{weights.where}: {name} holds values that are not finite; '
          f'{weights.remedy}')
    slot.variable.assign(slot.convert(np.asarray(value, np.float32)))


def _some(items: Sequence[str]) -> str:
  """The first few items, and how many more there are."""
  rest = len(items) - _SHOWN
  return ', '.join(items[:_SHOWN]) + (f' and {rest} more' if rest > 0 else '')
