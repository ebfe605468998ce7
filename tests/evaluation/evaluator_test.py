"""The evaluation of a whole run folder with random weights."""

from __future__ import annotations

import csv
import json
import pathlib
import shutil

import numpy as np
from PIL import Image
import pytest

from earsr_tf import evaluate
from earsr_tf.evaluation import evaluator
from earsr_tf.evaluation import rows
from earsr_tf.training import checkpoints
from tests import run_folder

_ALL = ['original', 'nearest', 'bicubic', 'a', 'b', 'c', 'd', 'f0', 'x', 'h']
# Four training frames have three values: no row with more.
_FLOORS = ['pca64', 'ridge_low', 'ridge_voice', 'ridge_both', 'ridge_x',
           'ridge_silent']
_ADDED = ['bicubic+', 'c+', 'x+', 'h+']


@pytest.fixture(scope='module')
def output(run_root: str, data_dir: str,
           tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
  """The result folder of one evaluation."""
  folder = tmp_path_factory.mktemp('evaluation')
  evaluate.run(run_root, data_dir, str(folder), people=2, consistency='exact')
  return folder


def test_every_row_is_scored_on_both_sets(output: pathlib.Path) -> None:
  results = json.loads((output / 'evaluation.json').read_text())
  assert list(results['sets']) == ['closed', 'open']
  for part in results['sets'].values():
    assert list(part['rows']) == _ALL + _FLOORS + _ADDED
    assert (part['speakers'], part['clips'], part['images']) == (2, 2, 4)
    original = part['rows']['original']
    assert original['lr_consistency'] == 0.0
    assert original['age_error'] == 0.0
    assert original['psnr'] is None  # infinite
    assert original['ssim'] == pytest.approx(1.0)
    # The stored frames are 8x8 blocks, so nearest is close to the truth.
    assert part['rows']['nearest']['psnr'] > part['rows']['bicubic']['psnr']
    for key in _FLOORS:
      assert 0.0 <= part['rows'][key]['gender_accuracy'] <= 1.0
      assert part['rows'][key]['age_error'] > 0.0
    assert part['mixing']['pairs'] == 4
    assert (part['mixing']['agrees_low'] + part['mixing']['agrees_audio']
            == pytest.approx(1.0))
  assert results['skipped'] == {
      'pca': 'the training frames have 3 values in all'}
  facts = results['provenance']
  assert facts['preset'] == 'tiny' and len(facts['data_manifest_sha256']) == 64


def test_means_are_those_of_the_samples(output: pathlib.Path) -> None:
  results = json.loads((output / 'evaluation.json').read_text())
  with open(output / 'samples_open.csv', encoding='utf-8') as file:
    samples = [row for row in csv.DictReader(file) if row['row'] == 'h']
  assert [row['clip'] for row in samples] == [
      'id2/open_test/00001'] * 2 + ['id3/open_test/00001'] * 2
  for column, score in (('psnr', 'psnr'), ('gender_accuracy',
                                           'gender_correct')):
    mean = np.mean([float(row[score]) for row in samples])
    assert results['sets']['open']['rows']['h'][column] == pytest.approx(
        mean, rel=1e-4)


def test_figures_are_there(output: pathlib.Path) -> None:
  for name in ('fig4', 'fig6', 'fig_floors', 'fig10_closed', 'fig10_open'):
    with Image.open(output / f'{name}.png') as picture:
      assert min(picture.size) > 300
  assert '## Table 1' in (output / 'tables.md').read_text()


def test_rows_of_untrained_stages_are_skipped_by_name(
    data_dir: str, tmp_path: pathlib.Path) -> None:
  run_root = run_folder.write_run(
      tmp_path / 'runs', without=('fusion', 'attributes', 'invert'))
  evaluation = evaluator.evaluate(
      run_root, data_dir, sets=('open',), frames_per_clip=1, batch_size=1,
      floors=False)
  results = evaluation.results
  assert results['floors'] is None
  assert list(results['sets']['open']['rows']) == [
      'original', 'nearest', 'bicubic', 'b', 'c', 'd']
  assert results['skipped'] == {
      'a': 'stage invert is not finished',
      **{key: 'stage fusion is not finished' for key in ('f0', 'x', 'h')}}
  scores = results['sets']['open']['rows']['c']
  assert np.isnan(scores['gender_accuracy']) and scores['psnr'] > 0
  assert len(evaluation.sets['open'].people) == 2


def test_batch_size_and_added_rows_do_not_matter(
    output: pathlib.Path, run_root: str, data_dir: str) -> None:
  evaluation = evaluator.evaluate(
      run_root, data_dir, sets=('open',), frames_per_clip=2, batch_size=3)
  with open(output / 'samples_open.csv', encoding='utf-8') as file:
    samples = list(csv.DictReader(file))
  assert list(evaluation.sets['open'].scores) == _ALL + _FLOORS
  for key in (_ALL + _FLOORS)[1:]:  # the original's PSNR is infinite
    np.testing.assert_allclose(
        evaluation.sets['open'].scores[key]['psnr'],
        [float(row['psnr']) for row in samples if row['row'] == key],
        atol=0.02)


def test_consistency_adds_rows_beside_the_faithful_ones(
    output: pathlib.Path) -> None:
  results = json.loads((output / 'evaluation.json').read_text())
  assert results['consistency'] == 'exact'
  assert results['rows']['h+']['label'] == '(h) + exact projection'
  for part in results['sets'].values():
    for key in _ADDED:
      corrected, before = part['rows'][key], part['rows'][key[:-1]]
      assert corrected['lr_consistency'] < 0.1 * before['lr_consistency']
    assert part['rows']['h+']['psnr'] > part['rows']['h']['psnr'] + 1.0
    compared = {(item['a'], item['b']) for item in part['comparisons']}
    assert {('h+', 'h'), ('h+', 'c+'), ('h+', 'x+'),
            ('h+', 'bicubic+')} <= compared
  text = (output / 'tables.md').read_text()
  assert '| (h) + exact projection | ' in text
  assert '--consistency=exact' in text


def test_a_network_below_its_floor_is_marked(output: pathlib.Path) -> None:
  results = json.loads((output / 'evaluation.json').read_text())
  facts = results['floors']
  assert (facts['frames'], facts['people'], facts['held_back_people']) == (
      4, 2, 1)
  assert facts['values'] == {'pca64': 3, 'pca': 3}
  assert facts['variance_kept'] == pytest.approx(1.0, abs=1e-4)
  assert set(facts['penalties']) == {'ridge_low', 'ridge_voice', 'ridge_both'}
  for entry in facts['below_floor']:
    part = results['sets'][entry['set']]['rows']
    assert entry['value'] == part[entry['row']][entry['metric']]
    assert entry['value'] < part[entry['floor']][entry['metric']]
  # Networks of random weights: even these three values are nearer.
  assert {(entry['set'], entry['row'], entry['metric'])
          for entry in facts['below_floor']} >= {
              (name, key, 'psnr') for name in ('closed', 'open')
              for key in ('a', 'b', 'c', 'd', 'h')}
  text = (output / 'tables.md').read_text()
  value = results['sets']['closed']['rows']['h']['psnr']
  assert f'| (h) F + tuned E_a | {value:.2f}< |' in text
  assert '## Linear floors' in text and 'PCA of 4 training frames' in text


def test_different_model_sections_are_refused(
    run_root: str, tmp_path: pathlib.Path) -> None:
  folder = tmp_path / 'runs'
  shutil.copytree(run_root, folder)
  path = folder / 'audio' / 'config.json'
  content = json.loads(path.read_text())
  content['config']['model']['audio_hidden'] = 40
  path.write_text(json.dumps(content))
  with pytest.raises(checkpoints.CheckpointError, match='audio and fusion'):
    rows.load(str(folder), len(run_folder.PEOPLE))


def test_a_classifier_of_other_people_is_refused(run_root: str) -> None:
  with pytest.raises(checkpoints.CheckpointError, match='knows 4 people'):
    rows.load(run_root, 5)


def test_one_person_of_unknown_gender_and_age_is_enough(
    run_root: str, tmp_path: pathlib.Path) -> None:
  people = (('id0', -1, float('nan'), ('d_pre', 'closed_test')),
            *((f'id{i}', 0, 30.0, ('d_pre',)) for i in (1, 2, 3)))
  data_dir = run_folder.write_data(tmp_path / 'data', people)
  results = evaluate.run(
      run_root, data_dir, str(tmp_path / 'out'), frames_per_clip=1)
  assert list(results['sets']) == ['closed']
  part = results['sets']['closed']
  assert list(part['rows']) == [
      key for key in _ALL + _FLOORS if key not in ('x', 'ridge_x')]
  assert part['mixing'] is None
  assert np.isnan(part['rows']['h']['gender_accuracy'])
  assert not np.isnan(part['rows']['h']['identity_accuracy'])
  again = json.loads((tmp_path / 'out' / 'evaluation.json').read_text())
  assert again['sets']['closed']['comparisons'][0]['mean'] is None
  assert not (tmp_path / 'out' / 'fig10_closed.png').exists()
