"""A run that was interrupted ends as the one that was not, bit by bit."""

from __future__ import annotations

import dataclasses
import json
import pathlib

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf.config import PhaseConfig
from earsr_tf.training import checkpoints
from earsr_tf.training import loop
from tests import fakes

_GROWING = (PhaseConfig(8, 4, 8, 0, 1e-2), PhaseConfig(12, 4, 16, 12, 1e-2))
_FADING = (PhaseConfig(20, 4, 8, 20, 1e-2),)  # 4x4 to 8x8: quick to trace


def _config(phases: tuple[PhaseConfig, ...] = _FADING,
            linear_base: int = 0) -> config_lib.Config:
  """Five steps of each stage, a checkpoint after each step."""
  short = (PhaseConfig(20, 4),)
  base = (fakes.linear_config(linear_base) if linear_base
          else fakes.small_config())
  sections = {name: dataclasses.replace(getattr(base, name), phases=short)
              for name in ('invert', 'low_res', 'audio', 'fusion',
                           'attributes', *config_lib.COMPARATORS)}
  return dataclasses.replace(
      base, **sections,
      optimizer=dataclasses.replace(base.optimizer, decay='cosine'),
      generator=dataclasses.replace(
          base.generator, r1_interval=2, phases=phases),
      finetune=dataclasses.replace(
          base.finetune, phases=short, plateau_images=4),
      training=dataclasses.replace(
          base.training, save_every=4, keep=2))


def _train(name: str, config: config_lib.Config, run_root: pathlib.Path,
           stop: int | None = None, replicas: int = 1) -> None:
  """Trains to the end, or until the data end at `stop` images."""
  def make_dataset(batch_size: int, start: int) -> tf.data.Dataset:
    data = fakes.batches(batch_size, start)
    return data if stop is None else data.take((stop - start) // batch_size)

  loop.train(
      fakes.stage(name, config), config, run_root=str(run_root),
      replicas=replicas,
      make_dataset=make_dataset, preview_batch=fakes.batch(2), provenance={})


def _tensors(folder: pathlib.Path) -> dict[str, np.ndarray]:
  """Every tensor of the stage's last checkpoint."""
  done = json.loads((folder / 'finished.json').read_text())
  reader = tf.train.load_checkpoint(
      str(folder / 'checkpoints' / done['checkpoint']))
  return {name: reader.get_tensor(name)
          for name in reader.get_variable_to_shape_map()
          if not name.startswith(('_CHECKPOINTABLE', 'save_counter'))}


def _metrics(folder: pathlib.Path) -> list[dict[str, float]]:
  lines = (folder / 'metrics.jsonl').read_text().splitlines()
  return [{k: v for k, v in json.loads(line).items()
           if not k.startswith('timing/')} for line in lines]


# The generator stops while a resolution fades in; finetune after lambda_t was
# halved.
@pytest.mark.parametrize('name, phases, stop, replicas', [
    ('finetune', _GROWING, 12, 1), ('generator', _FADING, 12, 1),
    ('attributes', _GROWING, 8, 2),
    *(pytest.param(*values, marks=pytest.mark.slow) for values in (
        ('generator', _GROWING, 12, 1), ('generator', _GROWING, 8, 2),
        ('lapsrn', _GROWING, 12, 1), ('lapsrn', _GROWING, 8, 2),
        ('lapsrn_x4', _GROWING, 12, 1), ('wavelet_srnet', _GROWING, 12, 1),
        *((name, _GROWING, 12, replicas)
          for name in ('invert', 'finetune', 'low_res', 'audio', 'fusion')
          for replicas in (1, 2) if (name, replicas) != ('finetune', 1))))])
def test_resumed_equals_straight(
    tmp_path: pathlib.Path, name: str, phases: tuple[PhaseConfig, ...],
    stop: int, replicas: int) -> None:
  lines = _check(tmp_path, name, _config(phases), stop, replicas)
  if name == 'finetune':
    assert lines[-1]['weight/finetune/weight_distance'] < 1.0


@pytest.mark.parametrize('name', ['low_res', *(
    pytest.param(name, marks=pytest.mark.slow) for name in (
        'generator', 'invert', 'finetune', 'audio', 'fusion'))])
def test_what_a_start_fitted_goes_on_with_the_run(
    tmp_path: pathlib.Path, name: str) -> None:
  config = _config((PhaseConfig(20, 4, 16, 0, 1e-2),), linear_base=8)
  _check(tmp_path, name, config, 12, 1)
  fitted = {key: value for key, value in _tensors(
      tmp_path / 'resumed' / name).items()
            if any(part in key for part in (
                '/base/basis', '/linear/kernel', '/memory/faces'))}
  assert fitted and all(np.any(value) for value in fitted.values())


def _check(tmp_path: pathlib.Path, name: str, config: config_lib.Config,
           stop: int, replicas: int) -> list[dict[str, float]]:
  """Compares both runs; returns the lines of their records."""
  straight, resumed = tmp_path / 'straight', tmp_path / 'resumed'
  for root in (straight, resumed):
    fakes.save_inputs(str(root), name, config)
  _train(name, config, straight, None, replicas)
  with pytest.raises(StopIteration):
    _train(name, config, resumed, stop, replicas)
  assert not checkpoints.is_finished(str(resumed), name)
  assert {p.name for p in (resumed / name / 'checkpoints').glob('*.index')
          } == {f'ckpt-{stop - 4}.index', f'ckpt-{stop}.index'}
  _train(name, config, resumed, None, replicas)

  one, two = _tensors(straight / name), _tensors(resumed / name)
  assert set(one) == set(two)
  assert len(one) > 30
  for key, value in one.items():
    np.testing.assert_array_equal(value, two[key], key)
  lines = _metrics(straight / name)
  assert [line['images'] for line in lines] == [4, 8, 12, 16, 20]
  assert _metrics(resumed / name) == lines
  return lines


def test_adam_restarts_when_a_fade_has_ended(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
  steps, reset = [], loop.optimizers_lib.reset

  def spy(optimizers) -> None:
    steps.append({key: int(o.iterations.numpy())
                  for key, o in optimizers.items()})
    reset(optimizers)

  monkeypatch.setattr(loop.optimizers_lib, 'reset', spy)
  base = fakes.small_config()
  config = dataclasses.replace(base, generator=dataclasses.replace(
      base.generator, r1_interval=100, phases=(
          PhaseConfig(20, 4, 8, 10, 1e-2),)))
  _train('generator', config, tmp_path)
  # 10 images are reached after three steps; D's R1 ran in the first, too.
  assert steps == [{'generator': 3, 'discriminator': 4}]
  tensors = _tensors(tmp_path / 'generator')
  assert {int(v) for k, v in tensors.items()
          if k.startswith('optimizers/') and '/iter/' in k} == {2}
