"""Tests of earsr_tf.train: faces without voices, and several folders."""

from __future__ import annotations

import json
import pathlib

import pytest

from tests import fakes
from tests import train_command


@pytest.mark.parametrize('stage', ['audio', 'fusion'])
def test_stages_that_hear_ask_for_voices(
    capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path, stage: str
) -> None:
  data = tmp_path / 'data'
  fakes.write_data(data)
  manifest = json.loads((data / 'manifest.json').read_text())
  (data / 'manifest.json').write_text(
      json.dumps({**manifest, 'has_voices': False}))
  assert train_command.main(
      f'--stage={stage}', *train_command.SMALL, f'--data_dir={data}',
      f'--run_root={tmp_path / "runs"}') == 65
  message = train_command.error(capsys)
  assert f'stage {stage} needs voices' in message
  assert '--dataset=pairs' in message and not (tmp_path / 'runs').exists()


def test_several_folders_are_one_and_stay_what_they_are(
    capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path) -> None:
  fakes.write_data(tmp_path / 'a')
  fakes.write_data(tmp_path / 'b', clips=5, dataset='pairs')
  mixed = f'{tmp_path}/a:3,{tmp_path}/b:1;invert={tmp_path}/b'
  run = ('--stage=attributes', *train_command.SMALL,
         f'--run_root={tmp_path / "runs"}')
  assert train_command.main(*run, f'--data_dir={mixed}') == 0
  stored = json.loads(
      (tmp_path / 'runs' / 'attributes' / 'config.json').read_text())
  assert len(set(stored['manifests'])) == 2
  assert stored['manifest_sha256'] not in stored['manifests']
  capsys.readouterr()
  assert train_command.main(*run, f'--data_dir={mixed.replace("3", "2")}') == 66
  assert 'manifest of the data: ' in train_command.error(capsys)
