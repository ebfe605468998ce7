"""Unfit checkpoints are refused by name; memory is used stage by stage."""

from __future__ import annotations

import dataclasses
import gc
import pathlib
import re
from typing import Any
import weakref

import numpy as np
import pytest

from earsr_tf import config as config_lib
from earsr_tf.training import checkpoints
from tests import official_fakes
from tests import testing
from tools.official import run_folder
from tools.official import weights as weights_lib

CONFIG = official_fakes.small_config()
TENSORS = official_fakes.fill(official_fakes.shapes(CONFIG.model), seed=1)


@pytest.fixture(name='prefix', scope='module')
def fixture_prefix(tmp_path_factory: pytest.TempPathFactory) -> str:
  """A checkpoint with three generators."""
  return official_fakes.write(
      str(tmp_path_factory.mktemp('official') / 'model-0'), TENSORS)


def _without(name: str) -> dict[str, Any]:
  return {key: value for key, value in TENSORS.items() if key != name}


_LAST = 'AUDIO_VISUAL_FUSER//fully_connected_2/biases'
_BAD = {
    'missing': (_without(_LAST), 'lacks 1 of 6 tensors of fusion/fusion: '
                f'{_LAST.replace("//", "/")};'),
    'unfit': ({**TENSORS, _LAST: np.zeros(5, np.float32)},
              r'fully_connected_2/biases is \[5\] and not \[96\]'),
    'unknown': ({**TENSORS, 'LOW_RES_ENCODER//Conv_9/weights': np.zeros(2)},
                'no place for: LOW_RES_ENCODER/Conv_9/weights'),
    'half a copy': ({**TENSORS, 'G_synthesis_3/4x4/Const/const':
                     TENSORS['G_synthesis/4x4/Const/const']},
                    'of finetune/generator: G_synthesis_3/4x4/Const/Noise|'
                    'of finetune/generator: G_synthesis_3/4x4/Const/bias'),
    'no generator': ({'Conv/weights': np.zeros(2)}, 'holds no generator'),
    'not a number': ({**TENSORS, _LAST: np.full(96, np.nan, np.float32)},
                     'fully_connected_2/biases holds values that are not fin'),
    'whole numbers': ({**TENSORS, _LAST: np.zeros(96, np.int32)},
                      'is of type int32'),
    'twice': ({**TENSORS, _LAST.replace('//', '/'): np.zeros(96)},
              'differ in slashes only')}


@pytest.mark.parametrize('kind', _BAD)
def test_unfit_checkpoints_are_refused_by_name(
    kind: str, tmp_path: pathlib.Path) -> None:
  tensors, message = _BAD[kind]
  prefix = official_fakes.write(str(tmp_path / 'in' / 'model-0'), tensors)
  with pytest.raises(weights_lib.WeightsError, match=message) as error:
    run_folder.write(prefix, str(tmp_path / 'runs'), config=CONFIG)
  assert '\n' not in str(error.value)
  assert [path.name for path in tmp_path.iterdir()] == ['in']


def test_damaged_and_absent_files_are_refused(tmp_path: pathlib.Path) -> None:
  prefix = official_fakes.write(str(tmp_path / 'in' / 'model-0'), TENSORS)
  data = tmp_path / 'in' / 'model-0.data-00000-of-00001'
  data.write_bytes(data.read_bytes()[:20000])
  for path, message in (
      (prefix, 'cannot be read'), (prefix + '-no', 'there is no')):
    with pytest.raises(weights_lib.WeightsError, match=message):
      run_folder.write(path, str(tmp_path / 'runs'), config=CONFIG)
  (tmp_path / 'in' / 'model-0.index').write_bytes(b'no table')
  with pytest.raises(weights_lib.WeightsError, match='no readable checkpoint'):
    run_folder.write(prefix, str(tmp_path / 'runs'), config=CONFIG)
  assert [path.name for path in tmp_path.iterdir()] == ['in']


def test_a_folder_in_use_is_left_alone(
    prefix: str, tmp_path: pathlib.Path) -> None:
  (tmp_path / 'generator').mkdir()
  with pytest.raises(weights_lib.WeightsError, match='not an empty folder'):
    run_folder.write(prefix, str(tmp_path), config=CONFIG)
  assert [path.name for path in tmp_path.iterdir()] == ['generator']


def test_other_sizes_than_the_papers_are_refused(
    prefix: str, tmp_path: pathlib.Path) -> None:
  done = testing.run_module(
      'tools.import_official', f'--checkpoint={prefix}',
      f'--run_root={tmp_path / "runs"}')
  assert (done.returncode, done.stdout) == (65, '')
  [line] = done.stderr.splitlines()
  assert 'does not fit finetune/generator' in line
  assert not (tmp_path / 'runs').exists()


def test_one_stage_is_in_memory_at_a_time(
    prefix: str, tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch) -> None:
  alive, largest = [], []
  save = checkpoints.save_networks

  def watch(run_root: str, stage: str, networks: dict[str, Any],
            config: config_lib.Config) -> None:
    gc.collect()
    assert not any(network() for network in alive)
    alive[:] = [weakref.ref(network) for network in networks.values()]
    largest.append(sorted(networks))
    save(run_root, stage, networks, config)

  monkeypatch.setattr(checkpoints, 'save_networks', watch)
  run_folder.write(prefix, str(tmp_path / 'runs'), config=CONFIG)
  assert largest == [
      ['generator'], ['low_res_encoder'], ['audio_encoder', 'fusion']]


def test_peak_memory_is_a_small_multiple_of_the_largest_stage(
    tmp_path: pathlib.Path) -> None:
  wide = official_fakes.small_config()
  model = dataclasses.replace(wide.model, audio_hidden=80_000)  # 60 MB
  wide = dataclasses.replace(wide, model=model)
  tensors = official_fakes.fill(official_fakes.shapes(model), seed=2)
  prefix = official_fakes.write(str(tmp_path / 'model-0'), tensors)
  weight = sum(value.nbytes for name, value in tensors.items()
               if name.startswith('AUDIO'))
  del tensors
  gc.collect()
  pathlib.Path('/proc/self/clear_refs').write_text('5')  # reset the peak
  before = _status('VmRSS')
  run_folder.write(prefix, str(tmp_path / 'runs'), config=wide)
  assert weight > 55e6
  assert _status('VmHWM') - before < 4.0 * weight


def _status(field: str) -> int:
  """A memory figure of this process, in bytes."""
  text = pathlib.Path('/proc/self/status').read_text(encoding='utf-8')
  return 1024 * int(re.search(rf'{field}:\s*(\d+) kB', text).group(1))
