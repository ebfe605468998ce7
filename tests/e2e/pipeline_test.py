"""The whole road with `--preset=tiny`: data, six stages, export, reload."""

from __future__ import annotations

import json
import pathlib
import subprocess

import numpy as np
from PIL import Image
import pytest

from earsr_tf import config as config_lib
from tests import testing

pytestmark = pytest.mark.slow

COMPONENTS = (
    'MakeSynthetic', 'Prepare', 'Validate', 'Generator', 'Invert', 'Finetune',
    'LowRes', 'Audio', 'Fusion', 'Attributes', 'Evaluate', 'Bless', 'Export',
    'InfraValidate', 'Push', 'SuperResolve')


@pytest.fixture(scope='module', name='root')
def _root(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
  root = tmp_path_factory.mktemp('pipeline') / 'tiny run'
  done = _run(root)
  assert done.returncode == 0, done.stderr[-2000:]
  (root / 'stdout').write_text(done.stdout)
  (root / 'stderr').write_text(done.stderr)
  return root


def _run(
    root: pathlib.Path, *more: str) -> subprocess.CompletedProcess[str]:
  return testing.run_module(
      'pipelines.run', '--preset=tiny', f'--root={root}', *more,
      timeout_s=1800)


def _times(root: pathlib.Path) -> dict[str, str]:
  steps = json.loads((root / 'times.json').read_text())['steps']
  return {step['name']: step['state'] for step in steps}


def _one(root: pathlib.Path, pattern: str) -> pathlib.Path:
  [found] = root.glob(f'artifacts/{pattern}')
  return found


@pytest.mark.timeout(1800)
def test_everything_ran_and_was_reported(root: pathlib.Path) -> None:
  assert _times(root) == dict.fromkeys(COMPONENTS, 'COMPLETE')
  printed = (root / 'stdout').read_text()
  assert printed.splitlines()[-1] == f'Picture: {root}/result.png'
  for words in ('closed set:', 'open set:', 'PSNR', 'SSIM', *COMPONENTS):
    assert words in printed
  with Image.open(root / 'result.png') as picture:
    assert picture.width > 6 * 128 and picture.height > 128


def test_a_blind_judge_pushes_nothing_and_the_export_runs(
    root: pathlib.Path) -> None:
  printed = (root / 'stdout').read_text()
  assert 'Not pushed: nothing is asked of the judges' in printed
  assert not (root / 'serving_models').exists()
  assert (_one(root, 'Bless/blessing/*') / 'NOT_BLESSED').is_file()
  infra = _one(root, 'InfraValidate/blessing/*')
  assert (infra / 'INFRA_BLESSED').is_file()
  said = json.loads((infra / 'verdict.json').read_text())['probe']
  assert len(said['answers']) == 8 and not said['foreign']


@pytest.mark.timeout(900)
def test_pixels_alone_push_it(root: pathlib.Path) -> None:
  done = _run(root, '--set=blessing.needs_judges=False',
              '--set=blessing.least_psnr_gain=-99',
              '--set=blessing.most_lr_consistency=255')
  assert done.returncode == 0, done.stderr[-2000:]
  assert f'Pushed: {root}/serving_models/1;' in done.stdout
  again = {name: state for name, state in _times(root).items()
           if state != 'CACHED'}
  assert again == {'Bless': 'COMPLETE', 'Push': 'COMPLETE'}
  lineage = testing.run_module(
      'pipelines.lineage', str(root / 'serving_models'))
  assert lineage.returncode == 0, lineage.stderr
  assert 'MakeSynthetic: ' in lineage.stdout
  assert 'closed set: gender_accuracy=' in lineage.stdout


def test_terminal_is_free_of_noise(root: pathlib.Path) -> None:
  shown = (root / 'stderr').read_text()
  for noise in ('Traceback', 'WARNING', 'Unable to register', 'GCSFileSystem',
                'TensorFlow Addons', 'E tensorflow'):
    assert noise not in shown, shown


def test_all_stages_finished(root: pathlib.Path) -> None:
  for stage in config_lib.STAGES:
    assert (root / 'runs' / stage / 'finished.json').is_file(), stage


def test_exported_model_makes_what_the_networks_make(
    root: pathlib.Path) -> None:
  """The SavedModel against the evaluation's own composition of networks."""
  import tensorflow as tf

  from earsr_tf.serving import export_manifest
  from earsr_tf.serving import saved_model
  from earsr_tf.serving import signatures
  model_dir = _one(root, 'Export/model/*')
  served = signatures.load(str(export_manifest.newest(model_dir)))
  model, _ = saved_model.load(str(root / 'runs'))
  generator = np.random.default_rng(1)
  image_low = generator.integers(0, 256, [3, 8, 8, 3], dtype=np.uint8)
  waveform = (generator.normal(size=[3, 64000]) * 0.1).astype(np.float32)
  expected = model(tf.constant(image_low), tf.constant(waveform)).numpy()
  made = served(image_low=tf.constant(image_low),
                waveform=tf.constant(waveform))['image_high'].numpy()
  assert made.dtype == np.uint8 and made.shape == (3, 128, 128, 3)
  levels = np.abs(made.astype(int) - expected.astype(int))
  assert levels.max() <= 1  # rounding at .5 may fall either way


def test_command_makes_what_the_pipeline_made(
    root: pathlib.Path, tmp_path: pathlib.Path) -> None:
  samples = _one(root, 'SuperResolve/samples/*')
  done = testing.run_module(
      'earsr_tf.super_resolve', f'--model={_one(root, "Export/model/*")}',
      f'--image={samples}/closed-0-input.png',
      f'--audio={samples}/closed-0-voice.wav', f'--output={tmp_path}/o.png')
  assert done.returncode == 0, done.stderr
  with Image.open(tmp_path / 'o.png') as made:
    with Image.open(samples / 'closed-0-output.png') as expected:
      levels = np.abs(np.asarray(made, int) - np.asarray(expected, int))
  # A batch of one sums in another order than a batch of several.
  assert levels.max() <= 1


@pytest.mark.timeout(900)
def test_same_command_again_does_nothing(root: pathlib.Path) -> None:
  before = (root / 'result.png').read_bytes()
  done = _run(root)
  assert done.returncode == 0
  assert _times(root) == dict.fromkeys(COMPONENTS, 'CACHED')
  assert (root / 'result.png').read_bytes() == before


def test_mistake_in_the_middle_is_one_line(
    root: pathlib.Path, tmp_path: pathlib.Path) -> None:
  empty = tmp_path / 'empty'
  empty.mkdir()
  done = _run(tmp_path / 'run', f'--data={empty}', '--dataset=pairs')
  assert done.returncode == 66
  lines = [line for line in done.stderr.splitlines()
           if not line.startswith('[')]
  assert len(lines) == 1
  assert lines[0].startswith('error: Prepare: ')
  assert lines[0].endswith(f'see {tmp_path}/run/log')
  assert 'Traceback' in (tmp_path / 'run' / 'log').read_text()
