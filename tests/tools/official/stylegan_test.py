"""NVIDIA's StyleGAN of 256x256 becomes a stage `generator` of 128x128."""

from __future__ import annotations

import builtins
import dataclasses
import json
import os
import pathlib
from typing import Any, Callable

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf import presets
from earsr_tf import train
from earsr_tf.stages import networks as networks_lib
from earsr_tf.training import checkpoints
from tests import official_fakes
from tests import official_reference as reference
from tests import run_folder
from tests import stylegan_pickles
from tests import testing
from tools.official import stylegan
from tools.official import weights as weights_lib

CONFIG = official_fakes.small_config()
LARGE = dataclasses.replace(CONFIG.model, image_size=256)


@pytest.fixture(name='networks')
def fixture_networks(
    monkeypatch: pytest.MonkeyPatch) -> tuple[stylegan_pickles.Network, ...]:
  """G, D and Gs of 256x256."""
  stylegan_pickles.install(monkeypatch)
  return (stylegan_pickles.generator(LARGE, 1),
          stylegan_pickles.discriminator(LARGE),
          stylegan_pickles.generator(LARGE, 3))


def _write(tmp_path: pathlib.Path, content: Any) -> dict[str, Any]:
  path = tmp_path / 'stylegan.pkl'
  path.write_bytes(content if isinstance(content, bytes)
                   else stylegan_pickles.dump(content))
  return stylegan.write(str(path), str(tmp_path / 'runs'), CONFIG)


