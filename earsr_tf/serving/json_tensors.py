"""JSON of TensorFlow Serving's REST interface <-> tensors.

Requests are `{"signature_name": ..., "instances": [row, ...]}` or `{"inputs":
...}`; bytes are `{"b64": ...}`. Answers are `predictions` in rows or `outputs`
in columns; outputs called `..._bytes` become base64 again.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any, Mapping

import numpy as np
import tensorflow as tf

from earsr_tf.serving import export_manifest

MAX_ROWS = 64  # an answer of so many 128x128 faces has 16 MB as JSON
_BYTES_SUFFIX = '_bytes'
_Specs = Mapping[str, tf.TensorSpec]


class RequestError(ValueError):
  """A request cannot be understood; says what to send instead."""


def read_request(
    body: Any, offered: Mapping[str, _Specs],
) -> tuple[str, dict[str, tf.Tensor], bool]:
  """Reads the body of a :predict request.

  Args:
    body: Parsed JSON.
    offered: Signature -> name of an input -> its specification.

  Returns:
    The signature's name; its inputs, [N, ...] each; whether they came in rows.

  Raises:
    RequestError: If the body does not fit.
  """
  if not isinstance(body, dict):
    raise RequestError('the body must be a JSON object, such as '
                       '{"signature_name": "...", "instances": [...]}')
  name = body.get('signature_name', export_manifest.SERVING_DEFAULT)
  if not isinstance(name, str) or name not in offered:
    raise RequestError(
        f'signature_name {str(name)[:80]!r} is unknown; there are '
        f'{", ".join(sorted(offered))}')
  if ('instances' in body) == ('inputs' in body):
    raise RequestError('give either "instances" (a list of rows) or "inputs" '
                       '(a list per input)')
  specs, in_rows = offered[name], 'instances' in body
  columns = (_columns_of_rows(body['instances'], specs) if in_rows
             else _named(body['inputs'], specs, 'inputs'))
  inputs = {key: _tensor(columns[key], specs[key], key) for key in specs}
  counts = {key: int(value.shape[0]) for key, value in inputs.items()}
  if len(set(counts.values())) > 1:
    told = ', '.join(f'{key} {count}' for key, count in counts.items())
    raise RequestError(f'the inputs have different numbers of rows: {told}')
  if not 1 <= min(counts.values()) <= MAX_ROWS:
    raise RequestError(
        f'there are {min(counts.values())} rows; give 1 to {MAX_ROWS}')
  return name, inputs, in_rows


def answer(outputs: Mapping[str, np.ndarray], in_rows: bool) -> dict[str, Any]:
  """What goes back: {'predictions': ...} or {'outputs': ...}, for JSON.

  Args:
    outputs: Name -> [N, ...].
    in_rows: As `read_request` told.
  """
  columns = {
      name: [_plain(row, name) for row in value]
      for name, value in outputs.items()}
  is_one = len(columns) == 1  # which then loses its name
  if not in_rows:
    return {'outputs': next(iter(columns.values())) if is_one else columns}
  if is_one:
    return {'predictions': next(iter(columns.values()))}
  return {'predictions': [
      dict(zip(columns, row)) for row in zip(*columns.values())]}


def _columns_of_rows(rows: Any, specs: _Specs) -> dict[str, list[Any]]:
  """A list of rows -> input -> list of values."""
  if not isinstance(rows, list):
    raise RequestError('"instances" must be a list of rows')
  if len(rows) > MAX_ROWS:
    raise RequestError(f'there are {len(rows)} rows; give 1 to {MAX_ROWS}')
  named = [_named(row, specs, f'instances[{number}]')
           for number, row in enumerate(rows)]
  return {key: [row[key] for row in named] for key in specs}


def _named(values: Any, specs: _Specs, place: str) -> dict[str, Any]:
  """Values by the names of the inputs; a single input needs no name."""
  is_named = isinstance(values, dict) and set(values) != {'b64'}
  if len(specs) == 1 and not is_named:
    return {next(iter(specs)): values}
  if not isinstance(values, dict) or set(values) != set(specs):
    given = sorted(values) if isinstance(values, dict) else 'no names'
    raise RequestError(
        f'{place}: must have {", ".join(sorted(specs))}; got {given}'[:300])
  return values


def _tensor(value: Any, spec: tf.TensorSpec, name: str) -> tf.Tensor:
  """A list of values as [N, ...] of the type in the specification."""
  if spec.dtype == tf.string:
    if not isinstance(value, list):
      raise RequestError(f'{name}: must be a list of {{"b64": "..."}}')
    return tf.constant(
        [_decode(item, f'{name}[{number}]')
         for number, item in enumerate(value)], tf.string, [len(value)])
  try:
    array = np.asarray(value)
  except ValueError:
    raise RequestError(f'{name}: its rows differ in shape') from None
  if array.dtype == bool or not np.issubdtype(array.dtype, np.number):
    raise RequestError(f'{name}: must hold numbers')
  shape = [1 if side is None else side for side in spec.shape]
  if array.shape != (0,) and array.shape[1:] != tuple(shape[1:]):
    wanted = ', '.join(['N', *map(str, shape[1:])])
    raise RequestError(
        f'{name}: must have shape [{wanted}]; got {list(array.shape)}')
  if spec.dtype.is_integer:
    if array.size and (
        not np.issubdtype(array.dtype, np.integer)
        or array.min() < spec.dtype.min or array.max() > spec.dtype.max):
      raise RequestError(f'{name}: must hold whole numbers from '
                         f'{spec.dtype.min} to {spec.dtype.max}')
  with np.errstate(over='ignore'):  # an infinity, which the graph refuses
    array = array.astype(spec.dtype.as_numpy_dtype)
  return tf.constant(array, shape=[len(array), *shape[1:]])


def _decode(item: Any, name: str) -> bytes:
  """{'b64': text} -> bytes."""
  if not isinstance(item, dict) or set(item) != {'b64'} or (
      not isinstance(item['b64'], str)):
    raise RequestError(f'{name}: must be {{"b64": "..."}}, a file in base64')
  try:
    return base64.b64decode(item['b64'], validate=True)
  except (binascii.Error, ValueError):
    raise RequestError(f'{name}: is not base64') from None


def _plain(row: Any, name: str) -> Any:
  """A row of an output as JSON has it."""
  if isinstance(row, bytes):
    if name.endswith(_BYTES_SUFFIX):
      return {'b64': base64.b64encode(row).decode('ascii')}
    return row.decode('utf-8', 'replace')
  return row.tolist()
