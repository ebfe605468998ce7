"""Targets kept or computed in the loop: the same losses; none that is stale."""

from __future__ import annotations

import collections
import dataclasses
import json
import pathlib
import threading
import time

from absl import logging
import numpy as np
import pytest
import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf import train
from earsr_tf.config import PhaseConfig
from earsr_tf.data import batching
from earsr_tf.data import keys
from earsr_tf.data import manifest as manifest_lib
from earsr_tf.data import target_files as targets_lib
from earsr_tf.training import checkpoints
from earsr_tf.training import target_cache
from tests import fakes

_STAGES = ('low_res', 'audio', 'fusion')
# What a step needs when E_h's codes are read.
_NEEDED = {
    'low_res': {'low_res_encoder', 'generator'}, 'audio': {'audio_encoder'},
    'fusion': {'fusion', 'low_res_encoder', 'audio_encoder', 'generator'}}


def _config(*, cached: bool = True, code_norm: str = 'unit'
            ) -> config_lib.Config:
  base = fakes.small_config()
  return dataclasses.replace(
      base,
      model=dataclasses.replace(base.model, code_norm=code_norm),
      audio=config_lib.AudioConfig(phases=(PhaseConfig(8, 4),
                                           PhaseConfig(8, 4))),
      training=dataclasses.replace(
          base.training, save_every=4, keep=9, cached_targets=cached))


@pytest.fixture(name='data_dir', scope='module')
def _data_dir(tmp_path_factory: pytest.TempPathFactory) -> str:
  folder = tmp_path_factory.mktemp('data') / 'data'
  fakes.write_data(folder, clips=6)
  return str(folder)


@pytest.fixture(name='run_root')
def _run_root(tmp_path: pathlib.Path) -> str:
  fakes.save_inputs(str(tmp_path / 'runs'), 'fusion', _config())
  return str(tmp_path / 'runs')


def _ensure(name: str, run_root: str, data_dir: str,
            config: config_lib.Config | None = None
            ) -> tuple[targets_lib.Targets, ...]:
  config = config or _config()
  return target_cache.ensure(
      fakes.stage(name, config), config, run_root=run_root, data=data_dir)


def _batches(stage, data_dir: str, found, memory_bytes: int):
  return list(batching.make_dataset(
      data_dir, splits=stage.splits, inputs=stage.inputs, targets=found,
      batch_size=4, seed=5, memory_bytes=memory_bytes).take(3))


@pytest.mark.parametrize('code_norm', [
    'unit', pytest.param('none', marks=pytest.mark.slow)])
def test_losses_are_those_of_computing_in_the_loop(
    run_root: str, data_dir: str, code_norm: str) -> None:
  kept, plain = [_config(cached=cached, code_norm=code_norm)
                 for cached in (True, False)]
  fusion = fakes.stage('fusion', plain)
  networks = dict(fusion.build())
  checkpoints.restore_networks(networks, fusion.restores, run_root)
  for name in _STAGES:
    one, two = fakes.stage(name, plain), fakes.stage(name, kept)
    found = _ensure(name, run_root, data_dir, kept)
    assert _ensure(name, run_root, data_dir, plain) == ()
    few = {k: networks[k] for k in _NEEDED[name]}
    assert (keys.IMAGE_HIGH in two.inputs) == (name != 'audio')
    for memory_bytes in (0, 1 << 30):
      for a, b in zip(_batches(one, data_dir, (), memory_bytes),
                      _batches(two, data_dir, found, memory_bytes),
                      strict=True):
        computed = one.updates[0].terms(networks, a, fakes.clock())
        read = two.updates[0].terms(few, b, fakes.clock())
        assert set(computed) == set(read)
        for term, value in computed.items():
          assert np.all(value.numpy() > 1e-3)
          np.testing.assert_allclose(read[term], value, atol=1e-4, rtol=1e-4)


class _Made:
  """Counts the files that are computed."""

  def __init__(self, patch: pytest.MonkeyPatch) -> None:
    self.names: list[str] = []
    write = targets_lib.write_file

    def spy(path, records):
      time.sleep(0.05)  # room for a second writer, if there were one
      write(path, records)
      self.names.append(path.name.partition('-')[0])

    patch.setattr(targets_lib, 'write_file', spy)

  def take(self) -> list[str]:
    """The splits computed since the last call."""
    names, self.names = self.names, []
    return names


