"""A run folder with random weights, and its export, once per session."""

from __future__ import annotations

import pytest

from earsr_tf import export
from tests import run_folder


@pytest.fixture(scope='session')
def run_root(tmp_path_factory: pytest.TempPathFactory) -> str:
  """Finished stages with random weights."""
  return run_folder.write_run(tmp_path_factory.mktemp('runs'))


@pytest.fixture(scope='session')
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> str:
  """A folder of tiny shards."""
  return run_folder.write_data(tmp_path_factory.mktemp('data'))


@pytest.fixture(scope='session')
def version(run_root: str, tmp_path_factory: pytest.TempPathFactory) -> str:
  """An exported version."""
  return export.run(run_root, str(tmp_path_factory.mktemp('export')))
