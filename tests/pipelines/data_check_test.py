"""Data that a pipeline refuses, and why."""

from __future__ import annotations

import pytest

from earsr_tf import config_gate
from earsr_tf.data import manifest as manifest_lib
from pipelines import data_check

_SCHEMA = config_gate.SchemaConfig()


def _figures(**changes):
  return {
      'clips': {'d_pre': 60, 'd_rest': 20, 'closed_test': 10, 'open_test': 10},
      'refused': 5, 'speakers': {'female': 12, 'male': 13, 'unknown': 1},
      'women': 0.48, 'sides': {'128': 200}, 'seconds': 5.0,
      'loudness_db': -25.0, 'silent': 0.0, 'seen': 100, **changes}


def test_good_data_pass():
  assert data_check.problems(_figures(), _SCHEMA, 128) == []
  assert data_check.drift(_figures(), _figures(), _SCHEMA) == []


@pytest.mark.parametrize('changes, text', [
    ({'clips': {'d_pre': 3, 'closed_test': 9}}, '3 clips to train on; schema'),
    ({'clips': {'d_pre': 30}}, 'no clip in closed_test or open_test'),
    ({'refused': 101}, '101 of 201 clips were refused'),
    ({'sides': {'64': 7, '128': 3}}, '7 frames are 64 pixels wide'),
    ({'loudness_db': -50.0}, 'voices have -50.0 dB'),
    ({'loudness_db': -3.0}, 'voices have -3.0 dB'),
    ({'loudness_db': None, 'silent': None, 'seconds': None}, 'have no voices'),
    ({'silent': 0.06}, '6.0% of the voices are silent'),
    ({'women': 0.1}, '10% of 25 speakers are women'),
    ({'women': 0.9}, '90% of 25 speakers are women')])
def test_each_fault_is_one_sentence(changes, text):
  said = data_check.problems(_figures(**changes), _SCHEMA, 128)
  assert len(said) == 1 and text in said[0]
  error = data_check.refusal('data', said)
  assert isinstance(error, manifest_lib.DataError)
  assert str(error).startswith('data: the data are not as the schema asks: ')


def test_few_speakers_say_nothing_about_shares():
  few = {'speakers': {'female': 0, 'male': 19, 'unknown': 9}, 'women': 0.0}
  assert data_check.problems(_figures(**few), _SCHEMA, 128) == []
  assert data_check.drift(_figures(**few), _figures(), _SCHEMA) == []
  none = {'speakers': {'female': 0, 'male': 0, 'unknown': 9}, 'women': None}
  assert data_check.problems(_figures(**none), _SCHEMA, 128) == []


@pytest.mark.parametrize('changes, text', [
    ({'clips': {'d_pre': 70, 'closed_test': 9}}, '79 clips, the last run had'),
    ({'loudness_db': -31.5}, '-31.5 dB of full scale on average, in the last'),
    ({'seconds': 8.0}, 'voices are 8.0 s long on average'),
    ({'women': 0.37}, '37% of the speakers are women, in the last run 48%')])
def test_drift_is_named(changes, text):
  said = data_check.drift(_figures(**changes), _figures(), _SCHEMA)
  assert len(said) == 1 and text in said[0]
  assert 'schema.drift_' in said[0]


def test_more_clips_are_no_drift():
  more = {'clips': {'d_pre': 900}}
  assert data_check.drift(_figures(**more), _figures(), _SCHEMA) == []
