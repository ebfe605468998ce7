"""Tests of earsr_tf.training.store: damaged, half-written and full disks."""

from __future__ import annotations

import collections
import pathlib
import resource
from typing import Callable

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.training import checkpoints
from earsr_tf.training import guards
from earsr_tf.training import store as store_lib

_SIZE = 50_000  # values of the variable: 200 000 bytes


class _State(tf.Module):
  """A weight and a counter."""

  def __init__(self, *, value: float = -1.0) -> None:
    super().__init__()
    self.weight = tf.Variable(tf.fill([_SIZE], value), name='weight')
    self.count = tf.Variable(0, dtype=tf.int64)


def _store(folder: pathlib.Path, state: tf.Module, keep: int = 3
           ) -> store_lib.Store:
  return store_lib.Store(
      checkpoint=tf.train.Checkpoint(state=state), variables=state.variables,
      folder=folder, keep=keep)


def _save(folder: pathlib.Path, *numbers: int, keep: int = 3) -> None:
  """Saves a state whose values are `number` for each number."""
  state = _State()
  store = _store(folder, state, keep)
  for number in numbers:
    state.weight.assign(tf.fill([_SIZE], float(number)))
    state.count.assign(number)
    assert store.save(number) == str(folder / f'ckpt-{number}')


def _check_restored(folder: pathlib.Path, number: int) -> _State:
  """What a new process would find is all of checkpoint `number`."""
  state = _State()
  assert _store(folder, state).restore_newest() == str(
      folder / f'ckpt-{number}')
  np.testing.assert_array_equal(state.weight, np.full([_SIZE], number))
  assert int(state.count) == number
  return state


def _names(folder: pathlib.Path) -> set[str]:
  return {p.name for p in folder.iterdir()}


def _indices(folder: pathlib.Path) -> list[int]:
  return sorted(int(p.stem.split('-')[1]) for p in folder.glob('*.index'))


