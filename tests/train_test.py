"""Tests of earsr_tf.train: what a user types, and what comes back.

All but the last run `main` in this process, guarded as the command is.
"""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import pytest

from earsr_tf import cli
from earsr_tf import config as config_lib
from earsr_tf import config_json
from earsr_tf import flags as flags_lib
from earsr_tf import presets
from earsr_tf import train
from earsr_tf.training import interruption
from tests import fakes
from tests import testing
from tests import train_command

main, error, SMALL = (
    train_command.main, train_command.error, train_command.SMALL)
_NEEDS = {
    'invert': 'generator', 'finetune': 'invert', 'low_res': 'finetune',
    'audio': 'finetune', 'fusion': 'audio'}


@pytest.fixture(name='data_dir', scope='module')
def _data_dir(tmp_path_factory: pytest.TempPathFactory) -> str:
  folder = tmp_path_factory.mktemp('train') / 'data'
  fakes.write_data(folder)
  return str(folder)


@pytest.mark.parametrize('preset', config_lib.PRESETS)
@pytest.mark.parametrize('stage', config_lib.STAGES)
def test_dry_run_prints_the_configuration(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    stage: str, preset: str) -> None:
  monkeypatch.setattr(train, 'cost', lambda config, name, steps: [name, steps])
  assert main(f'--stage={stage}', f'--preset={preset}', '--dry_run',
               '--data_dir=/nowhere', '--run_root=/nowhere') == 0
  printed = json.loads(capsys.readouterr().out)
  assert printed.pop('stage') == stage
  assert printed.pop('cost') == [stage, 3]
  assert config_json.from_json(printed) == presets.get(preset)


@pytest.mark.parametrize('preset, stage', [
    ('demo', 'generator'), ('tiny', 'fusion'), *(
        pytest.param(preset, stage, marks=pytest.mark.slow)
        for preset in config_lib.PRESETS for stage in config_lib.STAGES)])
def test_dry_run_says_what_a_step_costs(
    capsys: pytest.CaptureFixture[str], stage: str, preset: str) -> None:
  assert main(f'--stage={stage}', f'--preset={preset}', '--dry_run',
               '--trial_steps=0', '--run_root=/nowhere') == 0
  cost = json.loads(capsys.readouterr().out)['cost']
  phases = getattr(presets.get(preset), stage).phases
  assert cost['batch_size'] in {phase.batch_size for phase in phases}
  assert 0 < cost['trained_parameters'] <= sum(cost['parameters'].values())
  for values in (cost['memory_gb'], cost['gflop_per_step']):
    total = values.pop('total')
    assert total == pytest.approx(sum(values.values()), abs=0.01) and total > 0


def test_dry_run_shows_settings(capsys: pytest.CaptureFixture[str]) -> None:
  assert main('--stage=invert', '--dry_run', '--seed=4', '--trial_steps=0',
               '--set=invert.phases.0.images=12') == 0
  printed = json.loads(capsys.readouterr().out)
  assert printed['seed'] == 4
  assert printed['invert']['phases'][0]['images'] == 12


