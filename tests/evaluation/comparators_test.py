"""Rows of other methods in an evaluation: there where they are trained."""

from __future__ import annotations

import dataclasses
import json
import pathlib

import numpy as np
from PIL import Image
import pytest
import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf import evaluate
from earsr_tf.evaluation import comparators
from earsr_tf.ops import pixels
from earsr_tf.ops import resample
from earsr_tf.stages import networks as networks_lib
from earsr_tf.training import checkpoints
from tests import run_folder
from tests import testing


def _write(run_root: pathlib.Path, config: config_lib.Config) -> None:
  """LapSRN 16x whose residual is zero, W-SRNet as it begins."""
  lapsrn = networks_lib.lapsrn(config, 'lapsrn')
  lapsrn.first.kernel.assign(tf.zeros_like(lapsrn.first.kernel))
  checkpoints.save_networks(
      str(run_root), 'lapsrn', {'lapsrn': lapsrn}, config)
  checkpoints.save_networks(
      str(run_root), 'wavelet_srnet',
      {'wavelet_srnet': networks_lib.wavelet_srnet(config)}, config)


@pytest.fixture(name='run', scope='module')
def _run(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
  """E_l, E_a, G and comparators; LapSRN 4x was begun."""
  folder = tmp_path_factory.mktemp('runs')
  run_folder.write_run(
      folder, without=('fusion', 'invert', 'generator', 'attributes'))
  _write(folder, testing.tiny_config())
  (folder / 'lapsrn_x4').mkdir()
  (folder / 'lapsrn_x4' / 'config.json').write_text('{}')
  return folder


@pytest.mark.slow
def test_rows_figures_and_floors(
    run: pathlib.Path, data_dir: str, tmp_path: pathlib.Path) -> None:
  results = evaluate.run(
      str(run), data_dir, str(tmp_path), frames_per_clip=1, people=2,
      consistency='exact')
  for part in results['sets'].values():
    rows = part['rows']
    assert list(rows)[:7] == [
        'original', 'nearest', 'bicubic', 'b', 'c', 'd', 'lapsrn']
    assert {'wavelet_srnet', 'lapsrn+', 'wavelet_srnet+'} <= set(rows)
    # Bilinear but for the border; W-SRNet knows nothing yet.
    assert abs(rows['lapsrn']['psnr'] - rows['bicubic']['psnr']) < 3.0
    assert rows['wavelet_srnet']['psnr'] < rows['bicubic']['psnr']
    assert rows['lapsrn+']['lr_consistency'] < 0.1 * (
        rows['lapsrn']['lr_consistency'])
    assert {('wavelet_srnet', 'lapsrn')} <= {
        (item['a'], item['b']) for item in part['comparisons']}
  assert results['skipped']['lapsrn_x4'] == 'stage lapsrn_x4 is not finished'
  below = {(e['row'], e['floor']) for e in results['floors']['below_floor']}
  assert ('wavelet_srnet', 'ridge_low') in below
  text = (tmp_path / 'tables.md').read_text()
  assert '| LapSRN 16x | ' in text and 'LapSRN 4x, sees 32x32: stage' in text
  assert json.loads((tmp_path / 'evaluation.json').read_text())['sets']
  for name, width in (('fig7_open', 500), ('fig8', 1000)):
    with Image.open(tmp_path / f'{name}.png') as picture:
      assert picture.width > width


def test_what_a_row_shows_is_what_its_network_makes(
    run: pathlib.Path) -> None:
  config = testing.tiny_config()
  made = comparators.load(str(run), config.model)
  assert [row.key for row in made.rows] == ['lapsrn', 'wavelet_srnet']
  levels = np.arange(128, dtype=np.uint8)[:, np.newaxis, np.newaxis]
  image = pixels.to_float(np.broadcast_to(levels, (1, 128, 128, 3)))
  found = made.pictures(image, None)['lapsrn'].numpy().astype(int)
  low = resample.degrade(image, 16)
  smooth = pixels.to_uint8(tf.image.resize(low, [128, 128])).numpy()
  # A ramp stays a ramp, within what rounding to 8 bit leaves.
  inside = np.s_[:, 24:-24, 24:-24]
  assert np.abs(found[inside] - smooth[inside].astype(int)).max() <= 3


def test_without_comparators_nothing_is_said(run_root: str) -> None:
  made = comparators.load(run_root, testing.tiny_config().model)
  assert made.rows == () and made.skipped == {}
  assert made.pictures(tf.zeros([1, 128, 128, 3]), None) == {}


def test_one_of_another_size_is_refused(run: pathlib.Path) -> None:
  model = dataclasses.replace(
      testing.tiny_config().model, low_res_stretch=True)
  with pytest.raises(checkpoints.CheckpointError,
                     match='low_res_stretch=False, the other stages .* True'):
    comparators.load(str(run), model)