def _cut(path: pathlib.Path) -> None:
  path.write_bytes(path.read_bytes()[:len(path.read_bytes()) // 2])


def _flip(path: pathlib.Path) -> None:
  content = bytearray(path.read_bytes())
  content[len(content) // 2] ^= 1
  path.write_bytes(content)


def _empty(path: pathlib.Path) -> None:
  (path.parent / 'checkpoint').write_bytes(b'')


_DAMAGES: dict[str, tuple[str, Callable[[pathlib.Path], None]]] = {
    'data cut': ('.data-00000-of-00001', _cut),
    'data flipped': ('.data-00000-of-00001', _flip),
    'data missing': ('.data-00000-of-00001', pathlib.Path.unlink),
    'index cut': ('.index', _cut),
    'index missing': ('.index', pathlib.Path.unlink),
    'state file empty': ('.index', _empty)}


def _damage(folder: pathlib.Path, number: int, kind: str) -> None:
  ending, how = _DAMAGES[kind]
  how(folder / f'ckpt-{number}{ending}')


def test_a_fresh_run_has_nothing_to_restore(tmp_path: pathlib.Path) -> None:
  state = _State()
  assert _store(tmp_path / 'none', state).restore_newest() is None
  assert not (tmp_path / 'none').exists()
  assert float(state.weight[0]) == -1.0


def test_the_newest_is_restored_and_the_oldest_removed(
    tmp_path: pathlib.Path) -> None:
  _save(tmp_path, 4, 8, 100, keep=2)
  assert _indices(tmp_path) == [8, 100]
  assert not list(tmp_path.glob('ckpt-4.*'))
  _check_restored(tmp_path, 100)
  # Other readers find it, too.
  assert tf.train.latest_checkpoint(str(tmp_path)) == str(
      tmp_path / 'ckpt-100')


@pytest.mark.parametrize('kind', _DAMAGES)
def test_a_damaged_one_gives_way_to_the_one_before(
    tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture, kind: str
    ) -> None:
  _save(tmp_path, 4, 8, keep=2)
  _damage(tmp_path, 8, kind)
  if kind == 'state file empty':  # it does not decide
    _check_restored(tmp_path, 8)
    return
  state = _check_restored(tmp_path, 4)
  assert f'{tmp_path}/ckpt-8 cannot be restored (' in caplog.text
  # It stays until there is a better one, and never pushes out a good one.
  store = _store(tmp_path, state, keep=2)
  store.restore_newest()
  store.save(6)
  assert _indices(tmp_path) == [4, 6]
  assert not list(tmp_path.glob('ckpt-8.*'))


@pytest.mark.parametrize('kind', _DAMAGES)
def test_all_damaged_is_no_fresh_start(
    tmp_path: pathlib.Path, kind: str) -> None:
  _save(tmp_path, 4, 8)
  for number in (4, 8):
    _damage(tmp_path, number, kind)
  if kind == 'state file empty':
    for path in tmp_path.glob('ckpt-*'):
      path.unlink()
  before = _names(tmp_path)
  with pytest.raises(checkpoints.CheckpointError) as error:
    _store(tmp_path, _State()).restore_newest()
  message = str(error.value)
  assert '--restart' in message and str(tmp_path) in message
  assert '\n' not in message
  if kind != 'state file empty':
    assert message.index('ckpt-8: ') < message.index('ckpt-4: ')
  assert _names(tmp_path) == before


def test_a_state_of_another_shape_is_not_taken(tmp_path: pathlib.Path
                                               ) -> None:
  _save(tmp_path, 4)
  state = _State()
  state.more = tf.Variable(1.0)
  with pytest.raises(checkpoints.CheckpointError, match='not bound'):
    _store(tmp_path, state).restore_newest()


def test_a_kill_before_the_state_file_loses_nothing(
    tmp_path: pathlib.Path) -> None:
  _save(tmp_path, 4)
  state_file = (tmp_path / 'checkpoint').read_bytes()
  _save(tmp_path, 8)
  (tmp_path / 'checkpoint').write_bytes(state_file)
  _check_restored(tmp_path, 8)
  (tmp_path / 'checkpoint').unlink()
  _check_restored(tmp_path, 8)


def test_a_kill_amid_the_first_save_is_a_fresh_run(
    tmp_path: pathlib.Path) -> None:
  (tmp_path / 'ckpt-4_temp').mkdir()
  (tmp_path / 'ckpt-4_temp' / 'part-00000').write_bytes(b'1')
  (tmp_path / 'ckpt-4.data-00000-of-00001').write_bytes(b'1')
  store = _store(tmp_path, _State())
  assert _names(tmp_path) == {'ckpt-4.data-00000-of-00001'}
  assert store.restore_newest() is None
  store.save(8)
  assert not list(tmp_path.glob('ckpt-4*'))


def test_a_full_disk_leaves_what_was_there(tmp_path: pathlib.Path) -> None:
  _save(tmp_path, 4)
  before = _names(tmp_path)
  store = _store(tmp_path, _State(value=1.0))
  soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
  resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
  try:
    with pytest.raises(store_lib.StorageError) as error:
      store.save(8)
  finally:
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
  message = str(error.value)
  assert f'{tmp_path}/ckpt-8' in message and '200008 bytes' in message
  assert error.value.exit_code == 74 and '\n' not in message
  assert _names(tmp_path) == before
  _check_restored(tmp_path, 4)


def test_too_little_room_is_noticed_before_writing(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
  _save(tmp_path, 4)
  usage = collections.namedtuple('usage', 'total used free')
  monkeypatch.setattr(
      store_lib.shutil, 'disk_usage', lambda path: usage(1, 1, 300_000))
  before = _names(tmp_path)
  with pytest.raises(store_lib.StorageError, match='300000 bytes are free'):
    _store(tmp_path, _State()).save(8)
  assert _names(tmp_path) == before


@pytest.mark.parametrize('bad', [float('nan'), float('inf')])
def test_what_is_not_finite_is_never_saved(
    tmp_path: pathlib.Path, bad: float) -> None:
  _save(tmp_path, 4)
  before = {p: p.stat().st_mtime_ns for p in tmp_path.iterdir()}
  state = _State()
  state.weight.scatter_nd_update([[7]], [bad])
  with pytest.raises(guards.NotFiniteError, match='weight:0 .*after 8 images'):
    _store(tmp_path, state).save(8)
  assert {p: p.stat().st_mtime_ns for p in tmp_path.iterdir()} == before
