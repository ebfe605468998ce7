"""Writing results, and the tables made of them."""

from __future__ import annotations

import json
import math

import numpy as np

from earsr_tf.evaluation import comparisons
from earsr_tf.evaluation import floor_marks
from earsr_tf.evaluation import report
from earsr_tf.evaluation import sweep
from earsr_tf.evaluation import tables


def _results() -> dict:
  row = {'psnr': 20.0, 'ssim': 0.5, 'lr_consistency': 9.5,
         'gender_accuracy': 0.875, 'identity_accuracy': None,
         'age_error': 3.25, 'age_error_true': math.nan}
  scores = {'h': {'gender_correct': np.array([1.0, 1.0, 0.0, 1.0]),
                  'psnr': np.array([21.0, 20.0, 20.0, 19.0])},
            'c': {'gender_correct': np.array([0.0, 1.0, 0.0, 1.0]),
                  'psnr': np.array([20.0, 20.5, 19.0, 18.0])}}
  speakers = np.array(['a', 'a', 'b', 'b'])
  return {
      'protocol': ['first protocol', 'second protocol'],
      'provenance': {
          'command': 'python -m earsr_tf.evaluate', 'preset': 'tiny',
          'seed': 0, 'data_manifest_sha256': 'f' * 64, 'date': 'today',
          'machine': {'cpu': 'abacus', 'cores': 2}},
      'rows': {'h': {'label': '(h) F'}, 'a': {'label': '(a) E_h'}},
      'skipped': {'a': 'stage invert is not finished'},
      'sets': {'open': {
          'people': 2, 'speakers': 2, 'images': 4, 'clips': 4,
          'rows': {'h': row}, 'mixing': None,
          'comparisons': comparisons.compare(scores, speakers, seed=0)}}}


def test_compare_takes_what_exists() -> None:
  entries = _results()['sets']['open']['comparisons']
  assert [(e['a'], e['b'], e['metric']) for e in entries] == [
      ('h', 'c', 'gender_correct'), ('h', 'c', 'psnr')]
  assert entries[0]['mean'] == 0.25  # a: 0.5, b: 0
  assert entries[1]['wins'] == 0.75
  assert report.comparison_sentence(entries[0]) == (
      'gender, F minus E_l: +25.00 [+0.00, +50.00] points (2 people)')


def test_means_leave_nan_out() -> None:
  result = comparisons.means({'psnr': np.array([20.0, math.nan, 22.0])})
  assert result['psnr'] == 21.0
  assert math.isnan(result['ssim'])


def test_summary_and_tables_show_missing_values_as_dashes() -> None:
  results = _results()
  text = report.summary(results)
  assert '  20.00  0.500   9.5    87.5       -   3.2' in text
  assert 'in 75 % of the images' in text
  assert 'not evaluated: row a: stage invert is not finished' in text
  assert max(len(line) for line in text.splitlines()) <= 80
  markdown = tables.markdown(results)
  assert '| (h) F | - | 87.5 | 3.25 | - |' in markdown
  assert '| (h) F | 20.00 | 0.500 | 9.50 |' in markdown
  assert 'first protocol' in markdown and 'second protocol' in markdown
  assert '- (a) E_h: stage invert is not finished' in markdown


def test_marks_move_nothing_and_are_explained() -> None:
  results = _results()
  results['rows']['ridge_both'] = {'label': 'ridge, both'}
  rows = results['sets']['open']['rows']
  rows['ridge_both'] = dict(
      rows['h'], psnr=21.0, gender_accuracy=0.8, identity_accuracy=0.5)
  plain = report.summary(results)
  results['floors'] = {'below_floor': floor_marks.below(results['sets'])}
  assert results['floors']['below_floor'] == [{
      'set': 'open', 'row': 'h', 'floor': 'ridge_both', 'metric': 'psnr',
      'value': 20.0, 'floor_value': 21.0}]
  text = report.summary(results)
  assert '  20.00< 0.500   9.5    87.5       -   3.2' in text
  assert '\n< below the linear floor of the row' in text
  assert '<' not in plain
  assert plain.splitlines()[2].replace('20.00 ', '20.00<') in text
  assert max(len(line) for line in text.splitlines()) <= 80
  assert '| (h) F | 20.00< | 0.500 | 9.50 |' in tables.fidelity_table(results)
  assert floor_marks.FOOTNOTE in tables.fidelity_table(results)
  assert floor_marks.sentences(results) == [
      '(h) F, open set: PSNR 20.00 below 21.00 dB of ridge, both']


def test_samples_csv_has_a_line_per_image_and_row() -> None:
  text = tables.samples_csv(
      {'c': {'psnr': np.array([20.0, 21.5])}}, ['a/v/1', 'b/v/1'])
  assert text == (
      'row,image,clip,psnr\nc,0,a/v/1,20\nc,1,b/v/1,21.5\n')


def test_json_is_strict() -> None:
  content = report.to_json({
      'a': np.float32(0.5), 'b': [math.nan, math.inf], 'c': np.int64(3),
      'd': np.array([1.0, math.nan])})
  assert json.loads(content) == {
      'a': 0.5, 'b': [None, None], 'c': 3, 'd': [1.0, None]}


def test_other_voices_are_other_peoples() -> None:
  speakers = np.array(['a', 'a', 'b', 'c'])
  picks = sweep.other_voices(speakers, None, seed=0)
  assert all(speakers[pick] != speakers[i] for i, pick in enumerate(picks))
  genders = np.array([0, 0, 1, -1])
  picks = sweep.other_voices(speakers, genders, seed=0)
  assert picks[0] == 2 and picks[1] == 2 and picks[2] in (0, 1)
  assert picks[3] == -1
  lonely = sweep.other_voices(np.array(['a', 'a']), None, seed=0)
  np.testing.assert_array_equal(lonely, [-1, -1])


def test_provenance_names_the_machine() -> None:
  facts = report.provenance(preset='tiny')
  assert facts['preset'] == 'tiny'
  assert facts['machine']['cores'] >= 1
  assert facts['versions']['tensorflow'].startswith('2.15')


def test_the_longest_sentence_of_a_comparison_fits_a_terminal() -> None:
  for item in comparisons.COMPARISONS:
    if item.metric == 'gender_correct':
      sentence = report.comparison_sentence({
          **vars(item), 'mean': -1.0, 'low': -1.0, 'high': 0.0,
          'speakers': 144})
      assert len('  ' + sentence) <= 80, sentence


def test_every_table_of_judges_names_them() -> None:
  results = _results() | {'judges': {
      'C_g': {'is': 'a network', 'is_substitute': True}}}
  results['sets']['open']['mixing'] = {
      'pairs': 2, 'agrees_low': 0.5, 'agrees_audio': 0.5}
  named = "Judges: C_g: a network, a substitution for the paper's VGG-Face."
  for table in (tables.attribute_table, tables.mixing_table,
                tables.comparison_table):
    assert table(results).startswith(f'{named}\n\n')
  assert "C_g: a network (the paper's is another)" in report.summary(results)