def _as_of_128(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
  """Colour layers by the names of a network that ends at 128x128."""
  return {name.replace('_lod1/', '_lod0/'): value
          for name, value in tensors.items() if '_lod0/' not in name}


def test_pictures_and_scores_equal_a_plain_forward_pass(
    networks: tuple[stylegan_pickles.Network, ...], tmp_path: pathlib.Path
) -> None:
  record = _write(tmp_path, networks)
  built = {'g': networks_lib.generator(CONFIG.model),
           'gs': networks_lib.generator(CONFIG.model),
           'd': networks_lib.discriminator(CONFIG.model)}
  checkpoints.restore_networks(
      built, {'g': 'generator/generator', 'gs': 'generator/generator_ema',
              'd': 'generator/discriminator'}, str(tmp_path / 'runs'))
  z_plus = np.random.default_rng(0).normal(size=(2, 12, 8))
  images = {}
  for name, network in (('g', networks[0]), ('gs', networks[2])):
    w_plus = reference.mapping(network.tensors('mapping'), '', z_plus)
    images[name] = reference.synthesis(
        _as_of_128(network.tensors('synthesis')), '', w_plus)
    np.testing.assert_allclose(
        built[name](tf.constant(z_plus, tf.float32)),
        images[name].transpose(0, 2, 3, 1), atol=1e-3)
  assert np.abs(images['g'] - images['gs']).mean() > 0.1
  np.testing.assert_array_equal(built['gs'].w_avg, np.full(8, 3.0))
  score = reference.discriminator(
      _as_of_128(networks[1].tensors()), images['gs'])
  assert np.abs(score[0] - score[1]) > 0.01
  np.testing.assert_allclose(
      built['d'](tf.constant(images['gs'].transpose(0, 2, 3, 1), tf.float32)),
      score, atol=1e-3)
  assert record['side'] == 256
  assert json.loads((tmp_path / 'runs' / 'generator' / 'imported.json')
                    .read_text()) == record


def test_what_is_left_out_is_what_lies_above(
    networks: tuple[stylegan_pickles.Network, ...], tmp_path: pathlib.Path
) -> None:
  left_out = _write(tmp_path, networks)['left_out']
  assert left_out['discriminator'] == [
      'FromRGB_lod0/weight', 'FromRGB_lod0/bias',
      *(f'256x256/{layer}/{leaf}' for layer in ('Conv0', 'Conv1_down')
        for leaf in ('weight', 'bias'))]
  assert left_out['generator'] == left_out['generator_ema']
  assert {name.split('/')[1] for name in left_out['generator']} == {
      '256x256', 'ToRGB_lod0'}
  assert len(left_out['generator']) == 12  # 2 x 5, and a ToRGB


def test_a_snapshot_of_128_is_taken_whole(
    networks: tuple[stylegan_pickles.Network, ...], tmp_path: pathlib.Path
) -> None:
  same = (stylegan_pickles.generator(CONFIG.model, 1),
          stylegan_pickles.discriminator(CONFIG.model),
          stylegan_pickles.generator(CONFIG.model, 3))
  record = _write(tmp_path, same)
  assert record['side'] == 128
  assert not any(record['left_out'].values())


def test_other_stages_stay_and_a_trained_generator_is_not_replaced(
    networks: tuple[stylegan_pickles.Network, ...], tmp_path: pathlib.Path
) -> None:
  (tmp_path / 'runs' / 'attributes').mkdir(parents=True)
  _write(tmp_path, networks)
  stages = sorted(path.name for path in (tmp_path / 'runs').iterdir())
  assert stages == ['attributes', 'generator']
  with pytest.raises(weights_lib.WeightsError, match='has a stage generator'):
    _write(tmp_path, networks)
  assert sorted(path.name for path in tmp_path.iterdir()) == [
      'runs', 'stylegan.pkl']


class _Call:
  """Pickles as a call."""

  def __init__(self, function: Any, *arguments: Any) -> None:
    self._call = (function, arguments)

  def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
    return self._call


def _changed(networks: Any, part: str, name: str, value: Any) -> Any:
  """The snapshot with another value of a tensor of Gs; None: without it."""
  owner = networks[2].state['components'][part]
  owner.state['variables'] = [
      (key, old if key != name else value)
      for key, old in owner.state['variables']
      if key != name or value is not None]
  return networks


def _hungry(networks: Any) -> bytes:
  """A length of 2^40 bytes where the first tensor's bytes begin."""
  data = stylegan_pickles.dump(networks)
  return data[:400] + b'\x8e' + (2 ** 40).to_bytes(8, 'little') + b'bytes'


_BAD: dict[str, tuple[Callable[[Any], Any], str]] = {
    'a layer is missing': (
        lambda n: _changed(n, 'synthesis', '64x64/Conv1/weight', None),
        'lacks 1 of .*synthesis/64x64/Conv1/weight'),
    'the colours are missing': (
        lambda n: _changed(n, 'synthesis', 'ToRGB_lod1/bias', None),
        'lacks 1 of .*synthesis/ToRGB_lod1/bias'),
    'a wrong shape': (
        lambda n: _changed(n, 'mapping', 'Dense3/weight',
                           np.zeros((4, 8), np.float32)),
        r'mapping/Dense3/weight is \[4, 8\] and not \[8, 8\]'),
    'a shape that the bytes do not have': (
        lambda n: stylegan_pickles.dump(n).replace(
            b'K\x08K\x08\x86', b'K\x7fK\x7f\x86', 1), 'is no StyleGAN snap'),
    'a layer more': (
        lambda n: _changed(n, 'mapping', 'Dense3/weight', None)[:2] + (
            stylegan_pickles.Network(
                'Gs', {**n[0].tensors(), '8x8/Conv7/weight': np.zeros(
                    2, np.float32)}, n[0].state['components']),),
        'no place for: 8x8/Conv7/weight'),
    'not finite': (
        lambda n: _changed(n, 'synthesis', 'ToRGB_lod1/bias',
                           np.full(3, np.inf, np.float32)),
        'synthesis/ToRGB_lod1/bias holds values that are not finite'),
    'no StyleGAN': (
        lambda n: (stylegan_pickles.Network(
            'G', {'w': np.zeros(2, np.float32)}, {}),) * 3,
        'no layers like 4x4/Conv'),
    'an array of another class': (
        lambda n: _changed(n, 'mapping', 'Dense0/bias', 'text'),
        'a variable is a str, not an array'),
    'a call': (lambda n: (*n[:2], _Call(os.system, 'exit 3')),
               'asks for posix.system'),
    'a call inside': (
        lambda n: _changed(n, 'mapping', 'Dense0/bias',
                           _Call(builtins.eval, '1 + 1')),
        'asks for builtins.eval'),
    'cut': (lambda n: stylegan_pickles.dump(n)[:-2000],
            'is no StyleGAN snapshot'),
    'hungry': (_hungry, 'is no StyleGAN snapshot'),
}


@pytest.mark.parametrize('kind', _BAD)
def test_unfit_and_hostile_files_are_refused_by_name(
    kind: str, networks: tuple[stylegan_pickles.Network, ...],
    tmp_path: pathlib.Path) -> None:
  make, message = _BAD[kind]
  with pytest.raises(weights_lib.WeightsError, match=message) as error:
    _write(tmp_path, make(networks))
  assert str(error.value).startswith('--pickle=')
  assert '\n' not in str(error.value)
  assert [path.name for path in tmp_path.iterdir()] == ['stylegan.pkl']


def test_a_smaller_network_and_another_kind_of_ours_are_refused(
    networks: tuple[stylegan_pickles.Network, ...], tmp_path: pathlib.Path
) -> None:
  small = dataclasses.replace(CONFIG.model, image_size=64)
  with pytest.raises(weights_lib.WeightsError, match='lacks .*128x128'):
    _write(tmp_path, (stylegan_pickles.generator(small, 1),
                      stylegan_pickles.discriminator(small),
                      stylegan_pickles.generator(small, 2)))
  with pytest.raises(weights_lib.WeightsError, match='linear_base'):
    stylegan.write('x.pkl', str(tmp_path / 'runs'), presets.get('demo'))


def test_invert_starts_from_it(
    networks: tuple[stylegan_pickles.Network, ...], tmp_path: pathlib.Path
) -> None:
  _write(tmp_path, networks)
  phase = config_lib.PhaseConfig(2, 2)
  config = dataclasses.replace(
      CONFIG, model=dataclasses.replace(
          CONFIG.model, image_encoder_filters=2, image_encoder_max_filters=4),
      invert=dataclasses.replace(
          CONFIG.invert, phases=(phase,), features='discriminator'))
  with pytest.raises(checkpoints.CheckpointError, match='image_encoder_filt'):
    train.run(config, 'invert', data_dir=run_folder.write_data(
        tmp_path / 'data'), run_root=str(tmp_path / 'runs'))
  train.run(config, 'invert', data_dir=str(tmp_path / 'data'),
            run_root=str(tmp_path / 'runs'), allow_other_inputs=True)
  finished = json.loads(
      (tmp_path / 'runs' / 'invert' / 'finished.json').read_text())
  assert finished['images'] == 2


def test_the_command_says_what_it_wants_in_one_line(
    tmp_path: pathlib.Path) -> None:
  done = testing.run_module(
      'tools.import_stylegan', f'--pickle={tmp_path / "none.pkl"}',
      f'--run_root={tmp_path / "runs"}')
  assert (done.returncode, done.stdout) == (66, '')
  [line] = done.stderr.splitlines()
  assert 'none.pkl: no such file; name a snapshot of the first StyleG' in line
