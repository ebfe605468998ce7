"""StyleGAN v1's snapshot, a pickle, read without running any of it.

The file is a tuple (G, D, Gs) of dnnlib networks. Unpickling it as NVIDIA does
executes source code from the file. Here every name that the file asks for is
either one of a dozen known ones, for which an inert record stands that stores
what it is given, or the file is refused by that name. Arrays are then made
from their bytes by this module, not by NumPy's own unpickling.
"""

from __future__ import annotations

import dataclasses
import pickle
import pickletools
from typing import Any, BinaryIO, Mapping

import numpy as np

from tools.official import weights

_AUTHORS_REMEDY = (
    "use the authors' network-snapshot-030929.pkl, or leave --snapshot out: "
    'inference does not need it')
_FLOATS = ('f2', 'f4', 'f8')
_MAX_DEPTH = 2
# Unpickling reserves memory up to the highest number given to an object.
_MAX_MEMO = 1_000_000


class _Sealed(type):
  """A class that a pickle cannot change (opcode BUILD sets attributes)."""

  def __setattr__(cls, name: str, value: Any) -> None:
    raise pickle.UnpicklingError('a pickle may not change a class')


class _Record(metaclass=_Sealed):
  """Stores the arguments of its construction and its state, nothing else."""
  __slots__ = ('arguments', 'state')

  def __new__(cls, *arguments: Any) -> _Record:
    record = object.__new__(cls)
    record.arguments = arguments
    record.state = None
    return record

  def __init__(self, *arguments: Any) -> None:
    del arguments  # `__new__` alone runs for one way to pickle an object

  def __setstate__(self, state: Any) -> None:
    self.state = state


class _Network(_Record):
  """dnnlib.tflib.network.Network."""
  __slots__ = ()


class _NDArray(_Record):
  """numpy.ndarray, named by arrays as their type."""
  __slots__ = ()


class _DType(_Record):
  """numpy.dtype."""
  __slots__ = ()


class _Array(_Record):
  """An array: numpy's _reconstruct, filled by its state."""
  __slots__ = ()


class _Buffer(_Record):
  """An array of pickle protocol 5: numpy's _frombuffer."""
  __slots__ = ()


class _Scalar(_Record):
  """A NumPy number."""
  __slots__ = ()


_KNOWN = {
    ('dnnlib.tflib.network', 'Network'): _Network,
    ('dnnlib.util', 'EasyDict'): dict,
    ('dnnlib', 'EasyDict'): dict,
    ('collections', 'OrderedDict'): dict,
    ('numpy', 'ndarray'): _NDArray,
    ('numpy', 'dtype'): _DType,
    **{(f'numpy.{core}.{module}', name): record
       for core in ('core', '_core')
       for module, name, record in (
           ('multiarray', '_reconstruct', _Array),
           ('multiarray', 'scalar', _Scalar),
           ('numeric', '_frombuffer', _Buffer))},
}


class _Unpickler(pickle.Unpickler):
  """Constructs records and plain containers only."""

  def __init__(self, *, file: BinaryIO, where: str, remedy: str) -> None:
    super().__init__(file, encoding='latin1')
    self._where = where
    self._remedy = remedy

  def find_class(self, module: str, name: str) -> Any:
    """A known record or container; anything else is refused."""
    try:
      return _KNOWN[module, name]
    except KeyError:
      raise weights.WeightsError(
          f'{self._where}: refused, because it asks for '
          f'{ascii(f"{module}.{name}")[1:-1]}, which no StyleGAN snapshot '
          f'needs; nothing of it was run; {self._remedy}') from None

  def persistent_load(self, pid: Any) -> Any:
    """Refuses: a snapshot is one file."""
    raise weights.WeightsError(
        f'{self._where}: refused, because it refers to the persistent object '
        f'{ascii(str(pid))[:80]} outside of the file; {self._remedy}')


@dataclasses.dataclass(frozen=True)
class Snapshot:
  """The three networks of a snapshot as named tensors.

  Attributes:
    generator: G as trained.
    discriminator: D.
    generator_ema: Gs, the average of G.
  """
  generator: weights.Weights
  discriminator: weights.Weights
  generator_ema: weights.Weights