def test_flags_set_micro_batch_and_precision_over_settings(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
  monkeypatch.setattr(train, 'cost', lambda config, name, steps: None)
  settings = ('--stage=invert', '--dry_run', '--set=training.micro_batch=8',
              '--set=training.precision=mixed_bfloat16')
  for more, wanted in (
      ((), (8, 'mixed_bfloat16')),
      (('--micro_batch=0', '--precision=float32'), (0, 'float32'))):
    assert main(*settings, *more) == 0
    training = json.loads(capsys.readouterr().out)['training']
    assert (training['micro_batch'], training['precision']) == wanted


@pytest.mark.parametrize('setting, words', [
    ('micro_batch=-1', 'training.micro_batch=-1: use 0 or more'),
    ('precision=float16', "use 'float32' or 'mixed_bfloat16'")])
def test_wrong_micro_batches_and_precisions_are_one_line(
    capsys: pytest.CaptureFixture[str], setting: str, words: str) -> None:
  assert main('--stage=invert', '--dry_run', f'--set=training.{setting}') == 1
  assert words in error(capsys)


def test_micro_batches_that_cut_a_group_are_one_line(
    capsys: pytest.CaptureFixture[str], data_dir: str, tmp_path: pathlib.Path
    ) -> None:
  assert main('--stage=generator', *SMALL, f'--data_dir={data_dir}',
              f'--run_root={tmp_path}', '--micro_batch=1') == 1
  message = error(capsys)
  assert '--micro_batch=1' in message and 'group of 2' in message
  assert not (tmp_path / 'generator').exists()


@pytest.mark.slow
def test_micro_batches_in_mixed_precision_train_a_growing_generator(
    data_dir: str, tmp_path: pathlib.Path) -> None:
  assert main('--stage=generator', *SMALL, f'--data_dir={data_dir}',
              f'--run_root={tmp_path}', '--micro_batch=2',
              '--precision=mixed_bfloat16') == 0
  folder = tmp_path / 'generator'
  assert (folder / 'finished.json').exists()
  stored = json.loads((folder / 'config.json').read_text('utf-8'))['config']
  assert stored['training']['micro_batch'] == 2
  assert stored['training']['precision'] == 'mixed_bfloat16'
  rows = [json.loads(line) for line in
          (folder / 'metrics.jsonl').read_text('utf-8').splitlines()]
  assert len(rows) == 8 and rows[-1]['skipped'] == 0


def test_a_wrong_setting_is_one_line(
    capsys: pytest.CaptureFixture[str]) -> None:
  assert main('--stage=invert', '--dry_run', '--set=sed=1') == 1
  assert 'did you mean seed?' in error(capsys)


@pytest.mark.parametrize('text', ['5', '7:3', 'a:b', '1:', '-1:2', '1:2:3'])
def test_steps_to_profile_are_two_numbers(
    capsys: pytest.CaptureFixture[str], text: str) -> None:
  assert main('--stage=invert', f'--profile_steps={text}', '--dry_run') == 1
  assert error(capsys) == (
      f'error: --profile_steps={text}: write the first and the last step as '
      'FIRST:LAST, such as 20:29')


def test_a_range_of_steps_is_read() -> None:
  assert flags_lib.profile_range('20:29') == (20, 29)
  assert flags_lib.profile_range('0:0') == (0, 0)
  assert flags_lib.profile_range(None) is None


@pytest.mark.parametrize('stage', config_lib.STAGES)
def test_missing_data_name_the_command_to_type(
    capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path, stage: str
    ) -> None:
  data = tmp_path / 'none'
  assert main(f'--stage={stage}', f'--data_dir={data}',
               f'--run_root={tmp_path / "runs"}') == 66
  message = error(capsys)
  assert str(data) in message
  assert 'python -m tools.make_synthetic' in message
  assert not (tmp_path / 'runs').exists()


def test_an_unknown_dataset_names_the_known_ones(
    capsys: pytest.CaptureFixture[str], data_dir: str) -> None:
  assert main('--stage=invert', '--dataset=celeba',
               f'--data_dir={data_dir}') == 1
  message = error(capsys)
  assert 'celeba' in message and 'voxceleb2' in message


def test_data_of_another_dataset_are_refused(
    capsys: pytest.CaptureFixture[str], data_dir: str) -> None:
  assert main('--stage=invert', '--dataset=pairs',
               f'--data_dir={data_dir}') == 1
  message = error(capsys)
  assert '--dataset=synthetic' in message and data_dir in message


def test_a_damaged_manifest_is_bad_data(
    capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path) -> None:
  (tmp_path / 'manifest.json').write_text('{"format": 1')
  assert main('--stage=invert', f'--data_dir={tmp_path}') == 65
  assert 'manifest.json' in error(capsys)


def test_a_truncated_shard_is_bad_data(
    capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path) -> None:
  data = tmp_path / 'data'
  fakes.write_data(data)
  shard = next(data.glob('d_pre*'))
  shard.write_bytes(shard.read_bytes()[:-5])
  assert main('--stage=invert', f'--data_dir={data}') == 65
  assert shard.name in error(capsys)


@pytest.mark.parametrize('stage', sorted(_NEEDS))
def test_a_missing_prerequisite_names_the_command(
    capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path, data_dir: str,
    stage: str) -> None:
  root = tmp_path / 'runs'
  assert main(f'--stage={stage}', *SMALL, f'--data_dir={data_dir}',
               f'--run_root={root}') == 66
  message = error(capsys)
  assert f'stage {_NEEDS[stage]} has not been trained' in message
  assert (f'python -m earsr_tf.train --stage={_NEEDS[stage]} --preset=tiny '
          f'--run_root={root}') in message
  assert not root.exists()


def test_too_many_replicas_are_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path, data_dir: str
    ) -> None:
  assert main('--stage=attributes', *SMALL, f'--data_dir={data_dir}',
               f'--run_root={tmp_path}', '--replicas=3') == 1
  assert '--replicas=3' in error(capsys)


