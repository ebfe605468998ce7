"""Tests of earsr_tf.train: stages that hear refuse faces without voices."""

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