def read(path: str, flag: str = '--snapshot',
         remedy: str = _AUTHORS_REMEDY) -> Snapshot:
  """Reads a snapshot.

  Args:
    path: The pickle.
    flag: What named it, for messages.
    remedy: What a user can do about an unfit file.

  Returns:
    Its networks. Names of G's parts begin with 'mapping/' and 'synthesis/'.

  Raises:
    WeightsError: If there is no such file, it is no snapshot, or it asks for
      anything but arrays and plain containers.
  """
  where = f'{flag}={path}'
  try:
    with open(path, 'rb') as file:
      _check_numbers(file)
      file.seek(0)
      networks = _Unpickler(
          file=file, where=where, remedy=remedy).load()
    if not isinstance(networks, tuple) or len(networks) != 3:
      raise ValueError('it is no tuple of G, D and Gs')
    return Snapshot(*(
        _weights(network, f'{where} ({label})', remedy)
        for network, label in zip(networks, ('G', 'D', 'Gs'))))
  except weights.WeightsError:
    raise
  except FileNotFoundError:
    raise weights.WeightsError(
        f'{where}: no such file; {remedy}', 66) from None
  except (OSError, pickle.UnpicklingError, EOFError, ValueError, TypeError,
          AttributeError, LookupError, OverflowError, MemoryError) as error:
    raise weights.WeightsError(
        f'{where}: is no StyleGAN snapshot ({type(error).__name__}: '
        f'{str(error)[:120]}); {remedy}') from error


def _check_numbers(file: BinaryIO) -> None:
  """Refuses object numbers that would use up all memory."""
  for opcode, argument, _ in pickletools.genops(file):
    if opcode.name in ('PUT', 'BINPUT', 'LONG_BINPUT') and (
        argument > _MAX_MEMO):
      raise ValueError(f'it gives an object the number {argument}')


def _weights(network: Any, where: str, remedy: str) -> weights.Weights:
  arrays = _variables(network, '', 0)
  return weights.Weights(
      where, {name: array.shape for name, array in arrays.items()},
      arrays.__getitem__, remedy)


def _variables(
    network: Any, prefix: str, depth: int) -> dict[str, np.ndarray]:
  """All variables of a network and its components, by name."""
  if not isinstance(network, _Network) or not isinstance(network.state, dict):
    raise ValueError('a member is no dnnlib network')
  if depth > _MAX_DEPTH:
    raise ValueError('networks are nested too deeply')
  arrays = {}
  for name, value in network.state['variables']:
    arrays[f'{prefix}{name}'] = _array(value)
  components: Mapping[str, Any] = network.state.get('components', {})
  for name, component in components.items():
    arrays |= _variables(component, f'{prefix}{name}/', depth + 1)
  return arrays


def _array(value: Any) -> np.ndarray:
  """Makes an array from a record's bytes; floating point only."""
  order = 'C'
  if isinstance(value, (int, float)):
    return np.asarray(value, np.float32)
  if isinstance(value, _Array):
    _, shape, dtype, is_fortran, data = value.state
    order = 'F' if is_fortran else 'C'
  elif isinstance(value, _Buffer):
    data, dtype, shape, order = value.arguments
  elif isinstance(value, _Scalar):
    (dtype, data), shape = value.arguments, ()
  else:
    raise ValueError(f'a variable is a {type(value).__name__}, not an array')
  if isinstance(data, str):
    data = data.encode('latin1')
  array = np.frombuffer(data, _dtype(dtype))
  return array.reshape(tuple(map(int, shape)), order=str(order))


def _dtype(record: Any) -> np.dtype:
  """The floating-point type that a record names."""
  if not isinstance(record, _DType) or record.arguments[0] not in _FLOATS:
    raise ValueError('a variable is not of floating point')
  byte_order = record.state[1] if record.state else '<'
  if byte_order not in ('<', '>'):
    raise ValueError('a variable has no known byte order')
  return np.dtype(f'{byte_order}{record.arguments[0]}')
