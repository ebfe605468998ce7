"""What blesses a model, and what does not."""

from __future__ import annotations

import copy
import dataclasses
import json

import pytest

from earsr_tf import config_gate
from earsr_tf import config_judge
from earsr_tf.evaluation import blessing

_ASKED = config_gate.BlessingConfig()
_LEAST = dataclasses.asdict(config_judge.JudgeConfig())


def _row(psnr, levels, identity, gender):
  return {'psnr': psnr, 'lr_consistency': levels,
          'identity_accuracy': identity, 'gender_accuracy': gender}


def _results(h=(24.0, 1.0, 0.6, 0.8), *, trusted=True, least=None, data='d'):
  rows = {'h': _row(*h), 'bicubic': _row(22.0, 3.8, 0.5, 0.8)}
  return {
      'provenance': {'data_manifest_sha256': data}, 'consistency': 'off',
      'judge': {'trusted': trusted, 'least': least or _LEAST,
                'reasons': [] if trusted else ['C_g names 94.4 %']},
      'sets': {'closed': {'rows': rows}, 'open': {'rows': rows}}}


def test_a_good_model_is_blessed():
  found = blessing.verdict(_results(), _ASKED)
  assert found['blessed'] and not found['reasons'] and not found['notes']
  assert found['scores']['open']['psnr'] == 24.0 and found['data'] == 'd'
  assert blessing.sentence(found) == 'The model is blessed'
  json.dumps(found, allow_nan=False)


@pytest.mark.parametrize('changes', [
    {'trusted': False}, {'least': {**_LEAST, 'least_gender': 0.0}}])
def test_a_judge_that_cannot_see_blesses_nothing(changes):
  found = blessing.verdict(_results(**changes), _ASKED)
  assert not found['blessed'] and len(found['reasons']) == 1
  without = dataclasses.replace(_ASKED, needs_judges=False)
  assert blessing.verdict(_results(**changes), without)['blessed']


def test_an_evaluation_without_judges_blesses_nothing():
  results = _results()
  del results['judge']
  assert not blessing.verdict(results, _ASKED)['blessed']
  results['sets'] = {}
  assert len(blessing.verdict(results, _ASKED)['reasons']) == 2


@pytest.mark.parametrize('h, setting', [
    ((21.9, 1.0, 0.6, 0.8), 'least_psnr_gain asks for +0'),
    ((24.0, 4.1, 0.6, 0.8), 'most_lr_consistency allows 4'),
    ((24.0, 1.0, 0.49, 0.8), 'least_identity_gain asks for +0'),
    ((24.0, 1.0, 0.6, 0.74), 'least_gender_gain asks for -5'),
    ((None, 1.0, 0.6, 0.8), 'least_psnr_gain'),
    ((24.0, None, 0.6, 0.8), 'most_lr_consistency'),
    ((24.0, 1.0, None, 0.8), 'least_identity_gain')])
def test_every_threshold_is_named_for_each_set(h, setting):
  found = blessing.verdict(_results(h), _ASKED)
  assert [setting in reason for reason in found['reasons']] == [True, True]
  assert [r.split()[0] for r in found['reasons']] == ['closed', 'open']


@pytest.mark.parametrize('h, setting', [
    ((23.7, 1.0, 0.6, 0.8), 'most_psnr_loss'),
    ((24.0, 1.0, 0.54, 0.8), 'most_identity_loss'),
    ((24.0, 1.0, 0.6, 0.745), 'most_gender_loss'),
    ((23.9, 1.0, 0.56, 0.76), '')])
def test_a_model_may_not_be_worse_than_the_last_blessed(h, setting):
  last = blessing.verdict(_results(), _ASKED)
  asked = dataclasses.replace(_ASKED, least_gender_gain=-1.0)
  found = blessing.verdict(_results(h), asked, last)
  assert found['blessed'] is (not setting)
  assert all(setting in reason for reason in found['reasons'])


def test_figures_on_other_data_are_not_compared():
  last = blessing.verdict(_results(), _ASKED)
  found = blessing.verdict(_results((22.5, 1.0, 0.6, 0.8), data='e'), _ASKED,
                           copy.deepcopy(last))
  assert found['blessed'] and 'other data' in blessing.sentence(found)


def test_what_is_served_is_judged():
  results = _results((20.0, 9.0, 0.1, 0.1))  # (h), which nobody would see
  results['consistency'] = 'exact'
  results['sets'] = {  # of one object each
      name: copy.deepcopy(part) for name, part in results['sets'].items()}
  for part in results['sets'].values():
    part['rows'] |= {'h+': _row(24.0, 0.0, 0.6, 0.8),
                     'bicubic+': _row(23.0, 0.0, 0.55, 0.8)}
  first = blessing.verdict(results, _ASKED)
  assert first['blessed'] and first['row'] == 'h+'
  assert first['scores']['open'] == {
      'psnr': 24.0, 'lr_consistency': 0.0, 'identity_accuracy': 0.6,
      'gender_accuracy': 0.8}
  worse = copy.deepcopy(results)
  worse['sets']['open']['rows'] |= {
      'h': _row(30.0, 0.0, 1.0, 1.0), 'h+': _row(23.7, 0.0, 0.6, 0.8)}
  [reason] = blessing.verdict(worse, _ASKED, first)['reasons']
  assert reason.startswith('open set: 0.30 dB of PSNR fewer')
  # The correction alone is no gain.
  results['sets']['open']['rows']['bicubic+'] = _row(24.5, 0.0, 0.5, 0.8)
  [reason] = blessing.verdict(results, _ASKED)['reasons']
  assert 'PSNR is -0.50 dB from bicubic' in reason
  del results['sets']['open']['rows']['h+']
  assert len(blessing.verdict(results, _ASKED)['reasons']) == 4
