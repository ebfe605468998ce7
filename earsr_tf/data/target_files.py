"""Targets kept on disk: beside each shard of the data, codes of its frames.

<folder>/<split>/{<shard>.<digest>, manifest.json}. Record k of a file belongs
to record k of the shard and holds the codes [n, ...] of its n frames, float32,
little-endian. A file gets its name when it is whole and manifest.json is
written last. The digest is of all that the codes depend on (`Identity`), so
files of other codes have other names and are never mistaken for these.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import math
import os
import pathlib
from typing import Any, Iterable, Iterator, Mapping, Sequence

import numpy as np
import tensorflow as tf

from earsr_tf import durable
from earsr_tf.data import manifest as manifest_lib

FORMAT = 1
# What codes depend on, e.g. {'data': sha256, 'model.code_norm': 'unit'}.
Identity = Mapping[str, str]
_DIGITS = 16
_DTYPE = np.dtype('<f4')


class TargetsError(manifest_lib.DataError):
  """Targets are not there and cannot be made; says why and what to do.

  Attributes:
    exit_code: What a command ends with: 73, cannot create.
  """
  exit_code = 73


class StaleError(manifest_lib.DataError):
  """Targets are not there, not whole, or of something else; make them."""


@dataclasses.dataclass(frozen=True)
class Targets:
  """Targets of some splits, ready to be read.

  Attributes:
    name: Batch entry, one of `keys.TARGETS`.
    shape: That of one frame's target.
    files: sha256 of a shard of the data -> path of the file beside it.
  """
  name: str
  shape: tuple[int, ...]
  files: Mapping[str, str]

  @property
  def frame_bytes(self) -> int:
    """Bytes of one frame's target."""
    return frame_bytes(self.shape)


def frame_bytes(shape: Sequence[int]) -> int:
  """Bytes of one frame's target of this shape."""
  return math.prod(shape) * _DTYPE.itemsize


def path_of(folder: pathlib.Path, shard: str, identity: Identity
            ) -> pathlib.Path:
  """Where the codes of a shard lie; there only when whole."""
  text = json.dumps({'format': FORMAT, **identity}, sort_keys=True)
  digest = hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
  return folder / f'{shard}.{digest}'


def find(folder: pathlib.Path, shards: Sequence[manifest_lib.Shard],
         identity: Identity) -> dict[str, str]:
  """The finished files of one split.

  Args:
    folder: <...>/<split>.
    shards: The split's shards.
    identity: What the codes must have been made from.

  Returns:
    sha256 of a shard -> path, every file with the size its manifest states.

  Raises:
    StaleError: With what is missing or differs.
  """
  content = _manifest(folder)
  if not content:
    raise StaleError(f'{folder}: no finished targets')
  made_from, files = content['identity'], content['files']
  others = sorted(name for name in {*made_from, *identity}
                  if made_from.get(name) != identity.get(name))
  if others:
    raise StaleError(f'{folder}: stale, made from another {", ".join(others)}')
  found = {}
  for shard in shards:
    file = path_of(folder, shard.file, identity)
    if shard.file not in files or not file.is_file() or (
        file.stat().st_size != files[shard.file]):
      raise StaleError(f'{file}: missing, or not as long as its manifest says')
    found[shard.sha256] = str(file)
  return found


def begin(folder: pathlib.Path, shards: Sequence[manifest_lib.Shard],
          identity: Identity) -> tuple[manifest_lib.Shard, ...]:
  """Makes the folder of a split ready for files that `find` did not find.

  Whole files of this identity stay, so that an interrupted run goes on.

  Args:
    folder: As of `find`.
    shards: As of `find`.
    identity: As of `find`.

  Returns:
    The shards whose files are to be written.

  Raises:
    OSError: If the folder cannot be written.
  """
  folder.mkdir(parents=True, exist_ok=True)
  content = _manifest(folder)
  sizes = content['files'] if content.get('identity') == identity else {}
  (folder / manifest_lib.FILE_NAME).unlink(missing_ok=True)
  whole = {}
  for shard in shards:
    path = path_of(folder, shard.file, identity)
    if path.exists() and (
        path.stat().st_size == sizes.get(shard.file, path.stat().st_size)):
      whole[path.name] = shard
  for path in folder.iterdir():
    if path.name not in whole:
      path.unlink()
  return tuple(s for s in shards if s not in whole.values())


@contextlib.contextmanager
def _os_errors() -> Iterator[None]:
  """TensorFlow's errors about files as Python's."""
  try:
    yield
  except tf.errors.OpError as error:
    raise OSError(error.message) from error


def write_file(path: pathlib.Path, records: Iterable[np.ndarray]) -> None:
  """Writes the codes of a shard; the name appears when all is on disk.

  Args:
    path: From `path_of`.
    records: For each record of the shard, in order, [n, ...] float32.

  Raises:
    OSError: If the disk is full, for example; nothing is left behind.
  """
  partial = path.with_name(f'.{path.name}.partial')
  try:
    with _os_errors():
      writer = tf.io.TFRecordWriter(str(partial))
    for codes in records:
      with _os_errors():
        writer.write(np.ascontiguousarray(codes, _DTYPE).tobytes())
    with _os_errors():
      writer.close()
    with open(partial, 'rb') as f:
      os.fsync(f.fileno())
    os.replace(partial, path)
  finally:
    partial.unlink(missing_ok=True)


def finish(folder: pathlib.Path, shards: Sequence[manifest_lib.Shard],
           identity: Identity) -> None:
  """Writes the manifest of a split whose files are all there."""
  durable.write_json(folder / manifest_lib.FILE_NAME, {
      'format': FORMAT, 'identity': dict(identity),
      'files': {s.file: path_of(folder, s.file, identity).stat().st_size
                for s in shards}})


def decode(serialized: tf.Tensor, shape: Sequence[int]) -> tf.Tensor:
  """One record of a file, [] string -> [n, *shape] float32."""
  return tf.reshape(tf.io.decode_raw(serialized, tf.float32), [-1, *shape])


def _manifest(folder: pathlib.Path) -> dict[str, Any]:
  """The manifest of a split; empty if there is none that can be read."""
  path = folder / manifest_lib.FILE_NAME
  try:
    content = json.loads(path.read_text(encoding='utf-8'))
    if content['format'] == FORMAT:
      return {name: dict(content[name]) for name in ('identity', 'files')}
  except (OSError, ValueError, KeyError, TypeError):
    pass
  return {}
