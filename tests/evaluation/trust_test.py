"""When an evaluation is to be trusted."""

from __future__ import annotations

import math

from earsr_tf import config_judge
from earsr_tf.evaluation import trust

_LEAST = config_judge.JudgeConfig()


def _sets(closed: tuple[float, float], opened: tuple[float, float]) -> dict:
  return {name: {'rows': {'original': {
      'identity_accuracy': shares[0], 'gender_accuracy': shares[1]}}}
          for name, shares in (('closed', closed), ('open', opened))}


def test_judges_that_reach_what_is_asked_are_trusted() -> None:
  found = trust.verdict(_sets((0.95, 0.98), (0.90, 0.99)), _LEAST)
  assert found['trusted'] and not found['reasons']
  assert found['least']['least_identity_open'] == 0.90
  assert trust.sentence({'judge': found}) == ''


def test_every_figure_below_is_named() -> None:
  found = trust.verdict(_sets((0.949, 0.98), (0.95, 0.979)), _LEAST)
  assert not found['trusted']
  assert found['reasons'] == [
      "C_i names 94.9 % of the closed set's original images right; 95.0 % are "
      'asked for',
      "C_g names 97.9 % of the open set's original images right; 98.0 % are "
      'asked for']
  assert trust.sentence({'judge': found}).startswith(
      'This evaluation is not to be trusted in identity and gender: C_i names')


def test_what_is_not_known_is_not_trusted_unless_nothing_is_asked() -> None:
  sets = _sets((math.nan, 1.0), (1.0, 1.0))
  assert trust.verdict(sets, _LEAST)['reasons'] == [
      "C_i names nothing of the closed set's original images right; 95.0 % are "
      'asked for']
  nothing = config_judge.JudgeConfig(
      least_identity_closed=0.0, least_identity_open=0.0, least_gender=0.0)
  assert trust.verdict(sets, nothing)['trusted']


def test_the_section_has_a_line_per_side() -> None:
  curve = {'128': {'identity_accuracy': 0.97, 'gender_accuracy': 0.99},
           '8': {'identity_accuracy': 0.2, 'gender_accuracy': 0.8}}
  results = {'sets': {'closed': {}}, 'judge': {
      'trusted': True, 'reasons': [], 'curve': {'closed': curve}}}
  parts = trust.markdown(results)
  assert parts[0] == '## The judges'
  assert parts[-1].split('\n')[2:] == [
      '| 128x128 | 97.0 | 99.0 |', '| 8x8 | 20.0 | 80.0 |']
  assert trust.markdown({'sets': {}}) == []