@pytest.fixture(name='computed')
def _computed(monkeypatch: pytest.MonkeyPatch) -> _Made:
  return _Made(monkeypatch)


@pytest.fixture(name='said')
def _said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
  lines: list[str] = []
  monkeypatch.setattr(
      logging, 'info', lambda text, *args: lines.append(text % args))
  return lines


def test_computed_once_and_shared_by_the_stages(
    run_root: str, data_dir: str, computed: _Made, said: list[str]) -> None:
  _ensure('low_res', run_root, data_dir)
  assert computed.take() == ['d_pre']
  assert any('code of d_pre: 6 clips' in line for line in said)
  _ensure('audio', run_root, data_dir)
  assert computed.take() == ['d_pre']  # z_bar alone: z is there
  one = _ensure('fusion', run_root, data_dir)
  assert computed.take() == ['d_rest']  # d_pre is there
  said.clear()
  assert _ensure('fusion', run_root, data_dir) == one
  assert not computed.take() and not said
  assert {p.split('/')[-2][2] for p in one[0].files.values()} == {'p', 'r'}


def _content(found: tuple[targets_lib.Targets, ...]) -> np.ndarray:
  """All codes, [frames, L, d]."""
  return np.concatenate([
      targets_lib.decode(record, found[0].shape)
      for path in found[0].files.values()
      for record in tf.data.TFRecordDataset(path)])


_CHANGES = {'checkpoint': 'finetune/image_encoder', 'data': 'data',
            'model': 'model.code_norm'}


@pytest.mark.parametrize('change', list(_CHANGES))
def test_stale_targets_are_made_again(
    run_root: str, data_dir: str, tmp_path: pathlib.Path, computed: _Made,
    said: list[str], change: str) -> None:
  old = _content(_ensure('low_res', run_root, data_dir))
  assert old.shape == (12, 6, 8) and np.all(np.isfinite(old))
  config = _config(code_norm='none') if change == 'model' else _config()
  if change == 'checkpoint':
    checkpoints.save_networks(
        run_root, 'finetune', fakes.stage('low_res').build(), config)
  if change == 'data':
    data_dir = str(tmp_path / 'other')
    fakes.write_data(pathlib.Path(data_dir), clips=7)
  said.clear()
  computed.take()
  found = _ensure('low_res', run_root, data_dir, config)
  assert computed.take() == ['d_pre']
  assert f'stale, made from another {_CHANGES[change]};' in said[0]
  new = _content(found)
  assert new.shape[0] == (14 if change == 'data' else 12)
  difference = np.abs(new[:12] - old).max()
  # The other data are the same clips and one more.
  assert difference < 1e-5 if change == 'data' else difference > 1e-2
  folder = pathlib.Path(run_root) / 'targets' / 'code' / 'd_pre'
  assert len(list(folder.iterdir())) == 2  # one file and its manifest
  # The first ones again, to the bit, when all is as it was.
  if change == 'model':
    np.testing.assert_array_equal(
        _content(_ensure('low_res', run_root, data_dir)), old)


def test_a_killed_run_goes_on_with_whole_files(
    run_root: str, data_dir: str, monkeypatch: pytest.MonkeyPatch) -> None:
  encoded = collections.Counter()
  frames = batching.frames

  def dying(manifest, shard, batch_size, given):
    encoded[shard.file.partition('-')[0]] += 1
    if len(encoded) == 2:
      raise KeyboardInterrupt
    return frames(manifest, shard, batch_size, given)

  monkeypatch.setattr(batching, 'frames', dying)
  with pytest.raises(KeyboardInterrupt):
    _ensure('fusion', run_root, data_dir)
  assert not list(pathlib.Path(run_root, 'targets/code/d_rest').iterdir())
  monkeypatch.setattr(batching, 'frames', frames)
  found = _ensure('fusion', run_root, data_dir)
  assert encoded == {'d_pre': 1, 'd_rest': 1}
  # Damaged later on: noticed by its size, and mended.
  path = pathlib.Path(next(iter(found[0].files.values())))
  whole = path.read_bytes()
  path.write_bytes(whole[:-3])
  _ensure('fusion', run_root, data_dir)
  assert path.read_bytes() == whole


