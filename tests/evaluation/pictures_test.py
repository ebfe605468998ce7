"""Scoring of pictures: known answers."""

from __future__ import annotations

import csv
import json
import math
import pathlib

import numpy as np
from PIL import Image
import pytest

from earsr_tf import cli
from earsr_tf import evaluate
from earsr_tf.evaluation import pictures
from tests import testing


def _flat(path: pathlib.Path, level: int) -> None:
  path.parent.mkdir(exist_ok=True)
  Image.fromarray(np.full([32, 48, 3], level, np.uint8)).save(path)


@pytest.fixture
def folders(tmp_path: pathlib.Path) -> tuple[str, str]:
  """Flat outputs, 1 and 3 levels above flat originals."""
  for name, level in (('a', 101), ('b, c', 103)):
    _flat(tmp_path / 'out' / f'{name}.png', level)
    _flat(tmp_path / 'truth' / f'{name}.png', 100)
  return str(tmp_path / 'out'), str(tmp_path / 'truth')


def test_flat_outputs_by_hand(
    folders: tuple[str, str], tmp_path: pathlib.Path) -> None:
  output = tmp_path / 'scores'
  evaluate.score_pictures(*folders, str(output), consistency='1')
  results = json.loads((output / 'pictures.json').read_text())
  rows = results['rows']
  assert list(rows) == ['bicubic', 'output', 'bicubic+', 'output+']
  peak = 20 * math.log10(255)
  assert rows['output']['psnr'] == pytest.approx(peak - 10 * math.log10(3))
  assert rows['output']['lr_consistency'] == 2.0
  assert rows['output']['label'] == 'outputs'
  # One step takes a constant difference away whole.
  assert rows['output+']['psnr'] is None  # infinite
  assert rows['output+']['lr_consistency'] == 0.0
  assert rows['output+']['label'] == 'output + back-projection'
  assert (results['pictures'], results['consistency']) == (2, '1')
  with open(output / 'pictures.csv', encoding='utf-8', newline='') as file:
    samples = [row for row in csv.DictReader(file) if row['row'] == 'output']
  assert [row['clip'] for row in samples] == ['a', 'b, c']
  assert [float(row['lr_consistency']) for row in samples] == [1.0, 3.0]
  assert float(samples[0]['psnr']) == pytest.approx(peak, abs=1e-3)
  text = pictures.summary(results)
  assert max(len(line) for line in text.splitlines()) <= 80
  assert 'output + back-projection' in text


def test_outputs_equal_to_their_originals_are_perfect(
    folders: tuple[str, str], tmp_path: pathlib.Path) -> None:
  results = evaluate.score_pictures(
      folders[1], folders[1], str(tmp_path / 'scores'))
  assert list(results['rows']) == ['bicubic', 'output']
  assert results['rows']['output']['ssim'] == pytest.approx(1.0)
  assert results['rows']['output']['lr_consistency'] == 0.0


def test_nothing_is_written_over_the_pictures_or_after_a_mistake(
    folders: tuple[str, str], tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str]) -> None:
  output = tmp_path / 'scores'
  for arguments, words, code in (
      ((*folders, folders[0]), 'is the folder of --images', 1),
      ((*folders, folders[1] + '/'), 'is the folder of --truth', 1),
      ((*folders, folders[0] + '/a.png'), 'is a file; name a folder', 1),
      ((folders[0], '', str(output)), 'is no strip of 4 square tiles', 65)):
    assert cli.guard(lambda: evaluate.score_pictures(*arguments)) == code
    line, = capsys.readouterr().err.splitlines()
    assert words in line
  assert not output.exists()


# Mode -> PSNR of E_l and F, SSIM of F, LR consistency of E_l and F.
_OFFICIAL = {
    '1': (20.41, 20.96, 0.608, 2.080, 1.938),
    '3': (20.51, 21.07, 0.607, 0.449, 0.436),
    '10': (20.53, 21.09, 0.606, 0.002, 0.001),
    'exact': (20.51, 21.06, 0.603, 0.0, 0.0)}


@pytest.mark.parametrize('mode', _OFFICIAL)
def test_official_strips_score_what_was_measured_elsewhere(
    tmp_path: pathlib.Path, mode: str) -> None:
  folder = testing.shared_dir() / 'data' / 'official_test7' / 'output'
  rows = evaluate.score_pictures(
      str(folder), '', str(tmp_path), consistency=mode)['rows']
  assert list(rows) == ['bicubic', 'c', 'h', 'bicubic+', 'c+', 'h+']
  for key, psnr, ssim in (('bicubic', 19.18, 0.500), ('c', 19.15, 0.546),
                          ('h', 19.67, 0.587)):
    assert rows[key]['psnr'] == pytest.approx(psnr, abs=0.006)
    assert rows[key]['ssim'] == pytest.approx(ssim, abs=0.001)
  assert rows['c']['lr_consistency'] == pytest.approx(10.1, abs=0.05)
  assert rows['h']['lr_consistency'] == pytest.approx(9.6, abs=0.05)
  psnr_l, psnr_f, ssim_f, off_l, off_f = _OFFICIAL[mode]
  assert rows['c+']['psnr'] == pytest.approx(psnr_l, abs=0.007)
  assert rows['h+']['psnr'] == pytest.approx(psnr_f, abs=0.007)
  assert rows['h+']['ssim'] == pytest.approx(ssim_f, abs=0.001)
  assert rows['c+']['lr_consistency'] == pytest.approx(off_l, abs=0.002)
  assert rows['h+']['lr_consistency'] == pytest.approx(off_f, abs=0.002)
