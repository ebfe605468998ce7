"""Tests of earsr_tf.training.cluster: TF_CONFIG as people get it wrong."""

from __future__ import annotations

import json

import pytest

from earsr_tf.training import cluster

_HOSTS = ['one:2222', 'two:2222', 'three:2222']


def _set(monkeypatch: pytest.MonkeyPatch, jobs: object, task: object) -> None:
  monkeypatch.setenv(
      'TF_CONFIG', json.dumps({'cluster': jobs, 'task': task}))


@pytest.mark.parametrize('text', [
    '', '{}', '{"cluster": {}}', '{"environment": "cloud"}',
    '{"cluster": {"worker": ["one:1"]}, "task": {"type": "worker", "index": 0}}'
])
def test_no_cluster_is_one_process(
    monkeypatch: pytest.MonkeyPatch, text: str) -> None:
  monkeypatch.setenv('TF_CONFIG', text)
  found = cluster.from_environment()
  assert (found.count, found.index, found.is_chief) == (1, 0, True)


@pytest.mark.parametrize('jobs, task, index', [
    ({'worker': _HOSTS}, {'type': 'worker', 'index': 0}, 0),
    ({'worker': _HOSTS}, {'type': 'worker', 'index': '2'}, 2),
    ({'worker': _HOSTS[1:], 'chief': _HOSTS[:1]},
     {'type': 'chief', 'index': 0}, 0),
    ({'worker': _HOSTS[1:], 'chief': _HOSTS[:1]},
     {'type': 'worker', 'index': 0}, 1)])
def test_the_chief_is_counted_first(
    monkeypatch: pytest.MonkeyPatch, jobs: object, task: object, index: int
    ) -> None:
  _set(monkeypatch, jobs, task)
  found = cluster.from_environment()
  assert found.addresses == tuple(_HOSTS) and found.count == 3
  assert (found.index, found.is_chief) == (index, index == 0)


@pytest.mark.parametrize('jobs, task, words', [
    (['one:1'], {}, '"cluster": ["one:1"], which must name jobs'),
    ({'worker': 'one:1'}, {}, '"worker": "one:1", which must be a list'),
    ({'worker': ['one', 'two:1']}, {}, 'the worker "one", which is no host'),
    ({'worker': ['one:1', 'two:0']}, {}, '"two:0", which is no host:port'),
    ({'worker': ['one:1', 'two:70000']}, {}, '"two:70000", which is no'),
    ({'worker': ['one:1', 'one:1']}, {}, 'names one:1 twice'),
    ({'chief': ['one:1', 'two:1']}, {}, 'has more than one chief'),
    ({'worker': _HOSTS, 'ps': ['four:1']}, {}, 'the job "ps"'),
    ({'worker': _HOSTS}, None, 'does not say with "task" which'),
    ({'worker': _HOSTS}, {'type': 'worker'}, 'does not say with "task"'),
    ({'worker': _HOSTS}, {'type': 'worker', 'index': 3},
     'says that this is "worker:3", but has only worker:0, worker:1'),
    ({'worker': _HOSTS}, {'type': 'chief', 'index': 0}, '"chief:0"'),
    ({'worker': _HOSTS}, {'type': 'worker', 'index': True}, '"worker:True"')])
def test_mistakes_are_named_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, jobs: object, task: object, words: str
    ) -> None:
  _set(monkeypatch, jobs, task)
  with pytest.raises(cluster.ClusterError) as error:
    cluster.from_environment()
  assert words in str(error.value) and 'write it like {' in str(error.value)
  assert error.value.exit_code == 2


@pytest.mark.parametrize('text, words', [
    ('{"cluster": ', 'is not JSON'), ('[1]', 'must be a JSON object, not [1]')])
def test_what_is_no_object_is_refused(
    monkeypatch: pytest.MonkeyPatch, text: str, words: str) -> None:
  monkeypatch.setenv('TF_CONFIG', text)
  with pytest.raises(cluster.ClusterError) as error:
    cluster.from_environment()
  assert words in str(error.value)


def test_messages_name_the_other_workers(
    monkeypatch: pytest.MonkeyPatch) -> None:
  _set(monkeypatch, {'worker': _HOSTS}, {'type': 'worker', 'index': 1})
  found = cluster.from_environment()
  assert found.name(2) == 'worker:2 (three:2222)'
  assert found.find(
      'from /job:worker/task:1: Task /job:worker/replica:0/task:2 is late'
      ) == [2]
  assert not found.find('nobody is named')
