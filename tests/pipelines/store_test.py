"""Which store a pipeline uses; no server is asked."""

from __future__ import annotations

import pathlib

import pytest

from earsr_tf import config as config_lib
from earsr_tf import presets
from pipelines import pipeline
from pipelines import plan as plan_lib
from pipelines import store

_URL = 'mysql://ear%20sr@db.example:3307/runs'


def test_a_file_unless_a_server_is_named(tmp_path: pathlib.Path) -> None:
  config = store.connection(tmp_path, '')
  assert config.sqlite.filename_uri == str(tmp_path / 'metadata.sqlite')
  assert store.pipeline_name(tmp_path, '') == 'earsr_tf'


def test_what_is_passed_on_to_a_server(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
  monkeypatch.setenv(store.PASSWORD, 'secret')
  plan = plan_lib.make(
      presets.get('tiny'), root=str(tmp_path), shards='', metadata=_URL)
  made = pipeline.make(plan)
  server = made.metadata_connection_config.mysql
  assert (server.host, server.port, server.database, server.user,
          server.password) == ('db.example', 3307, 'runs', 'ear sr', 'secret')
  # Of one server's pipelines, each folder has a name of its own, as the
  # results that it may use again are its own.
  name = made.pipeline_info.pipeline_name
  assert name.startswith('earsr_tf-') and len(name) < 63
  assert name != store.pipeline_name(tmp_path / 'other', _URL)
  assert store.connection(tmp_path, 'mysql://u@h/d').mysql.port == 3306


def test_the_note_has_no_password(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
  monkeypatch.setenv(store.PASSWORD, 'secret')
  assert store.url_of(tmp_path) == '' and not store.exists(tmp_path)
  store.note(tmp_path, _URL)
  assert store.url_of(tmp_path) == _URL and store.exists(tmp_path)
  assert 'secret' not in (tmp_path / 'store.json').read_text()


@pytest.mark.parametrize('url', [
    'sqlite:///x', 'mysql://host/db', 'mysql://u@h', 'mysql://u@h:port/db',
    'mysql://u@h:99999/db', 'mysql://u@h/a/b', 'db.example:3306'])
def test_other_urls_are_refused(url: str) -> None:
  with pytest.raises(config_lib.ConfigError, match='write mysql://USER@HOST'):
    store.parse(url)


def test_a_password_in_the_url_is_refused_and_not_repeated() -> None:
  with pytest.raises(config_lib.ConfigError) as error:
    store.parse('mysql://u:secret@h/d')
  assert store.PASSWORD in str(error.value)
  assert 'secret' not in str(error.value)
  with pytest.raises(config_lib.ConfigError) as error:
    store.parse('mysql://u:secret@h:port/d')
  assert 'secret' not in str(error.value)