def test_too_few_classes_for_the_speakers_are_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path, data_dir: str
    ) -> None:
  assert main('--stage=attributes', *SMALL, f'--data_dir={data_dir}',
               f'--run_root={tmp_path}', '--set=attributes.num_speakers=3'
               ) == 1
  assert 'the data hold 5 speakers' in error(capsys)


def test_vgg16_weights_that_are_not_there_are_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path, data_dir: str
    ) -> None:
  arguments = (
      '--stage=invert', *SMALL, f'--data_dir={data_dir}',
      f'--run_root={tmp_path}', '--set=invert.features=vgg16',
      '--set=invert.vgg16_weights=/nowhere/vgg.h5')
  config = flags_lib.apply_settings(
      presets.get('tiny'), [a.removeprefix('--set=') for a in SMALL[1:]])
  fakes.save_inputs(str(tmp_path), 'invert', config)
  assert main(*arguments) != 0
  message = error(capsys)
  assert '/nowhere/vgg.h5' in message and '--set=invert.vgg16_weights' in (
      message)


def _finish(run_root: pathlib.Path, stage: str) -> None:
  """Makes a stage look finished: enough for the checks before training."""
  folder = run_root / stage
  (folder / 'checkpoints').mkdir(parents=True)
  (folder / 'checkpoints' / 'ckpt-1.index').touch()
  fakes.parse_flags('--stage=invert', *SMALL)
  (folder / 'config.json').write_text(json.dumps({
      'config': config_json.to_json(flags_lib.resolve_config())}))
  (folder / 'finished.json').write_text(json.dumps({'checkpoint': 'ckpt-1'}))


def test_restart_throws_nothing_away_when_it_cannot_begin(
    tmp_path: pathlib.Path, data_dir: str,
    capsys: pytest.CaptureFixture[str]) -> None:
  folder = tmp_path / 'invert'
  folder.mkdir()
  (folder / 'config.json').write_text('{}')
  assert main('--stage=invert', *SMALL, f'--data_dir={data_dir}',
               f'--run_root={tmp_path}', '--restart') == 66
  assert 'stage generator' in error(capsys)
  assert (folder / 'config.json').exists()


def test_a_signal_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
  def stopped() -> None:
    raise interruption.Interrupted('stage invert: stopped by SIGTERM')
  assert cli.guard(stopped) == 42
  assert capsys.readouterr().err == (
      'stopped: stage invert: stopped by SIGTERM\n')


def test_importing_the_command_does_not_load_tensorflow() -> None:
  code = ('import sys, earsr_tf.train, earsr_tf.flags; '
          'sys.exit("tensorflow" in sys.modules)')
  assert subprocess.run(
      [sys.executable, '-c', code], cwd=testing.ROOT, check=False
      ).returncode == 0


def test_the_module_runs_as_a_command(tmp_path: pathlib.Path) -> None:
  done = testing.run_module(
      'earsr_tf.train', '--stage=audio', '--dry_run', '--preset=tiny')
  assert done.returncode == 0
  cost = json.loads(done.stdout)['cost']
  assert cost['predicted']['seconds_per_step'] > 0.0
  done = testing.run_module('earsr_tf.train', '--stage=audio',
                            f'--data_dir={tmp_path}')
  assert done.returncode == 66
  assert done.stderr.startswith('error: ') and done.stderr.count('\n') == 1


@pytest.mark.parametrize('arguments', [
    (), ('--stage=invrt',), ('--stage=invert', 'stray')])
def test_wrong_usage_is_not_a_traceback(arguments: tuple[str, ...]) -> None:
  done = testing.run_module('earsr_tf.train', *arguments)
  assert done.returncode == 1
  assert 'Traceback' not in done.stderr
  assert (arguments[-1].split('=')[-1] if arguments else 'stage') in (
      done.stderr)
