"""ML Metadata, where a pipeline remembers: a file of its own, or MySQL.

What lies in the store is read here; TFX writes it.
"""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
from typing import Any, Callable
from urllib import parse as urls

from earsr_tf import config as config_lib
from earsr_tf import durable

FILE = 'metadata.sqlite'  # below the root
PASSWORD = 'EARSR_MYSQL_PASSWORD'  # a variable of the environment
_NOTE = 'store.json'  # below the root: which store its runs use
_NAME = 'earsr_tf'


def parse(url: str) -> urls.SplitResult:
  """The parts of mysql://USER@HOST[:PORT]/DATABASE.

  Raises:
    ConfigError: If it is something else, or holds a password.
  """
  try:
    parts = urls.urlsplit(url)
    port = parts.port or 3306
  except ValueError:  # no number, or none of a port
    parts, port = urls.urlsplit(''), 0
  name = parts.path.strip('/')
  if parts.scheme != 'mysql' or not parts.hostname or not parts.username or (
      not name or '/' in name or not port):
    raise config_lib.ConfigError(
        f'--metadata={_without_password(url)}: write '
        'mysql://USER@HOST:PORT/DATABASE, or leave it out for a file in the '
        "pipeline's folder")
  if parts.password:
    raise config_lib.ConfigError(
        f'--metadata={_without_password(url)}: the password would be seen in '
        f'lists of processes; put it into the variable {PASSWORD}')
  return parts


def _without_password(url: str) -> str:
  """A URL that may be shown."""
  head, at, tail = url.rpartition('@')
  scheme, slashes, user = head.partition('://')
  return f'{scheme}{slashes}{user.partition(":")[0]}{at}{tail}'


def note(root: pathlib.Path, url: str) -> None:
  """Notes below the root which store its runs use, without the password."""
  durable.write_json(root / _NOTE, {'metadata': url})


def url_of(root: pathlib.Path) -> str:
  """The MySQL store that was noted for a root; '' for a file."""
  path = root / _NOTE
  if not path.is_file():
    return ''
  return json.loads(path.read_text(encoding='utf-8'))['metadata']


def connection(root: pathlib.Path, url: str) -> Any:
  """How TFX and ML Metadata reach a store (`ConnectionConfig`).

  Args:
    root: Folder of the pipeline.
    url: As `parse` reads it; '': the file in that folder.
  """
  from tfx.orchestration import metadata
  if not url:
    return metadata.sqlite_metadata_connection_config(str(root / FILE))
  parts = parse(url)
  return metadata.mysql_metadata_connection_config(
      host=parts.hostname, port=parts.port or 3306,
      database=parts.path.strip('/'), username=urls.unquote(parts.username),
      password=os.environ.get(PASSWORD, ''))


def pipeline_name(root: pathlib.Path, url: str) -> str:
  """The name under which a pipeline's runs are filed.

  A server is shared by many; results of one folder are none of another's.
  """
  if not url:
    return _NAME
  return f'{_NAME}-{hashlib.sha256(str(root).encode()).hexdigest()[:16]}'


class Reader:
  """Reads what the runs of a pipeline left in its store."""

  def __init__(self, *, root: pathlib.Path) -> None:
    """Opens the store of a pipeline's folder."""
    from ml_metadata.metadata_store import metadata_store
    url = url_of(root)
    self.store = metadata_store.MetadataStore(connection(root, url))
    self._pipeline = self.store.get_context_by_type_and_name(
        'pipeline', pipeline_name(root, url))

  def last_executions(self) -> list[Any]:
    """The executions of the last run, in order."""
    executions = self._all_executions()
    if not executions:
      return []
    newest = max(executions, key=lambda execution: execution.id)
    [run] = [c for c in self.store.get_contexts_by_execution(newest.id)
             if c.type == 'pipeline_run']
    return sorted(self.store.get_executions_by_context(run.id),
                  key=lambda execution: execution.id)

  def node(self, execution: Any) -> str:
    """The component of an execution, by the name that it has in a pipeline."""
    [found] = [c for c in self.store.get_contexts_by_execution(execution.id)
               if c.type == 'node']
    return found.name.rpartition('.')[2]

  def newest(
      self, type_name: str,
      where: Callable[[Any], bool] = lambda artifact: True) -> Any | None:
    """The newest live artifact of a type; None if there is none.

    Args:
      type_name: `TYPE_NAME` of the artifact.
      where: Which of them count.
    """
    from ml_metadata.proto import metadata_store_pb2
    if self._pipeline is None:
      return None
    found = [
        artifact for artifact in self.store.get_artifacts_by_context(
            self._pipeline.id)
        if artifact.type == type_name and where(artifact)
        and artifact.state == metadata_store_pb2.Artifact.LIVE]
    return max(found, key=lambda artifact: artifact.id, default=None)

  def _all_executions(self) -> list[Any]:
    """The executions of all runs of this pipeline."""
    if self._pipeline is None:
      return []
    return self.store.get_executions_by_context(self._pipeline.id)


def exists(root: pathlib.Path) -> bool:
  """Whether a folder has a store: opening one would make an empty file."""
  return bool(url_of(root)) or (root / FILE).is_file()