def test_two_at_once_compute_once(
    run_root: str, data_dir: str, computed: _Made, said: list[str]) -> None:
  found: list[object] = []
  threads = [threading.Thread(
      target=lambda: found.append(_ensure('fusion', run_root, data_dir)))
             for _ in range(3)]
  for thread in threads:
    thread.start()
  for thread in threads:
    thread.join()
  assert len(found) == 3 and found[0] == found[1] == found[2]
  assert sorted(computed.take()) == ['d_pre', 'd_rest']
  assert any('another process is at work' in line for line in said)


def test_what_cannot_be_made_is_one_sentence(
    run_root: str, data_dir: str, tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch) -> None:
  usage = collections.namedtuple('usage', 'total used free')
  with monkeypatch.context() as patch:
    patch.setattr(
        target_cache.shutil, 'disk_usage', lambda _: usage(9999, 9989, 10))
    with pytest.raises(targets_lib.TargetsError) as error:
      _ensure('low_res', run_root, data_dir)
  needed = 6 * 2 * 6 * 8 * 4  # clips, frames, L, d, bytes
  assert f'needs {needed} bytes, 10 are free' in str(error.value)
  assert 'training.cached_targets=false' in str(error.value)
  assert error.value.exit_code == 73
  (tmp_path / 'runs' / 'targets' / 'code_mirrored').touch()  # no folder
  with pytest.raises(targets_lib.TargetsError, match='cannot be written'):
    _ensure('audio', run_root, data_dir)


def test_damaged_data_are_named(
    run_root: str, tmp_path: pathlib.Path) -> None:
  data = tmp_path / 'data'
  fakes.write_data(data)
  shard = next(data.glob('d_pre*'))
  content = bytearray(shard.read_bytes())
  content[len(content) // 2] ^= 255
  shard.write_bytes(bytes(content))
  with pytest.raises(manifest_lib.DataError, match=f'{shard.name}: damaged'):
    _ensure('low_res', run_root, str(data))


def _train(run_root: pathlib.Path, data_dir: str, config: config_lib.Config
           ) -> tuple[dict[str, np.ndarray], list[float]]:
  """Trains `audio`; returns its last checkpoint and the losses."""
  train.run(config, 'audio', data_dir=data_dir, run_root=str(run_root))
  folder = run_root / 'audio'
  done = json.loads((folder / 'finished.json').read_text())
  reader = tf.train.load_checkpoint(
      str(folder / 'checkpoints' / done['checkpoint']))
  tensors = {n: reader.get_tensor(n)
             for n in reader.get_variable_to_shape_map()
             if not n.startswith(('_CHECKPOINTABLE', 'save_counter'))}
  lines = (folder / 'metrics.jsonl').read_text().splitlines()
  return tensors, [json.loads(line)['loss/audio/code_l1'] for line in lines]


def test_resume_is_exact_and_keeps_to_the_mode(
    data_dir: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
  for name in ('straight', 'resumed', 'plain'):
    fakes.save_inputs(str(tmp_path / name), 'audio', _config())
  straight, losses = _train(tmp_path / 'straight', data_dir, _config())
  with monkeypatch.context() as patch:
    batches = batching.TrainingData.batches
    patch.setattr(batching.TrainingData, 'batches',
                  lambda self, **options: batches(self, **options).take(1))
    with pytest.raises(StopIteration):
      _train(tmp_path / 'resumed', data_dir, _config())
  with pytest.raises(checkpoints.CheckpointError,
                     match='training.cached_targets: True -> False'):
    _train(tmp_path / 'resumed', data_dir, _config(cached=False))
  resumed, again = _train(tmp_path / 'resumed', data_dir, _config())
  assert len(losses) == 4 and again == losses
  assert set(resumed) == set(straight) and len(straight) > 30
  for name, value in straight.items():
    np.testing.assert_array_equal(resumed[name], value, name)
  _, computed = _train(tmp_path / 'plain', data_dir, _config(cached=False))
  assert not (tmp_path / 'plain' / 'targets').exists()
  np.testing.assert_allclose(losses, computed, atol=1e-4)
